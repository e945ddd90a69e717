"""The words by which mail programs mark what is not new: ``lexicon/quotes.toml``, whose head explains the keys."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

FIRST_SCRIPT_WITHOUT_SPACES = "\u0e00"  # Thai; Chinese, Japanese and Korean come after it


def lexicon_words(key: str) -> list[str]:
    """All languages' entries under one key, in the form that ``plain_form`` gives."""
    return [plain_form(entry) for entry in lexicon_entries(key)]


def lexicon_entries(key: str) -> list[str]:
    """All languages' entries under one key, as written."""
    return [entry for language in _lexicon().values() for entry in language.get(key, ())]


def plain_line(line: str) -> str:
    """One line without outer spaces and marks of writing direction, and with ordinary spaces."""
    return line.strip() if line.isascii() else line.translate(_UNSEEN).strip()


def plain_form(text: str) -> str:
    """A text as it compares: without case, with straight apostrophes."""
    return text.casefold().replace("\u2019", "'")


_UNSEEN = {0xA0: " ", 0x202F: " "} | dict.fromkeys(
    [0xAD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF]
)


@cache
def _lexicon() -> dict[str, Any]:
    file = files("mailbot.understand") / "lexicon" / "quotes.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))
