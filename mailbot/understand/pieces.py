"""The words by which customers name a piece of an order and say what becomes of it: ``lexicon/pieces.toml``."""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

_WITHOUT_SPACES = frozenset({"ja", "zh"})
_NUMBERS = ("one", "two", "three", "four")
_PLAIN = str.maketrans({"ł": "l", "\u2019": "'", "\u02bc": "'", "`": "'"})


class Found(NamedTuple):
    """One word or row of words at ``text[start:end]``, and what it stands for."""

    start: int
    end: int
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceWords:
    """One language's words, each list as a pattern for folded text.

    Attributes:
        spaced: words stand apart.
        kinds: a group a kind.
        says: what is done, what is left, what is counted: a pattern a list.
    """

    spaced: bool
    kinds: re.Pattern[str]
    says: Mapping[str, re.Pattern[str]]

    def kinds_in(self, folded: str) -> list[Found]:
        """Every piece that is named."""
        return _found(self.kinds, folded)

    def where(self, what: str, folded: str) -> list[Found]:
        """Every place of one list's words."""
        return [Found(match.start(), match.end(), what) for match in self.says[what].finditer(folded)]

    def numbers(self, folded: str) -> list[Found]:
        """Every number from one to four, written or in digits."""
        found = (Found(place.start, place.end, str(number)) for number, place in self._counted(folded))
        return sorted(found)

    def _counted(self, folded: str) -> Iterator[tuple[int, Found]]:
        for number, word in enumerate(_NUMBERS, start=1):
            for place in self.where(word, folded):
                yield number, place


@dataclass(frozen=True, slots=True, kw_only=True)
class AllPieces:
    """What is the same for all languages.

    Attributes:
        pairs: kinds that are sold by the pair.
        alike: kinds that one piece may be called by together.
        any_kind: the names of all languages.
        sets: what says that several pieces are sold as one.
        looks: what tells two pieces of a kind apart.
        by_language: the words of each.
    """

    pairs: frozenset[str]
    alike: frozenset[frozenset[str]]
    any_kind: tuple[PieceWords, ...]
    sets: re.Pattern[str]
    looks: re.Pattern[str]
    by_language: Mapping[str, PieceWords]

    def kinds_of(self, text: str) -> frozenset[str]:
        """Which kinds a row of an invoice names, in whatever language; none where they are no one piece."""
        plain = fold(text)
        kinds = frozenset(found.value for words in self.any_kind for found in words.kinds_in(plain))
        return kinds if len(kinds) <= 1 or kinds in self.alike else frozenset()

    def looks_of(self, text: str) -> frozenset[str]:
        """Materials, colours and shapes that a text names."""
        return frozenset(found.value for found in _found(self.looks, fold(text)))


def fold(text: str) -> str:
    """A text in lower case without accents, letter for letter, so that places stay."""
    return text.lower() if text.isascii() else "".join(map(_plain, text.translate(_PLAIN)))


@cache
def _plain(sign: str) -> str:
    if sign in "が、":
        return sign
    folded = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", sign).lower())
    joined = unicodedata.normalize("NFC", folded)
    return joined[0] if sign >= "\u3040" else folded[0]


@cache
def load_pieces() -> AllPieces:
    """What ships, read once."""
    told = tomllib.loads((files("mailbot.understand") / "lexicon" / "pieces.toml").read_text(encoding="utf-8"))
    languages = [name for name, table in told.items() if isinstance(table, dict) and "claimed" in table]
    by_language = {language: _words(told, language) for language in languages}
    return AllPieces(
        pairs=frozenset(told["pairs"]),
        alike=frozenset(map(frozenset, told["alike"])),
        any_kind=tuple(by_language.values()),
        sets=_pattern([("sets", told["sets"])], spaced=None),
        looks=_pattern(((name, words) for name, words in told["looks"].items()), spaced=None),
        by_language=by_language,
    )


def _words(told: Mapping[str, Any], language: str) -> PieceWords:
    spaced = language not in _WITHOUT_SPACES
    names = ((kind, table[language]) for kind, table in told["kinds"].items())
    return PieceWords(
        spaced=spaced,
        kinds=_pattern(names, spaced=spaced),
        says={what: _pattern([(what, words)], spaced=spaced) for what, words in told[language].items()},
    )


def _pattern(groups: Iterable[tuple[str, str]], *, spaced: bool | None) -> re.Pattern[str]:
    """The words of all groups, the longest first; ``spaced`` tells whether they stand apart, ``None``: by script."""
    written = [(fold(word), name) for name, words in groups for word in words.split("|")]
    written.sort(key=lambda each: (len(each[0].replace("*", "")), each[0]), reverse=True)
    return re.compile(
        "|".join(f"(?:{_word(word, spaced)})(?P<{name}_{at}>)" for at, (word, name) in enumerate(written))
    )


def _word(word: str, spaced: bool | None) -> str:  # noqa: FBT001 (a property of the word, no switch)
    pattern = r"[^\W\d_]*".join(re.escape(piece).replace(r"\ ", r"\s+") for piece in word.split("*"))
    pattern = pattern.replace(r"\s+[^\W\d_]*\s+", r"\s+(?:[^\W\d_]+\s+)?")
    apart = word.isascii() if spaced is None else spaced
    return rf"(?<!\w){pattern}(?!\w)" if apart else pattern


def _found(pattern: re.Pattern[str], folded: str) -> list[Found]:
    return [
        Found(match.start(), match.end(), str(match.lastgroup).rpartition("_")[0]) for match in pattern.finditer(folded)
    ]
