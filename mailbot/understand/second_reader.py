"""What does one sentence say to a reader that learned from examples, beside the one that knows words and grammar?

It is linear: each word, each pair of words, each meaning, each pair of them, each finding of the lexicon, alone and
beside each meaning and each other finding, adds a little for or against every label of ``bench/sentences``. Meanings
are the same in every language (``bench/meanings``), so that what is learned of "clasp" and "broke" in one counts in
all. ``make reader`` learns the weights and writes ``second_reader.bin``.
"""

import json
import struct
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import accumulate, combinations, pairwise
from math import exp, sqrt
from sys import intern
from types import MappingProxyType
from typing import Any
from zlib import crc32

from mailbot.understand.findings import ReadSentence
from mailbot.understand.lexicons import Lexicon
from mailbot.understand.wording import NUMBER

RUNS = "runs."
WORDS = "words."
STEMS = "stems."
SIGNS, SIGNS_TOGETHER, SIGNS_WITH = "signs", "signs together", "signs with meanings"
MEANINGS, PAIRS = "meanings", "pairs"
SHAPE = "shape"
LINES = "lines"
FINGERPRINT = 4  # bytes
_CHARACTERS = range(1, 4)  # runs of characters where words do not stand apart
_SHORTEST_STEM = 4  # letters; what is shorter must be the whole word
_LONGEST_STEM = 8  # characters, where words do not stand apart
_NEAR = 3  # words with a meaning, between two that make a pair
_LANE = 4  # bytes that one label's sum takes
_BYTE = 8  # bits
_MOST_ROWS = 256  # that can be added in two bytes a label
FINE = 1024  # steps of how much a table's rows count
_ZERO = 128  # the byte that stands for a weight of nothing
_MANY = 4  # unexplained words
_LENGTHS = 10
_WORDS_A_LENGTH, _CHARACTERS_A_LENGTH = 3, 5
_SLOT = 16  # bits of a key that name its slot

_FLAGS = ("supposes", "elsewhere", "asks", "asks_more", "reason_unread", "names_goods")  # of a sentence

Probabilities = Mapping[str, float]
Meanings = Sequence[str]
Stems = Mapping[str, Meanings]
"""What the words that begin so mean, by names that are the same in every language."""


def runs_of(words: Sequence[str], *, spaced: bool) -> set[str]:
    """Words and neighbouring words; of running text, runs of characters."""
    if spaced:
        return {*words, *map(" ".join, pairwise(("^", *words, "$")))}
    text = f"^{''.join(words)}$"
    return {text[at : at + length] for length in _CHARACTERS for at in range(len(text) - length + 1)}


def entries_of(words: Sequence[str], lexicon: Lexicon) -> set[str]:
    """The lexicon's own words and stems that stand in a sentence; an empty text for all that it does not know."""
    return {word if word in lexicon.vocabulary.exact else lexicon.vocabulary.stem_of(word) or "" for word in words}


def marks_of(sentence: ReadSentence) -> Iterator[str]:
    """What the grammar sees in a sentence, in short, by names that are the same in every language; some come twice."""
    for finding in sentence.findings:
        yield f"{finding.rule.kind} {finding.rule.value}"
        if finding.negated:
            yield f"{finding.rule.kind} {finding.rule.value} negated"
    for hint in sentence.hints:
        yield from (f"hint {value}" for value in hint)
    yield from (name for name in _FLAGS if getattr(sentence, name))


def signs_of(sentence: ReadSentence) -> Iterator[str]:
    """The same more loosely and more closely, and how much is left."""
    for finding in sentence.findings:
        rule = finding.rule
        yield rule.kind
        yield f"{rule.kind} {rule.value} {rule.strength} {finding.mood}"
    yield f"unexplained {min(_MANY, len(sentence.unexplained))}"


def shape_of(words: Sequence[str], *, spaced: bool) -> set[str]:
    """How long a sentence is, and whether a number stands in it."""
    length = len(words) // (_WORDS_A_LENGTH if spaced else _CHARACTERS_A_LENGTH)
    return {f"length {min(_LENGTHS, length)}", f"number {NUMBER in words}"}


def features_of(sentence: ReadSentence, lexicon: Lexicon, stems: Stems) -> dict[str, set[str]]:
    """All that counts of a sentence, by the table that has the weights; those of one table share its whole weight."""
    words, language = sentence.wording.words, lexicon.language
    own = {f"{WORDS}{language}": entries_of(words, lexicon)} if lexicon.spaced else {}
    meanings, pairs = by_meaning(meanings_of(words, stems, spaced=lexicon.spaced))
    marks = set(marks_of(sentence))
    return {
        f"{RUNS}{language}": runs_of(words, spaced=lexicon.spaced),
        SIGNS: {*marks, *signs_of(sentence)},
        SIGNS_TOGETHER: set(map(" ".join, combinations(sorted(marks), 2))),
        SIGNS_WITH: {f"{mark} {name}" for mark in marks for name in meanings},
        SHAPE: shape_of(words, spaced=lexicon.spaced),
        MEANINGS: meanings,
        PAIRS: pairs,
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


def by_meaning(meanings: Sequence[Meanings]) -> tuple[set[str], set[str]]:
    """The meanings in a sentence, and the pairs of those that stand near each other, in order."""
    near = ((names, others) for at, names in enumerate(meanings) for others in meanings[at + 1 : at + 1 + _NEAR])
    pairs = {f"{name} {other}" for names, others in near for name in names for other in others if name != other}
    return {name for names in meanings for name in names}, pairs


def key_of(feature: str, table: int) -> int:
    """Four bytes that stand for a feature of a table, which has four bytes of its own."""
    return crc32(feature.encode(), table)


class SecondReader:
    """The weights: one row of small whole numbers a feature, one number a label; a row is found by its feature's key.

    Keys and rows are plain bytes, which processes that were forked go on to share.
    """

    __slots__ = (
        *("_every_fourth", "_every_second", "_heads", "_keys", "_lines", "_rows", "_slots", "_stems", "_step"),
        "_tables",
    )

    def __init__(self, packed: bytes) -> None:
        """Unpack the file: one line of JSON, then the compressed ``sections`` that it names."""
        head, _, body = packed.partition(b"\n")
        told: dict[str, Any] = json.loads(head)
        sections = {
            name: zlib.decompress(body[start : start + length]) for name, (start, length) in told["sections"].items()
        }
        self._heads: dict[str, tuple[float, float, float]] = told["labels"]
        self._tables = {name: (key_of(name, 0), share) for name, share in told["tables"].items()}
        self._step: float = told["step"]
        width = len(self._heads)
        self._every_second = int.from_bytes((b"\xff\0" * width)[:width], "little")
        self._every_fourth = int.from_bytes((b"\xff\xff\0\0" * width)[: width + _LANE], "little")
        self._lines, self._rows = sections[LINES], sections["rows"]
        self._keys = array("I", struct.unpack(f"<{len(sections['keys']) // 4}I", sections["keys"]))
        counts = array("I", bytes(4 * (1 << _SLOT) + 4))
        for key in self._keys:
            counts[(key >> _SLOT) + 1] += 1
        self._slots = array("I", accumulate(counts))
        self._stems = {
            name.removeprefix(STEMS): {
                intern(stem): tuple(map(intern, names)) for stem, *names in map(str.split, lines.decode().split("\n"))
            }
            for name, lines in sections.items()
            if name.startswith(STEMS)
        }

    @property
    def learned_from(self) -> frozenset[bytes]:
        """The fingerprints of the sentences, as ``bench.examples`` reckons them."""
        return frozenset(self._lines[at : at + FINGERPRINT] for at in range(0, len(self._lines), FINGERPRINT))

    def read(self, sentence: ReadSentence, lexicon: Lexicon) -> Probabilities:
        """The probability of each label for a sentence; nothing for a language that it did not learn."""
        if lexicon.language not in self._stems:
            return MappingProxyType({})
        totals, none = [0] * _LANE, 0
        for name, features in features_of(sentence, lexicon, self._stems[lexicon.language]).items():
            table, share = self._tables[name]
            rows = self._rows_of(features, table)
            steps = round(FINE * share / sqrt(len(features))) if rows else 0
            none += steps * _ZERO * len(rows)
            for at in range(0, len(rows), _MOST_ROWS):
                for turn, added in enumerate(self._added(rows[at : at + _MOST_ROWS])):
                    totals[turn] += steps * added
        found = {}
        for each, (label, (bias, slope, shift)) in zip(self._parted(totals), self._heads.items(), strict=True):
            score = bias + (each - none) * self._step
            found[label] = 1 / (1 + exp(-max(-30.0, min(30.0, slope * score + shift))))
        return found

    def _rows_of(self, features: Iterable[str], table: int) -> list[int]:
        """The rows of these features, each as one long number; a feature that the table does not have has none."""
        keys, slots, all_rows, width = self._keys, self._slots, self._rows, len(self._heads)
        rows = []
        for feature in features:
            key = crc32(feature.encode(), table)
            slot = key >> _SLOT
            end = slots[slot + 1]
            place = bisect_left(keys, key, slots[slot], end)
            if place < end and keys[place] == key:
                rows.append(int.from_bytes(all_rows[place * width : (place + 1) * width], "little"))
        return rows

    def _added(self, rows: Sequence[int]) -> tuple[int, ...]:
        """The sums of rows in four numbers: labels take turns, so that each sum has room for being multiplied."""
        even = sum([row & self._every_second for row in rows])
        odd = (sum(rows) - even) >> _BYTE
        return tuple(each & self._every_fourth for each in (even, odd, even >> 2 * _BYTE, odd >> 2 * _BYTE))

    def _parted(self, totals: Sequence[int]) -> list[int]:
        """Every label's sum, out of the four numbers."""
        width = len(self._heads)
        sums = [0] * width
        for turn, total in enumerate(totals):
            count = len(range(turn, width, _LANE))
            sums[turn::_LANE] = struct.unpack(f"<{count}I", total.to_bytes(_LANE * count, "little"))
        return sums


@cache
def load_second_reader() -> SecondReader:
    """The reader that ships, read once."""
    return SecondReader((files("mailbot.understand") / "second_reader.bin").read_bytes())
