"""How does a sentence read once spelling, contractions and punctuation no longer differ?"""

import re
from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from mailbot.understand.stated_dates import StatedDate

CLAUSE_MARK = ","
DATE = "@"
NUMBER = "#"
_LONG_NUMBER = 4  # digits
_CHARACTER_SCRIPTS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_LETTER = rf"[^\W\d_{_CHARACTER_SCRIPTS}]"
_TOKEN = re.compile(
    rf"""(?P<plain>{_LETTER}+(?![\w@'\u2019\u02bc`:]|[-\u2013.+]\w))
    | (?P<link>https?://\S{{1,2000}}|www\.\S{{1,500}}|[\w.+-]{{1,64}}@[\w-]{{1,63}}(?:\.[\w-]{{1,63}}){{1,4}})
    | (?P<character>[{_CHARACTER_SCRIPTS}])
    | (?P<number>(?:{_LETTER}{{1,20}}[-\u2013]?)?[0-9]\w{{0,40}}(?:[-./:,][0-9]\w{{0,40}}){{0,9}})
    | (?P<word>{_LETTER}+(?:['\u2019\u02bc`]{_LETTER}+)*)
    | (?P<mark>[,;:()\[\]{{}}"\u201c\u201d\u201e\u00ab\u00bb\u3001\u3002\u2013\u2014.!?\u2026]|(?<=\s)-+(?=\s))
    """,
    re.VERBOSE,
)
_APOSTROPHES = str.maketrans("\u2019\u02bc`", "'''")
_DRAWN_OUT = re.compile(r"(\w)\1{2,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """One sentence in plain words, and where each of them came from.

    Attributes:
        text: the words with a space before each and one at the end; ``,`` parts clauses, ``@`` is a date, ``#`` a long
            number.
        words: the same, one by one; ``spans`` says where in the source each stands.
        dates: place of each ``@`` among the words, and its date.
    """

    text: str
    words: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    dates: Mapping[int, StatedDate]
    starts: Sequence[int]

    def place(self, offset: int) -> int:
        """Which word the character ``text[offset]`` belongs to."""
        return bisect_right(self.starts, offset) - 1


def spell(word: str, same: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """One written word as plain words: ``don't`` is ``do not``, ``recieved`` is ``received``.

    A word that ``same`` does not list is parted at its apostrophes, and in scripts without spaces at each character.
    """
    plain = word.lower().translate(_APOSTROPHES)
    if plain in same:
        return same[plain]
    return [piece for token in _TOKEN.finditer(plain) for piece in same.get(token[0]) or token[0].split("'")] or [plain]


def word_sentence(
    text: str,
    stretch: tuple[int, int],
    *,
    same: Mapping[str, Sequence[str]],
    known: Collection[str],
    dates: Sequence[StatedDate] = (),
) -> Wording:
    """Write one sentence in plain words.

    Args:
        text: the whole text, whose offsets ``spans`` keeps.
        stretch: where the sentence starts and ends.
        same: written word in lower case to the plain words that it stands for.
        known: words that are right as they stand, so that a drawn-out ``reeeally`` is mended and ``iii`` is not.
        dates: the dates in this sentence, in order, apart; each becomes one word.
    """
    words: list[str] = []
    spans: list[tuple[int, int]] = []
    by_place: dict[int, StatedDate] = {}
    waiting = list(reversed(dates))
    for token in _TOKEN.finditer(text, *stretch):
        span = token.span()
        while waiting and waiting[-1].end <= span[0]:
            waiting.pop()
        if waiting and span[0] >= waiting[-1].start:
            if by_place.get(len(words) - 1) is not waiting[-1]:
                by_place[len(words)] = waiting[-1]
                words.append(DATE)
                spans.append((waiting[-1].start, waiting[-1].end))
            continue
        word = token[0].lower()
        if word in known:
            words.append(word)
            spans.append(span)
            continue
        for plain in _plain(token.lastgroup, word, same):
            words.append(plain)
            spans.append(span)
    starts, at = [], 0
    for word in words:
        starts.append(at)
        at += len(word) + 1
    return Wording(
        text=" " + " ".join(words) + " ", words=tuple(words), spans=tuple(spans), dates=by_place, starts=starts
    )


def _plain(kind: str | None, word: str, same: Mapping[str, Sequence[str]]) -> Sequence[str]:
    if kind == "mark":
        return (CLAUSE_MARK,)
    if kind == "link":
        return (NUMBER,)
    if kind == "number":
        digits = sum(sign.isdigit() for sign in word)
        is_code = word[0].isalpha() or "-" in word
        return (NUMBER,) if is_code or digits >= _LONG_NUMBER else same.get(word) or (word,)
    word = word.translate(_APOSTROPHES)
    if word not in same and _DRAWN_OUT.search(word):
        word = _DRAWN_OUT.sub(r"\1", word)
    return same.get(word) or word.split("'")
