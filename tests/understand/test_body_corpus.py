"""The labelled replies of six projects: what the customer wrote survives, what is only quoted does not count as new."""

import json
from collections.abc import Callable
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from mailbot.understand.body import new_stretches, read_body

PLAIN_FILES = 78
LEAST_EXACT = 77


@pytest.fixture(scope="module")
def labels(corpus: Callable[[str], Path]) -> dict[Path, dict[str, Any]]:
    folder = corpus("replies")
    entries = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    return {folder / name: entry for name, entry in entries.items()}


def parts(file: Path) -> tuple[str | None, str | None]:
    """The text and the HTML part of a file, with LF line ends."""
    if file.suffix != ".eml":
        text = file.read_text(encoding="utf-8", errors="replace")
        return (None, text) if file.suffix == ".html" else (text, None)
    found: dict[str, str] = {}
    for part in message_from_bytes(file.read_bytes()).walk():
        payload = part.get_payload(decode=True)
        if part.get_content_maintype() == "text" and isinstance(payload, bytes):
            text = payload.decode(part.get_content_charset() or "utf-8", "replace")
            found[part.get_content_subtype()] = text.replace("\r\n", "\n")
    return found.get("plain"), found.get("html")


def new_lines(file: Path) -> list[str]:
    body = read_body(*parts(file))
    stretches = "\n".join(body.text[start:end] for start, end in new_stretches(body))
    return [line.strip() for line in stretches.split("\n") if line.strip()]


def split(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def faults(file: Path, label: dict[str, Any]) -> list[str]:
    """Lines that are lost, and lines that are wrongly new."""
    reply, optional = split(label["reply_text"]), {line.strip() for line in label.get("optional_lines", ())}
    new = new_lines(file)
    return [line for line in reply if line not in new] + [line for line in new if line not in {*reply, *optional}]


def test_no_line_of_a_customer_is_lost(labels: dict[Path, dict[str, Any]]) -> None:
    lost = {
        file.name: missing
        for file, label in labels.items()
        if (missing := [line for line in split(label["reply_text"]) if line not in new_lines(file)])
    }
    assert lost == {}


def test_nearly_all_plain_texts_are_exactly_right(labels: dict[Path, dict[str, Any]]) -> None:
    plain = {file: label for file, label in labels.items() if file.suffix == ".txt"}
    wrong = {file.name: found for file, label in plain.items() if (found := faults(file, label))}
    assert len(plain) == PLAIN_FILES
    assert len(plain) - len(wrong) >= LEAST_EXACT, wrong


def test_all_mails_and_html_pages_are_exactly_right(labels: dict[Path, dict[str, Any]]) -> None:
    others = {file: label for file, label in labels.items() if file.suffix != ".txt"}
    assert {file.name: found for file, label in others.items() if (found := faults(file, label))} == {}
