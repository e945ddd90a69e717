"""Logistic regression over many small signs, one for each label, and the file of ``mailbot.understand.weights``."""

import json
import zlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from mailbot.understand.second_reader import (
    MEANINGS,
    PAIRS,
    RUNS,
    SHAPE,
    SIGNS,
    SIGNS_TOGETHER,
    SIGNS_WITH,
    WORDS,
)
from mailbot.understand.weights import FINE, key_of

Table = npt.NDArray[np.float32]
Sparse = tuple[npt.NDArray[np.intp], Table]
"""The columns of one text's signs, and how much of each."""
Features = Mapping[str, Mapping[str, float]]
"""Table name, sign, how much of it."""

_LEAST_SEEN = 4  # texts that a sign stands in
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
_BLIND = 0.3  # of the texts
_DROPPED = 0.1  # of a text's signs, each time anew
_RARELY = -3.0  # where every label's score begins: few texts have it
_SEED = 4
_LEAST_WEIGHT = 8  # of 127: a row with less in it is left out
_SMALLEST_STEP = 1e-9


def share(table: str) -> float:
    """How much a table counts."""
    return _SHARES[table.partition(".")[0]]


def columns_of(seen: Sequence[Features]) -> dict[tuple[str, str], int]:
    """A number for each sign that stands in several texts."""
    counts = Counter((table, name) for row in seen for table, names in row.items() for name in names)
    kept = sorted(key for key, count in counts.items() if count >= _LEAST_SEEN)
    return {key: place for place, key in enumerate(kept)}


def sparse(row: Features, columns: Mapping[tuple[str, str], int]) -> Sparse:
    """What of a text has a number."""
    found = sorted(
        (columns[table, name], much)
        for table, names in row.items()
        for name, much in names.items()
        if (table, name) in columns
    )
    return np.array([place for place, _ in found], np.intp), np.array([much for _, much in found], np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Learning:
    """Logistic regression, text by text in a drawn order; each weight has a pace of its own (AdaGrad).

    A sign that is seen rarely learns as quickly as one that stands everywhere. What keeps the weights small is that
    learning stops early.

    Attributes:
        rows: the signs of each text.
        blind: the same without what the grammar sees. The lexicons were tuned on some of the sentences, so that in
            them the grammar sees more than it will in mails; now and then it must do without.
        truth: 1 for each label that a text has, else 0.
        columns: how many signs there are.
    """

    rows: Sequence[Sparse]
    blind: Sequence[Sparse]
    truth: Table
    columns: int

    @classmethod
    def of(cls, seen: Sequence[Features], truth: Table, columns: Mapping[tuple[str, str], int]) -> "Learning":
        """Of texts as they were seen."""
        blind = ({name: each for name, each in row.items() if not name.startswith(SIGNS)} for row in seen)
        return cls(
            rows=[sparse(row, columns) for row in seen],
            blind=[sparse(row, columns) for row in blind],
            truth=truth,
            columns=len(columns),
        )

    def run(self, known: npt.NDArray[np.intp]) -> tuple[Table, Table]:
        """The weights of each feature and the bias, label by label, from the texts of these numbers."""
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


def by_table(weights: Table, columns: Mapping[tuple[str, str], int]) -> dict[str, dict[str, Table]]:
    """The row of each sign of each table."""
    tables: defaultdict[str, dict[str, Table]] = defaultdict(dict)
    for (table, name), place in columns.items():
        tables[table][name] = weights[place]
    return tables


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


def packed(
    heads: Mapping[str, Sequence[float]], tables: Mapping[str, Mapping[str, Table]], sections: Mapping[str, bytes]
) -> bytes:
    """Round every weight to a byte: the file that ``mailbot.understand.weights`` reads.

    Args:
        heads: bias, slope and shift of each label.
        tables: a row for each sign of each table.
        sections: what else the file holds.
    """
    scales = {
        name: float(np.quantile(np.abs(np.stack(list(rows.values()))).max(axis=1), 0.999)) / 127
        for name, rows in tables.items()
    }
    kept: dict[int, bytes] = {}
    for name, rows in tables.items():
        for sign, row in rows.items():
            rounded = np.clip(np.rint(row / scales[name]), -127, 127)
            if np.abs(rounded).max() >= _LEAST_WEIGHT:
                kept[key_of(sign, key_of(name, 0))] = (rounded + 128).astype(np.uint8).tobytes()
    parts = {
        "keys": b"".join(key.to_bytes(4, "little") for key in sorted(kept)),
        "rows": b"".join(kept[key] for key in sorted(kept)),
        **sections,
    }
    small = {name: zlib.compress(part, 9) for name, part in parts.items()}
    starts = accumulate(map(len, small.values()), initial=0)
    widest = max(scales.values())
    head = {
        "labels": dict(heads),
        "tables": {name: scale / widest for name, scale in sorted(scales.items())},
        "step": widest / FINE,
        "sections": {name: [start, len(part)] for start, (name, part) in zip(starts, small.items(), strict=False)},
    }
    return json.dumps(head, separators=(",", ":")).encode() + b"\n" + b"".join(small.values())
