"""Teaches the second reader: ``bench/sentences/*.tsv`` to ``mailbot/understand/second_reader.bin``.

``make reader`` runs it: some minutes, the same file from the same sentences. One logistic regression for each label,
over all languages at once: what the grammar sees and what words mean counts alike in all, words in one.
Probabilities are calibrated on sentences that the weights for them were not learned from.
"""

import json
import sys
import zlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import sqrt
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.examples import Example, examples, fingerprints, joined, read_example
from bench.stems import stems_of
from mailbot.understand import second_reader
from mailbot.understand.lexicons import Lexicon, load_lexicons
from mailbot.understand.second_reader import (
    FINE,
    LINES,
    MEANINGS,
    PAIRS,
    RUNS,
    SHAPE,
    SIGNS,
    SIGNS_TOGETHER,
    SIGNS_WITH,
    STEMS,
    WORDS,
    Stems,
    features_of,
    key_of,
)

Table = npt.NDArray[np.float32]
Sparse = tuple[npt.NDArray[np.intp], Table]
"""The columns of one sentence's features, and how much of each."""
Features = Mapping[str, Mapping[str, float]]
"""Table name, feature, how much of it."""

FILE = Path(second_reader.__file__).with_name("second_reader.bin")
_LEAST_SEEN = 4  # sentences that a feature stands in
_SHARES = {
    RUNS.rstrip("."): 4.0,
    WORDS.rstrip("."): 0.5,
    SIGNS: 1.5,
    SIGNS_TOGETHER: 1.0,
    SIGNS_WITH: 2.0,
    SHAPE: 0.6,
    MEANINGS: 2.0,
    PAIRS: 1.4,
}
"""How much the features of each table count beside those of the others."""
_ROUNDS = 6
_PACE = 0.4
_BLIND = 0.3  # of the sentences
_DROPPED = 0.1  # of a sentence's features, each time anew
_RARELY = -3.0  # where every label's score begins: few sentences have it
_SEED = 4
_CLEAN = range(7, 10)  # parts that the lexicons were not tuned on
_LEAST_WEIGHT = 8  # of 127: a row with less in it is left out
_SMALLEST_STEP = 1e-9


def main() -> int:
    """Learn, calibrate, write."""
    taught = [example for example in examples() if not example.held_back]
    taught += joined(taught)
    lexicons = load_lexicons()
    languages = {example.language for example in taught}
    told = {language: _told(lexicons[language]) for language in languages}
    stems = {language: stems_of(lexicons[language]) for language in languages}
    seen = [features(example, told[example.language], stems[example.language]) for example in taught]
    labels = sorted({label for example in taught for label in example.labels})
    truth = np.array([[label in example.labels for label in labels] for example in taught], np.float32)
    columns = _columns(seen)
    rows = [_sparse(row, columns) for row in seen]
    blind = [
        _sparse({table: names for table, names in row.items() if not table.startswith(SIGNS)}, columns) for row in seen
    ]
    learning = Learning(rows=rows, blind=blind, truth=truth, columns=len(columns))
    asked = np.array([example.part in _CLEAN for example in taught])
    weights, bias = learning.run(np.flatnonzero(~asked))
    scores = np.stack([much @ weights[places] + bias for places, much in (rows[at] for at in np.flatnonzero(asked))])
    calibration = [calibrate(scores[:, place], truth[asked, place]) for place in range(len(labels))]
    weights, bias = learning.run(np.arange(len(rows)))
    tables: defaultdict[str, dict[str, Table]] = defaultdict(dict)
    for (table, name), place in columns.items():
        tables[table][name] = weights[place]
    heads = {
        label: [round(float(value), 5) for value in (bias[place], *calibration[place])]
        for place, label in enumerate(labels)
    }
    write(heads, tables, told, stems)
    return 0


def features(example: Example, told: Mapping[str, Mapping[str, float]], stems: Stems) -> Features:
    """What the second reader sees in a sentence; what a word tells by the lexicon stands under ``WORDS``."""
    sentence, lexicon = read_example(example)
    found: dict[str, Mapping[str, float]] = {}
    for table, names in features_of(sentence, lexicon, stems).items():
        share = _share(table) / sqrt(max(1, len(names)))
        if table.startswith(WORDS):
            tells: Counter[str] = Counter()
            for word in names:
                tells.update(told.get(word, {}))
            found[WORDS] = {name: much * share for name, much in tells.items()}
        else:
            found[table] = dict.fromkeys(names, share)
    return found


def _share(table: str) -> float:
    return _SHARES[table.partition(".")[0]]


def _told(lexicon: Lexicon) -> dict[str, dict[str, float]]:
    """For each word of a lexicon, the tables whose phrases use it: the squared share of each."""
    if not lexicon.spaced:
        return {}
    used: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    for rule in lexicon.rules:
        words = rule.phrase.listed.split()
        for word in words:
            used[word][f"{rule.kind} {rule.value}"] += 1 / sqrt(len(words))
    return {
        word: {name: (much / sum(names.values())) ** 2 for name, much in names.items()} for word, names in used.items()
    }


def _columns(seen: Sequence[Features]) -> dict[tuple[str, str], int]:
    counts = Counter((table, name) for row in seen for table, names in row.items() for name in names)
    kept = sorted(key for key, count in counts.items() if count >= _LEAST_SEEN)
    return {key: place for place, key in enumerate(kept)}


def _sparse(row: Features, columns: Mapping[tuple[str, str], int]) -> Sparse:
    found = sorted(
        (columns[table, name], much)
        for table, names in row.items()
        for name, much in names.items()
        if (table, name) in columns
    )
    return np.array([place for place, _ in found], np.intp), np.array([much for _, much in found], np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Learning:
    """Logistic regression, sentence by sentence in a drawn order; each weight has a pace of its own (AdaGrad).

    A feature that is seen rarely learns as quickly as one that stands everywhere. What keeps the weights small is that
    learning stops early.

    Attributes:
        rows: the features of each sentence.
        blind: the same without what the grammar sees. The lexicons were tuned on some of the sentences, so that in
            them the grammar sees more than it will in mails; now and then it must do without.
        truth: 1 for each label that a sentence has, else 0.
        columns: how many features there are.
    """

    rows: Sequence[Sparse]
    blind: Sequence[Sparse]
    truth: Table
    columns: int

    def run(self, known: npt.NDArray[np.intp]) -> tuple[Table, Table]:
        """The weights of each feature and the bias, label by label, from the sentences of these numbers."""
        weights = np.zeros((self.columns, self.truth.shape[1]), np.float32)
        moved = np.ones_like(weights)
        bias = np.full(self.truth.shape[1], _RARELY, np.float32)
        bias_moved = np.ones_like(bias)
        draw = np.random.default_rng(_SEED)
        for _ in range(_ROUNDS):
            for number in draw.permutation(known):
                places, much = (self.blind if draw.random() < _BLIND else self.rows)[number]
                kept = draw.random(len(places)) >= _DROPPED
                places, much = places[kept], much[kept] / np.float32(1 - _DROPPED)
                here = weights[places]
                error = 1 / (1 + np.exp(-(much @ here + bias))) - self.truth[number]
                slope = much[:, None] * error
                pace = moved[places] + slope * slope
                moved[places] = pace
                weights[places] = here - _PACE * slope / np.sqrt(pace)
                bias_moved += error * error
                bias -= _PACE * error / np.sqrt(bias_moved)
        return weights, bias


def calibrate(scores: Table, truth: Table) -> tuple[float, float]:
    """Slope and shift (Platt) that make a score a probability, learned by Newton's method with smoothed targets."""
    hits = float(truth.sum())
    high, low = (hits + 1) / (hits + 2), 1 / (len(truth) - hits + 2)
    wanted = np.where(truth > 0, high, low)
    both = np.stack([scores, np.ones_like(scores)], axis=1).astype(np.float64)

    def cost(found: npt.NDArray[np.float64]) -> float:
        given = both @ found
        return float((np.logaddexp(0, given) - wanted * given).sum())

    found = np.array([1.0, 0.0])
    for _ in range(50):
        given = 1 / (1 + np.exp(-both @ found))
        slope = both.T @ (given - wanted)
        bend = (both * (given * (1 - given))[:, None]).T @ both + 1e-6 * np.eye(2)
        step = np.linalg.solve(bend, slope)
        while cost(found - step) > cost(found) and np.abs(step).max() >= _SMALLEST_STEP:
            step /= 2
        found = found - step
        if np.abs(step).max() < _SMALLEST_STEP:
            break
    return float(found[0]), float(found[1])


def write(
    heads: Mapping[str, Sequence[float]],
    weights: Mapping[str, Mapping[str, Table]],
    told: Mapping[str, Mapping[str, Mapping[str, float]]],
    stems: Mapping[str, Stems],
) -> None:
    """Round every weight to a byte and write the file that ``SecondReader`` reads.

    Args:
        heads: bias, slope and shift of each label.
        weights: a row for each feature of each table.
        told: what the words of each lexicon tell.
        stems: what words mean, by language.
    """
    tables = {
        name: {key: row * _share(name) for key, row in rows.items()} for name, rows in weights.items() if name != WORDS
    }
    tells = {name: row * _share(WORDS) for name, row in weights[WORDS].items()}
    for language, words in sorted(told.items()):
        if words:
            tables[WORDS + language] = {
                word: sum(
                    (tells[name] * much for name, much in names.items() if name in tells),
                    start=np.zeros(len(heads), np.float32),
                )
                for word, names in words.items()
            }
    scales = {
        name: float(np.quantile(np.abs(np.stack(list(rows.values()))).max(axis=1), 0.999)) / 127
        for name, rows in tables.items()
    }
    kept: dict[int, bytes] = {}
    for name, rows in tables.items():
        for feature, row in rows.items():
            small = np.clip(np.rint(row / scales[name]), -127, 127)
            if np.abs(small).max() >= _LEAST_WEIGHT:
                kept[key_of(feature, key_of(name, 0))] = (small + 128).astype(np.uint8).tobytes()
    parts = {
        "keys": b"".join(key.to_bytes(4, "little") for key in sorted(kept)),
        "rows": b"".join(kept[key] for key in sorted(kept)),
        LINES: b"".join(sorted(fingerprints())),
    }
    for language, known in sorted(stems.items()):
        lines = (" ".join((stem, *names)) for stem, names in sorted(known.items()))
        parts[f"{STEMS}{language}"] = "\n".join(lines).encode()
    packed = {name: zlib.compress(part, 9) for name, part in parts.items()}
    starts = accumulate(map(len, packed.values()), initial=0)
    widest = max(scales.values())
    head = {
        "labels": dict(heads),
        "tables": {name: scale / widest for name, scale in sorted(scales.items())},
        "step": widest / FINE,
        "sections": {name: [start, len(part)] for start, (name, part) in zip(starts, packed.items(), strict=False)},
    }
    FILE.write_bytes(json.dumps(head, separators=(",", ":")).encode() + b"\n" + b"".join(packed.values()))
    print(f"{FILE.name}: {FILE.stat().st_size / 1e6:.2f} MB, {len(kept)} rows")


if __name__ == "__main__":
    sys.exit(main())
