"""Replies of the main mail programs in ten languages: what the customer wrote now is told from all the rest."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from mailbot.understand.body import new_stretches, read_body

_SHAPES = tomllib.loads(Path(__file__).with_name("replies.toml").read_text("utf-8"))


def new_lines(plain: str | None, html: str | None) -> list[str]:
    body = read_body(plain, html)
    lines = [line.strip() for start, end in new_stretches(body) for line in body.text[start:end].split("\n")]
    return [line for line in lines if line]


@pytest.mark.parametrize("reply", [pytest.param(reply, id=reply["program"]) for reply in _SHAPES["replies"]])
def test_only_the_first_line_of_a_reply_is_new(reply: dict[str, Any]) -> None:
    assert new_lines(reply["text"], None) == [reply["text"].split("\n")[0]]


@pytest.mark.parametrize("page", [pytest.param(page, id=page["program"]) for page in _SHAPES["pages"]])
def test_what_is_new_is_told_by_a_page_s_markup(page: dict[str, Any]) -> None:
    assert new_lines(None, page["html"]) == page["new"]


CARD = (
    "----------------------------\n山田花子\n〒150-0001 東京都渋谷区\nyamada@example.jp\n----------------------------\n"
)


def test_a_card_between_rules_at_the_end_signs() -> None:
    assert new_lines(f"返金をお願いします。\n\n{CARD}", None) == ["返金をお願いします。"]
    assert new_lines(f"返金をお願いします。\n\n{CARD}\n> 古い\n", None) == ["返金をお願いします。"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Hello\n----\nmy address is a@b.example\n----\nand one thing more", id="something follows"),
        pytest.param("Hello\n----\nplease refund, jane@example.org\n----", id="speaks of a refund"),
        pytest.param("Hello\n----\nred ring\n----", id="no way to reach anybody"),
    ],
)
def test_what_stands_between_rules_may_be_the_customer_s_own(text: str) -> None:
    assert new_lines(text, None) == text.split("\n")
