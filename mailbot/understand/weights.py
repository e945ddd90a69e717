"""What was learned of many small signs: each adds a little for or against every label, and a sum becomes a chance.

Weights are whole numbers of one byte. Keys and rows are plain bytes, which processes that were forked go on to share.
"""

import json
import struct
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import accumulate
from math import exp, sqrt
from typing import Any
from zlib import crc32

FINE = 1024  # steps of how much a table's rows count
_LANE = 4  # bytes that one label's sum takes
_BYTE = 8  # bits
_MOST_ROWS = 256  # that can be added in two bytes a label
_ZERO = 128  # the byte that stands for a weight of nothing
_SLOT = 16  # bits of a key that name its slot

Signs = Mapping[str, Collection[str]]
"""What counts, by the table that has the weights; those of one table share its whole weight."""
Probabilities = Mapping[str, float]


def key_of(sign: str, table: int) -> int:
    """Four bytes that stand for a sign of a table, which has four bytes of its own."""
    return crc32(sign.encode(), table)


def unpack(packed: bytes) -> tuple[dict[str, Any], dict[str, bytes]]:
    """What a file tells of itself in its first line, and the compressed ``sections`` that it names."""
    head, _, body = packed.partition(b"\n")
    told: dict[str, Any] = json.loads(head)
    places = told["sections"].items()
    return told, {name: zlib.decompress(body[start : start + length]) for name, (start, length) in places}


class Weights:
    """One row of small whole numbers a sign, one number a label; a row is found by its sign's key."""

    __slots__ = ("_every_fourth", "_every_second", "_heads", "_keys", "_rows", "_slots", "_step", "_tables")

    def __init__(self, told: Mapping[str, Any], sections: Mapping[str, bytes]) -> None:
        """Take what ``unpack`` gives."""
        self._heads: dict[str, tuple[float, float, float]] = told["labels"]
        self._tables = {name: (key_of(name, 0), share) for name, share in told["tables"].items()}
        self._step: float = told["step"]
        width = len(self._heads)
        self._every_second = int.from_bytes((b"\xff\0" * width)[:width], "little")
        self._every_fourth = int.from_bytes((b"\xff\xff\0\0" * width)[: width + _LANE], "little")
        self._rows = sections["rows"]
        self._keys = array("I", struct.unpack(f"<{len(sections['keys']) // 4}I", sections["keys"]))
        counts = array("I", bytes(4 * (1 << _SLOT) + 4))
        for key in self._keys:
            counts[(key >> _SLOT) + 1] += 1
        self._slots = array("I", accumulate(counts))

    def tell(self, signs: Signs) -> Probabilities:
        """The probability of each label."""
        totals, none = [0] * _LANE, 0
        for name, each in signs.items():
            table, share = self._tables[name]
            rows = self._rows_of(each, table)
            steps = round(FINE * share / sqrt(len(each))) if rows else 0
            none += steps * _ZERO * len(rows)
            for at in range(0, len(rows), _MOST_ROWS):
                for turn, added in enumerate(self._added(rows[at : at + _MOST_ROWS])):
                    totals[turn] += steps * added
        found = {}
        for much, (label, (bias, slope, shift)) in zip(self._parted(totals), self._heads.items(), strict=True):
            score = bias + (much - none) * self._step
            found[label] = 1 / (1 + exp(-max(-30.0, min(30.0, slope * score + shift))))
        return found

    def _rows_of(self, signs: Iterable[str], table: int) -> list[int]:
        """The rows of these signs, each as one long number; a sign that the table does not have has none."""
        keys, slots, all_rows, width = self._keys, self._slots, self._rows, len(self._heads)
        rows = []
        for sign in signs:
            key = crc32(sign.encode(), table)
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
