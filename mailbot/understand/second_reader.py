"""What does one sentence say to a reader that learned from examples, beside the one that knows words and grammar?

It is linear: each run of letters, each word, each meaning, each pair of them and each finding of the lexicon adds a
little for or against every label of ``bench/sentences``. Meanings are the same in every language (``bench/meanings``),
so that what is learned of "clasp" and "broke" in one counts in all. ``make reader`` learns the weights and writes
``second_reader.bin``.
"""

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import pairwise
from math import exp, sqrt
from types import MappingProxyType
from typing import Any

from mailbot.understand.findings import ReadSentence
from mailbot.understand.lexicons import Lexicon

SIGNS = "signs"
RUNS = "runs."
WORDS = "words."
STEMS = "stems."
MEANINGS, NEIGHBOURS, PAIRS = "meanings", "neighbours", "pairs"
LINES = "lines"
FINGERPRINT = 4  # bytes
_LETTERS = range(3, 6)  # runs of letters within a word
_CHARACTERS = range(1, 4)  # runs of characters where words do not stand apart
_SHORTEST_STEM = 4  # letters; what is shorter must be the whole word
_LONGEST_STEM = 8  # characters, where words do not stand apart
_NEAR = 3  # words with a meaning, between two that make a pair
_LANE = 3  # bytes that one label's sum takes
_ZERO = 128  # the byte that stands for a weight of nothing
_MANY = 4  # unexplained words

_FLAGS = ("supposes", "elsewhere", "asks", "asks_more", "reason_unread")  # of a sentence

Probabilities = Mapping[str, float]
Meanings = Sequence[str]
Stems = Mapping[str, Meanings]
"""What the words that begin so mean, by names that are the same in every language."""


def runs_of(words: Sequence[str], *, spaced: bool) -> set[str]:
    """Words, neighbouring words, and runs of letters; of running text, runs of characters."""
    if not spaced:
        text = f"^{''.join(words)}$"
        return {text[at : at + length] for length in _CHARACTERS for at in range(len(text) - length + 1)}
    runs = {f" {word}" for word in words}
    runs.update(f" {here} {there}" for here, there in pairwise(("^", *words, "$")))
    for word in set(words):
        edged = f"<{word}>"
        runs.update(edged[at : at + length] for length in _LETTERS for at in range(len(edged) - length + 1))
    return runs


def entries_of(words: Sequence[str], lexicon: Lexicon) -> set[str]:
    """The lexicon's own words and stems that stand in a sentence; an empty text for all that it does not know."""
    return {word if word in lexicon.vocabulary.exact else lexicon.vocabulary.stem_of(word) or "" for word in words}


def signs_of(sentence: ReadSentence) -> Iterator[str]:
    """What the grammar sees in a sentence, by names that are the same in every language; some come twice."""
    for finding in sentence.findings:
        rule = finding.rule
        yield f"{rule.kind}"
        yield f"{rule.kind} {rule.value}"
        yield f"{rule.kind} {rule.value} {rule.strength} {finding.mood}"
        if finding.negated:
            yield f"{rule.kind} {rule.value} negated"
    for hint in sentence.hints:
        yield from (f"hint {value}" for value in hint)
    yield f"unexplained {min(_MANY, len(sentence.unexplained))}"
    yield from (name for name in _FLAGS if getattr(sentence, name))


def features_of(sentence: ReadSentence, lexicon: Lexicon, stems: Stems) -> dict[str, set[str]]:
    """All that counts of a sentence, by the table that has the weights; those of one table share its whole weight."""
    words, language = sentence.wording.words, lexicon.language
    own = {f"{WORDS}{language}": entries_of(words, lexicon)} if lexicon.spaced else {}
    return {
        f"{RUNS}{language}": runs_of(words, spaced=lexicon.spaced),
        SIGNS: set(signs_of(sentence)),
        **by_meaning(meanings_of(words, stems, spaced=lexicon.spaced)),
        **own,
    }


def meanings_of(words: Sequence[str], stems: Stems, *, spaced: bool) -> list[Meanings]:
    """What the words mean, in their order, by the longest stem that each begins with; words unknown are left out."""
    if spaced:
        found = (next(filter(None, map(stems.get, _beginnings(word))), ()) for word in words)
        return [names for names in found if names]
    text = " ".join("".join(words).split(","))
    read, at = [], 0
    while at < len(text):
        longest = min(_LONGEST_STEM, len(text) - at)
        length = next((size for size in range(longest, 0, -1) if text[at : at + size] in stems), 0)
        if length:
            read.append(stems[text[at : at + length]])
        at += length or 1
    return read


def _beginnings(word: str) -> Iterator[str]:
    yield word
    yield from (word[:length] for length in range(len(word) - 1, _SHORTEST_STEM - 1, -1))


def by_meaning(meanings: Sequence[Meanings]) -> dict[str, set[str]]:
    """The meanings in a sentence, those that follow each other, and those that stand near each other, in order."""
    pairs: dict[str, set[str]] = {NEIGHBOURS: set(), PAIRS: set()}
    for at, names in enumerate(meanings):
        for far, others in enumerate(meanings[at + 1 : at + 1 + _NEAR]):
            near = {f"{name} {other}" for name in names for other in others if name != other}
            pairs[PAIRS] |= near
            if far == 0:
                pairs[NEIGHBOURS] |= near
    return {MEANINGS: {name for names in meanings for name in names}, **pairs}


class SecondReader:
    """The weights, read from ``second_reader.bin``; those of a language when first asked for."""

    __slots__ = ("_head", "_packed", "_stems", "_tables")

    def __init__(self, packed: bytes) -> None:
        """Keep the file: one line of JSON, then a compressed table for each of its ``sections``."""
        head, _, self._packed = packed.partition(b"\n")
        self._head: dict[str, Any] = json.loads(head)
        self._tables: dict[str, _Table] = {}
        self._stems: dict[str, Stems] = {}

    @property
    def learned_from(self) -> frozenset[bytes]:
        """The fingerprints of the sentences, as ``bench.examples`` reckons them."""
        lines = self._unpacked(LINES)
        return frozenset(lines[at : at + FINGERPRINT] for at in range(0, len(lines), FINGERPRINT))

    def read(self, sentence: ReadSentence, lexicon: Lexicon) -> Probabilities:
        """The probability of each label for a sentence; nothing for a language that it did not learn."""
        if f"{RUNS}{lexicon.language}" not in self._head["sections"]:
            return MappingProxyType({})
        features = features_of(sentence, lexicon, self._known_stems(lexicon.language))
        parts = [(self._table(name).add(seen), 1 / sqrt(len(seen))) for name, seen in features.items() if seen]
        found = {}
        for place, (label, (bias, slope, shift)) in enumerate(self._head["labels"].items()):
            score = bias + sum(part[place] * share for part, share in parts)
            found[label] = 1 / (1 + exp(-max(-30.0, min(30.0, slope * score + shift))))
        return found

    def _known_stems(self, language: str) -> Stems:
        if language not in self._stems:
            lines = self._unpacked(f"{STEMS}{language}").decode().split("\n")
            self._stems[language] = {stem: tuple(names) for stem, *names in map(str.split, lines)}
        return self._stems[language]

    def _table(self, name: str) -> "_Table":
        if name not in self._tables:
            scale = self._head["sections"][name][2]
            self._tables[name] = _Table(self._unpacked(name), len(self._head["labels"]), scale)
        return self._tables[name]

    def _unpacked(self, name: str) -> bytes:
        start, length, _ = self._head["sections"][name]
        return zlib.decompress(self._packed[start : start + length])


class _Table:
    """One row of small whole numbers a feature, one number a label; rows are added up as one long number each."""

    __slots__ = ("_places", "_rows", "_scale", "_wide", "_width")

    def __init__(self, packed: bytes, width: int, scale: float) -> None:
        names, _, self._rows = packed.partition(b"\0")
        self._places = {name: place * width for place, name in enumerate(names.decode().split("\n"))}
        self._width, self._scale = width, scale
        self._wide: dict[int, int] = {}

    def add(self, features: Iterable[str]) -> list[float]:
        """The sum of the features' rows, label by label; a feature that the table does not have adds nothing."""
        places = [place for place in map(self._places.get, features) if place is not None]
        total = sum(map(self._row, places)).to_bytes(self._width * _LANE, "little")
        none = _ZERO * len(places)
        sums = (int.from_bytes(total[at : at + _LANE], "little") for at in range(0, len(total), _LANE))
        return [(each - none) * self._scale for each in sums]

    def _row(self, place: int) -> int:
        row = self._wide.get(place)
        if row is None:
            lanes = bytearray(self._width * _LANE)
            lanes[::_LANE] = self._rows[place : place + self._width]
            row = self._wide[place] = int.from_bytes(lanes, "little")
        return row


@cache
def load_second_reader() -> SecondReader:
    """The reader that ships, read once."""
    return SecondReader((files("mailbot.understand") / "second_reader.bin").read_bytes())
