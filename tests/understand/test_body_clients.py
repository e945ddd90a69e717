"""How each mail program, in each language, sets an earlier mail apart: one short sample a line, labelled by hand."""

import tomllib
from pathlib import Path

import pytest

from mailbot.understand.body import new_stretches, read_body

SAID = ["Hello,", "the ring is too small. I want to send it back."]
ABOVE = "\n\n".join(SAID) + "\n\n"
EARLIER = "\nYou may return it within 7 days.\nThe shop's service team\n"
EARLIER_MARKED = "\n> You may return it within 7 days.\n>\n> The shop's service team\n"


def new_lines(text: str) -> list[str]:
    body = read_body(text, None)
    joined = "\n".join(body.text[start:end] for start, end in new_stretches(body))
    return [line for line in joined.split("\n") if line.strip()]


SAMPLES = tomllib.loads((Path(__file__).parent / "mail_programs.toml").read_text(encoding="utf-8"))
BLOCKS = {name: block for name, block in SAMPLES["blocks"].items() if not block.startswith(">")}
MARKED_BLOCKS = {name: block for name, block in SAMPLES["blocks"].items() if block.startswith(">")}


def each(samples: dict[str, str]) -> list[object]:
    return [pytest.param(sample, id=name) for name, sample in samples.items()]


@pytest.mark.parametrize("above", each(SAMPLES["attributions"]))
def test_attribution_begins_a_quote_to_the_end(above: str) -> None:
    assert new_lines(f"{ABOVE}{above}\n{EARLIER}") == SAID


@pytest.mark.parametrize("above", each(SAMPLES["attributions"]))
def test_answer_below_marked_lines_is_new(above: str) -> None:
    assert new_lines(f"Hi,\n\n{above}\n{EARLIER_MARKED}\nIt came on 3 May.\n") == ["Hi,", "It came on 3 May."]


@pytest.mark.parametrize("above", each(BLOCKS))
def test_header_block_or_mark_begins_a_quote_to_the_end(above: str) -> None:
    assert new_lines(f"{ABOVE}{above}\n{EARLIER}") == SAID


@pytest.mark.parametrize("above", each(MARKED_BLOCKS))
def test_marked_header_block_is_quoted(above: str) -> None:
    assert new_lines(f"{ABOVE}{above}\n{EARLIER_MARKED}") == SAID


@pytest.mark.parametrize("footer", each(SAMPLES["footers"]))
def test_footer_of_a_device_is_no_message(footer: str) -> None:
    assert new_lines(f"{ABOVE}{footer}\n") == SAID


@pytest.mark.parametrize("footer", each(SAMPLES["footers"]))
def test_what_is_written_below_the_footer_of_a_device_is_new(footer: str) -> None:
    assert new_lines(f"{footer}\n\nThe blue one, please.\n") == ["The blue one, please."]
