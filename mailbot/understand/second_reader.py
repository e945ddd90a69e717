"""What does one sentence say to a reader that learned from examples, beside the one that knows words and grammar?

It is linear: each word, each pair of words, each meaning, each pair of them, each finding of the lexicon, alone and
beside each meaning and each other finding, adds a little for or against every label of ``bench/sentences``. Meanings
are the same in every language (``bench/meanings``), so that what is learned of "clasp" and "broke" in one counts in
all. ``make reader`` learns the weights and writes ``second_reader.bin``.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import combinations, pairwise
from sys import intern

from mailbot.understand.findings import ReadSentence
from mailbot.understand.lexicons import Lexicon
from mailbot.understand.weights import Probabilities, Signs, Weights, unpack
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
_MANY = 4  # unexplained words
_LENGTHS = 10
_WORDS_A_LENGTH, _CHARACTERS_A_LENGTH = 3, 5

_FLAGS = ("supposes", "elsewhere", "asks", "asks_more", "reason_unread", "names_goods")  # of a sentence

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


def together(looks: Iterable[Signs]) -> Signs:
    """All that counts of several sentences; the lexicon's own words left out, which phrases stand for."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for look in looks:
        for name, signs in look.items():
            if not name.startswith(WORDS):
                found[name].update(signs)
    return found


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


class SecondReader:
    """What it sees in a sentence, and what that tells it."""

    __slots__ = ("_lines", "_stems", "_weights")

    def __init__(self, packed: bytes) -> None:
        """Unpack the file."""
        told, sections = unpack(packed)
        self._weights, self._lines = Weights(told, sections), sections[LINES]
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

    def look(self, sentence: ReadSentence, lexicon: Lexicon) -> Signs:
        """All that counts of a sentence; nothing for a language that it did not learn."""
        stems = self._stems.get(lexicon.language)
        return {} if stems is None else features_of(sentence, lexicon, stems)

    def tell(self, signs: Signs) -> Probabilities:
        """The probability of each label for what stands in a sentence; nothing where nothing was seen."""
        return self._weights.tell(signs) if signs else {}


@cache
def load_second_reader() -> SecondReader:
    """The reader that ships, read once."""
    return SecondReader((files("mailbot.understand") / "second_reader.bin").read_bytes())
