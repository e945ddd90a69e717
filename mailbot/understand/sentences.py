"""Where does one sentence of a mail end and the next begin?"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from mailbot.understand.wording import NUMBER

_LONGEST_SENTENCE = 400  # characters; what is longer is cut at a comma or a space
_SHORT_LINE = 45  # characters; a line that ends this early was ended by its writer, not by the mail program
_BREAK = re.compile(
    r"""(?P<mark>[.!?\u2026]+["')\]\u201d\u2019]*(?=\s|$) | [\u3002\uff01\uff1f]+ | [.!?](?=[A-Z][a-z]) )
    | (?P<blank>\n(?:[^\S\n]*\n)+)
    | (?P<line>\n)
    """,
    re.VERBOSE,
)
_QUESTION = frozenset("?\uff1f\u061f")
_STARTS_ANEW = re.compile(r"[^\S\n]*(?:[-*\u2022\u00b7>]|\d+[.)]\s|[^\W\d_a-z\u00df-\u00ff])")
_ORDINAL_DIGITS = 2
_LAST_WORD = re.compile(r"(\w+)\.$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One sentence, ``text[start:end]`` without the white space around it.

    Attributes:
        asks: it ends with a question mark.
    """

    start: int
    end: int
    asks: bool


def split_sentences(text: str, start: int, end: int, abbreviations: Collection[str] = ()) -> Iterator[Sentence]:
    """The sentences of ``text[start:end]`` in order; every word is in exactly one.

    A line end parts two sentences where a blank line follows, or where the line is short and the next one starts like
    a new thought; otherwise it is the mail program's line wrap.

    Args:
        text: the whole text that the offsets count in.
        start: of the stretch to split.
        end: of the stretch to split.
        abbreviations: words in lower case after which a full stop does not end a sentence; ``#`` stands for a number
            of one or two digits.
    """
    begun = line = start
    for found in _BREAK.finditer(text, start, end):
        if found.lastgroup == "line":
            ended = _ends_thought(text, line, found.start(), found.end())
            line = found.end()
        elif found.lastgroup == "blank":
            ended, line = True, found.end()
        else:
            ended = not (found[0] == "." and _is_short_form(text, begun, found.end(), abbreviations))
        if ended:
            yield from _cut(text, begun, found.end())
            begun = found.end()
    yield from _cut(text, begun, end)


def _ends_thought(text: str, line_start: int, line_end: int, next_start: int) -> bool:
    return line_end - line_start < _SHORT_LINE and _STARTS_ANEW.match(text, next_start) is not None


def _is_short_form(text: str, begun: int, end: int, abbreviations: Collection[str]) -> bool:
    word = _LAST_WORD.search(text, max(begun, end - 12), end)
    if word is None:
        return False
    return (NUMBER if word[1].isdigit() and len(word[1]) <= _ORDINAL_DIGITS else word[1].lower()) in abbreviations


def _cut(text: str, start: int, end: int) -> Iterator[Sentence]:
    stretch = text[start:end]
    start, end = end - len(stretch.lstrip()), start + len(stretch.rstrip())
    while end - start > _LONGEST_SENTENCE:
        comma = max(text.rfind(sign, start + 1, start + _LONGEST_SENTENCE) for sign in ",;")
        cut = comma if comma > 0 else text.rfind(" ", start + 1, start + _LONGEST_SENTENCE)
        cut = start + _LONGEST_SENTENCE if cut <= 0 else cut + 1
        yield Sentence(start=start, end=cut, asks=False)
        start = cut
    if start < end:
        yield Sentence(start=start, end=end, asks=not _QUESTION.isdisjoint(text[max(start, end - 4) : end]))
