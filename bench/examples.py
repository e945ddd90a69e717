"""The labelled sentences that the second reader learns from, and the tenth of them that it never sees."""

import hashlib
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from mailbot.understand.findings import ReadSentence, read_sentence
from mailbot.understand.lexicons import Lexicon, load_lexicons
from mailbot.understand.second_reader import FINGERPRINT, SecondReader
from mailbot.understand.stated_dates import find_dates
from mailbot.understand.wording import word_sentence

SENTENCES = Path(__file__).parent / "sentences"
WRITTEN_ON = date(2026, 5, 12)
CLEAN = range(7, 10)  # parts that the lexicons were not tuned on
_PARTS = 10
_SEED = 5
_STOPS, _JOINTS = " .!\u3002\uff01", (", ", " - ", " ")
_SAYS_NOTHING = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One line of ``sentences/<language>.tsv``.

    Attributes:
        part: 0 to 9, by the sentence alone; part 0 is held back from training.
    """

    language: str
    labels: frozenset[str]
    text: str
    part: int

    @property
    def held_back(self) -> bool:
        """Whether it only measures."""
        return self.part == 0


def examples() -> list[Example]:
    """Every line of every language, in the order of the files."""
    return [example for file in sorted(SENTENCES.glob("*.tsv")) for example in _examples(file)]


def _examples(file: Path) -> Iterator[Example]:
    for line in file.read_text(encoding="utf-8").splitlines():
        labels, _, text = line.partition("\t")
        part = int(hashlib.sha256(text.encode()).hexdigest(), 16) % _PARTS
        told = labels.split()
        told += {f"any.{label.partition('.')[0]}" for label in told if label.startswith(("reason.", "asks."))}
        yield Example(language=file.stem, labels=frozenset(told), text=text, part=part)


def joined(single: Sequence[Example]) -> list[Example]:
    """Half of the sentences with another of their language and part behind them: customers say much in one breath."""
    draw, found = random.Random(_SEED), []
    groups: defaultdict[tuple[str, int], list[Example]] = defaultdict(list)
    for example in single:
        groups[example.language, example.part].append(example)
    for group in groups.values():
        for first in draw.sample(group, len(group) // 2):
            second = draw.choice(group)
            text = f"{first.text.rstrip(_STOPS)}{draw.choice(_JOINTS)}{second.text}"
            labels = first.labels | second.labels
            said = labels - {_SAYS_NOTHING} or labels
            found.append(Example(language=first.language, labels=said, text=text, part=first.part))
    return found


def fingerprints() -> frozenset[bytes]:
    """Four bytes of SHA-256 for each sentence with its labels."""
    lines = (f"{each.language}\t{' '.join(sorted(each.labels))}\t{each.text}" for each in examples())
    return frozenset(hashlib.sha256(line.encode()).digest()[:FINGERPRINT] for line in lines)


def read_example(example: Example) -> tuple[ReadSentence, Lexicon]:
    """A sentence as the grammar reads it in a mail of that language."""
    lexicon, text = load_lexicons()[example.language], example.text
    stretch = (0, len(text))
    dates = find_dates(text, stretch, lexicon.dates, asked_on=WRITTEN_ON, day_first=True)
    wording = word_sentence(text, stretch, spelling=lexicon.spelling, known=lexicon.vocabulary.exact, dates=dates)
    asks = not {"?", "\uff1f"}.isdisjoint(text[-4:])
    return read_sentence(text, "body", wording, lexicon, asks=asks), lexicon


def read_held_back(reader: SecondReader) -> list[tuple[Example, dict[str, float]]]:
    """What the second reader makes of each sentence that it never saw."""
    return [(each, dict(reader.tell(reader.look(*read_example(each))))) for each in examples() if each.held_back]
