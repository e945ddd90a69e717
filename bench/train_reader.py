"""Teaches the second reader: ``bench/sentences/*.tsv`` to ``mailbot/understand/second_reader.bin``.

``make reader`` runs it: some minutes, the same file from the same sentences. One logistic regression for each label,
over all languages at once: what the grammar sees counts alike in all, words and letters in their own language.
Probabilities are calibrated on sentences that the weights for them were not learned from.
"""

import json
import sys
import zlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import accumulate
from math import sqrt
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.examples import Example, examples, fingerprints, read_example
from mailbot.understand import second_reader
from mailbot.understand.lexicons import Lexicon, load_lexicons
from mailbot.understand.second_reader import LINES, RUNS, SIGNS, WORDS, entries_of, runs_of, signs_of

Table = npt.NDArray[np.float32]
Features = Mapping[str, Mapping[str, float]]
"""Table name, feature, how much of it."""

FILE = Path(second_reader.__file__).with_name("second_reader.bin")
_LEAST_SEEN = 2  # sentences that a feature stands in
_SIGN = 0.5  # how much a finding of the grammar counts beside a sentence's own words
_FREEDOM = 10.0  # of the weights: the inverse of the penalty on their squares
_STEPS = 90
_FOLDS = 3
_LEAST_WEIGHT = 3  # of 127: a row with less in it is left out
_SMALLEST_STEP = 1e-9


def main() -> int:
    """Learn, calibrate, write."""
    taught = [example for example in examples() if not example.held_back]
    lexicons = load_lexicons()
    told = {language: _told(lexicons[language]) for language in {example.language for example in taught}}
    seen = [features(example, told[example.language]) for example in taught]
    labels = sorted({label for example in taught for label in example.labels})
    truth = np.array([[label in example.labels for label in labels] for example in taught], np.float32)
    columns = _columns(seen)
    kernel = _kernel(seen, columns)
    folds = np.array([example.part % _FOLDS for example in taught])
    scores = np.zeros_like(truth)
    for fold in range(_FOLDS):
        known, asked = folds != fold, folds == fold
        scores[asked] = kernel[np.ix_(asked, known)] @ learn(kernel[np.ix_(known, known)], truth[known])
    calibration = [calibrate(scores[:, place], truth[:, place]) for place in range(len(labels))]
    alphas = learn(kernel, truth)
    weights = _weights(seen, columns, alphas)
    bias = alphas.sum(axis=0)
    write(labels, weights, bias, calibration, told)
    return 0


def features(example: Example, told: Mapping[str, Mapping[str, float]]) -> Features:
    """What the second reader sees in a sentence; what a word tells by the lexicon stands under ``WORDS``."""
    sentence, lexicon = read_example(example)
    words = sentence.wording.words
    runs = runs_of(words, spaced=lexicon.spaced)
    tells: Counter[str] = Counter()
    for word in entries_of(words, lexicon):
        tells.update(told.get(word, {}))
    return {
        RUNS + example.language: dict.fromkeys(runs, 1 / sqrt(len(runs))),
        SIGNS: dict.fromkeys(signs_of(sentence), _SIGN),
        WORDS: {name: much * _SIGN for name, much in tells.items()},
    }


def _told(lexicon: Lexicon) -> dict[str, dict[str, float]]:
    """For each word of a lexicon, the tables whose phrases use it: the squared share of each."""
    if not lexicon.spaced:
        return {}
    used: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    for rule in lexicon.rules:
        words = list(rule.phrase.words)
        for word in words:
            used[word][f"{rule.kind} {rule.value}"] += 1 / sqrt(len(words))
    return {
        word: {name: (much / sum(names.values())) ** 2 for name, much in names.items()} for word, names in used.items()
    }


def _columns(seen: Sequence[Features]) -> dict[tuple[str, str], int]:
    counts = Counter((table, name) for row in seen for table, names in row.items() for name in names)
    return {key: place for place, key in enumerate(sorted(k for k, count in counts.items() if count >= _LEAST_SEEN))}


def _sparse(row: Features, columns: Mapping[tuple[str, str], int]) -> tuple[list[int], list[float]]:
    found = [
        (columns[table, name], much)
        for table, names in row.items()
        for name, much in names.items()
        if (table, name) in columns
    ]
    return [place for place, _ in found], [much for _, much in found]


def _kernel(rows: Sequence[Features], columns: Mapping[tuple[str, str], int]) -> Table:
    """How much each two sentences have in common, and one for the bias."""
    by_column: defaultdict[int, list[tuple[int, float]]] = defaultdict(list)
    kernel = np.ones((len(rows), len(rows)), np.float32)
    common = {place for (table, _), place in columns.items() if table in {SIGNS, WORDS}}
    dense = np.zeros((len(rows), len(common)), np.float32)
    at = {place: number for number, place in enumerate(sorted(common))}
    for number, row in enumerate(rows):
        for place, much in zip(*_sparse(row, columns), strict=True):
            if place in at:
                dense[number, at[place]] = much
            else:
                by_column[place].append((number, much))
    kernel += dense @ dense.T
    for column in by_column.values():
        numbers = np.array([number for number, _ in column])
        much = np.array([each for _, each in column], np.float32)
        kernel[np.ix_(numbers, numbers)] += np.outer(much, much)
    return kernel


def learn(kernel: Table, truth: Table) -> Table:
    """Logistic regression with a penalty on squared weights, by the sentences that each weight is a sum over."""
    vector = np.ones(len(kernel), np.float32)
    for _ in range(20):
        vector = kernel @ vector
        vector /= np.linalg.norm(vector)
    step = 1 / (0.25 * 1.05 * float(vector @ (kernel @ vector)) + 1 / _FREEDOM)
    alphas = ahead = np.zeros_like(truth)
    pace = 1.0
    for _ in range(_STEPS):
        given = 1 / (1 + np.exp(-(kernel @ ahead)))
        following = ahead - step * (given - truth + ahead / _FREEDOM)
        quicker = (1 + sqrt(1 + 4 * pace * pace)) / 2
        ahead = following + (pace - 1) / quicker * (following - alphas)
        alphas, pace = following, quicker
    return alphas


def calibrate(scores: Table, truth: Table) -> tuple[float, float]:
    """Slope and shift (Platt) that make a score a probability, learned by Newton's method with smoothed targets."""
    hits = float(truth.sum())
    high, low = (hits + 1) / (hits + 2), 1 / (len(truth) - hits + 2)
    wanted = np.where(truth > 0, high, low)
    both = np.stack([scores, np.ones_like(scores)], axis=1).astype(np.float64)
    found = np.array([1.0, 0.0])
    for _ in range(50):
        given = 1 / (1 + np.exp(-both @ found))
        slope = both.T @ (given - wanted)
        bend = (both * (given * (1 - given))[:, None]).T @ both + 1e-6 * np.eye(2)
        step = np.linalg.solve(bend, slope)
        found -= step
        if np.abs(step).max() < _SMALLEST_STEP:
            break
    return float(found[0]), float(found[1])


def _weights(
    rows: Sequence[Features], columns: Mapping[tuple[str, str], int], alphas: Table
) -> dict[str, dict[str, Table]]:
    found = np.zeros((len(columns), alphas.shape[1]), np.float32)
    for row, alpha in zip(rows, alphas, strict=True):
        places, much = _sparse(row, columns)
        found[places] += np.outer(much, alpha)
    tables: defaultdict[str, dict[str, Table]] = defaultdict(dict)
    for (table, name), place in columns.items():
        tables[table][name] = found[place]
    return dict(tables)


def write(
    labels: Sequence[str],
    weights: Mapping[str, Mapping[str, Table]],
    bias: Table,
    calibration: Sequence[tuple[float, float]],
    told: Mapping[str, Mapping[str, Mapping[str, float]]],
) -> None:
    """Round every weight to a byte and write the file that ``SecondReader`` reads."""
    tables = {name: dict(rows) for name, rows in weights.items() if name != WORDS}
    tables[SIGNS] = {name: row * _SIGN for name, row in tables[SIGNS].items()}
    for language, words in sorted(told.items()):
        if words:
            tables[WORDS + language] = {
                word: sum(
                    (weights[WORDS][name] * much * _SIGN for name, much in names.items() if name in weights[WORDS]),
                    start=np.zeros(len(labels), np.float32),
                )
                for word, names in words.items()
            }
    packed, sections = [], {}
    for name, rows in sorted(tables.items()):
        scale = float(np.quantile(np.abs(np.stack(list(rows.values()))).max(axis=1), 0.999)) / 127
        small = {key: np.clip(np.rint(row / scale), -127, 127) for key, row in sorted(rows.items())}
        kept = {key: row for key, row in small.items() if np.abs(row).max() >= _LEAST_WEIGHT}
        body = b"".join((row + 128).astype(np.uint8).tobytes() for row in kept.values())
        packed.append(zlib.compress("\n".join(kept).encode() + b"\0" + body, 9))
        sections[name] = (len(packed[-1]), scale, len(kept))
    packed.append(zlib.compress(b"".join(sorted(fingerprints())), 9))
    sections[LINES] = (len(packed[-1]), 0.0, 0)
    starts = [0, *accumulate(map(len, packed))]
    head = {
        "labels": {
            label: [round(float(value), 5) for value in (bias[place], *calibration[place])]
            for place, label in enumerate(labels)
        },
        "sections": {
            name: [start, length, scale]
            for start, (name, (length, scale, _)) in zip(starts, sections.items(), strict=False)
        },
    }
    FILE.write_bytes(json.dumps(head, separators=(",", ":")).encode() + b"\n" + b"".join(packed))
    print(f"{FILE.name}: {FILE.stat().st_size / 1e6:.2f} MB")
    for name, (length, scale, rows) in sections.items():
        print(f"  {name}: {rows} rows, {length} bytes, scale {scale:.4f}")


if __name__ == "__main__":
    sys.exit(main())
