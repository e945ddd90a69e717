"""The mini-language of reply templates: paragraphs, headings, items, and ``{{names}}`` of a closed list.

A template is data: it is scanned once, holds no expression and no condition, and what is put in for a name is never
scanned again. Source: RELIABILITY.md, Limits, last paragraph.
"""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from mailbot.errors import InputError, shown

Text = tuple[str, ...]
"""Literals and names by turns; the first and the last are literals, perhaps empty."""

_NAME = re.compile(r"\{\{([a-z_]{1,40})\}\}")


class MarkupError(InputError):
    """A template, subject or phrase that is not in the mini-language; the caller adds which file."""


class ParagraphKind(StrEnum):
    """What a paragraph of a template is."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    ITEMS = "items"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph of a template.

    Attributes:
        texts: one, but for items; a block's one text is just its name.
    """

    kind: ParagraphKind
    texts: tuple[Text, ...]


def scan(source: str, names: Collection[str]) -> Text:
    """Take a line of text and ``{{names}}`` apart.

    Raises:
        MarkupError: a name that is not in ``names``, or a brace that belongs to none.
    """
    text = tuple(_NAME.split(source))
    for literal in text[::2]:
        if "{" in literal or "}" in literal:
            raise MarkupError(
                f"a brace stands alone in {shown(literal)}; write a value as {{{{name}}}}, without spaces"
            )
    for name in text[1::2]:
        if name not in names:
            raise MarkupError(f"no value {name!r}; here may stand: {', '.join(sorted(names)) or 'none'}")
    return text


def fill(text: Text, value_of: Callable[[str], str | None]) -> str | None:
    """Put the values in; ``None`` where one of them is absent, because half a sentence is none."""
    if len(text) == 1:
        return text[0]
    filled = list(text)
    for place in range(1, len(text), 2):
        value = value_of(text[place])
        if value is None:
            return None
        filled[place] = value
    return "".join(filled)


def parse_body(source: str, inline: Collection[str], blocks: Collection[str]) -> tuple[Paragraph, ...]:
    """Take a template apart: paragraphs are set apart by empty lines; a heading's line needs none.

    Args:
        source: the template's text.
        inline: names that may stand in a sentence, an item or a heading.
        blocks: names that are a whole paragraph by themselves.

    Raises:
        MarkupError: as ``scan``, or a block inside a sentence.
    """
    paragraphs: list[Paragraph] = []
    for chunk in _chunks(source):
        lines = list(chunk)
        while lines and lines[0].startswith("# "):
            paragraphs.append(Paragraph(ParagraphKind.HEADING, (scan(lines.pop(0)[2:].strip(), inline),)))
        if lines:
            paragraphs.append(_paragraph(lines, inline, blocks))
    return tuple(paragraphs)


def _chunks(source: str) -> Iterator[list[str]]:
    lines = (line.strip() for line in source.splitlines())
    return (list(chunk) for written, chunk in groupby(lines, bool) if written)


def _paragraph(lines: list[str], inline: Collection[str], blocks: Collection[str]) -> Paragraph:
    name = _NAME.fullmatch(lines[0])
    if name and name[1] in blocks and len(lines) == 1:
        return Paragraph(ParagraphKind.BLOCK, ((name[1],),))
    if lines[0].startswith("- "):
        return Paragraph(ParagraphKind.ITEMS, tuple(scan(item, inline) for item in _items(lines)))
    return Paragraph(ParagraphKind.PARAGRAPH, (scan(" ".join(lines), inline),))


def _items(lines: list[str]) -> list[str]:
    items: list[str] = []
    for line in lines:
        if line.startswith("- "):
            items.append(line[2:].strip())
        else:
            items[-1] += f" {line}"
    return items
