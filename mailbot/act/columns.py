"""Plain text in columns: how wide a text is in a fixed-width font, and where its lines break, in any script.

Chinese and Japanese signs are two columns wide and take a line break between them, but for the punctuation that may
not begin or end a line. Sources: Unicode TR 11 (width), TR 14 (breaks), JIS X 4051.
"""

import re
from unicodedata import combining, east_asian_width

_WIDE = "WF"
_NO_LINE_BEGINS = frozenset("、。，．・：；？！」』）】》〉〕ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ…—～％")  # noqa: RUF001 (those)
_NO_LINE_ENDS = frozenset("「『（【《〈〔￥＄")  # noqa: RUF001 (those)
_WORDS = re.compile(r" *[^ ]+")


def width_of(text: str) -> int:
    """How many columns a text takes."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(sign) else 1 + (east_asian_width(sign) in _WIDE) for sign in text)


def padded(text: str, columns: int) -> str:
    """A text with spaces after it, so that it takes that many columns."""
    return text + " " * (columns - width_of(text))


def wrap(text: str, columns: int, first: str = "", others: str = "") -> list[str]:
    """Lines of at most so many columns; a word that is longer by itself, such as a web address, stays whole.

    Args:
        text: without line breaks.
        columns: the most that a line takes, its indent included.
        first: stands before the first line.
        others: stands before the others.
    """
    if text.isascii():
        return _wrapped(text.strip(" "), columns, first, others)
    lines, line, width, empty = [], first, width_of(first), True
    for piece in _pieces(text):
        if not empty and width + width_of(piece.rstrip(" ")) > columns:
            lines.append(line.rstrip(" "))
            line, width, empty = others, width_of(others), True
        added = piece.lstrip(" ") if empty else piece
        line, width, empty = line + added, width + width_of(added), False
    return [*lines, line.rstrip(" ")] if not empty else []


def _wrapped(rest: str, columns: int, first: str, others: str) -> list[str]:
    """The same for text of which each sign takes one column, a line at a time instead of a word."""
    lines, indent = [], first
    while rest:
        room = columns - width_of(indent)
        end = len(rest) if len(rest) <= room else rest.rfind(" ", 0, room + 1)
        if end <= 0:
            end = rest.find(" ")
        end = len(rest) if end < 0 else end
        lines.append(indent + rest[:end].rstrip(" "))
        rest, indent = rest[end:].lstrip(" "), others
    return lines


def _pieces(text: str) -> list[str]:
    """What may not be torn: words with the space before them, single wide signs with the punctuation at their sides."""
    pieces: list[str] = []
    for word in _WORDS.findall(text):
        if word.isascii():
            pieces.append(word)
            continue
        start = 0
        for place in range(1, len(word)):
            if _may_break(word[place - 1], word[place]):
                pieces.append(word[start:place])
                start = place
        pieces.append(word[start:])
    return pieces


def _may_break(before: str, after: str) -> bool:
    if before == " " or after in _NO_LINE_BEGINS or before in _NO_LINE_ENDS:
        return False
    return east_asian_width(before) in _WIDE or east_asian_width(after) in _WIDE
