"""Which amounts of money a line of text names, each with the currency marks that stand next to it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice

from mailbot.model.money import DECIMALS

_NUMBER = re.compile(
    r"""(?<!\d)(?<!\d[.,'])
    (?P<minus>-\x20?)?
    (?P<whole>\d{1,3}(?P<group>[.,'\x20])\d{3}(?:(?P=group)\d{3}){0,3} | \d{1,2}(?:,\d{2}){1,3},\d{3} | \d{1,12})
    (?:[.,](?P<fraction>\d{1,4}))?
    (?:[.,]-{1,2})?
    (?![.,']?\d)""",
    re.VERBOSE | re.ASCII,
)
_NO_AMOUNT_BEFORE = re.compile(r"[^\W\d]|[#@]")
_NO_AMOUNT_BEHIND = re.compile(r" ?[%‰]|[/:]\d|-\d| - \d|[^\W\d]|@")
_LONGEST_WHOLE_BESIDE_LETTERS = 7
_LONGEST_MARK = 16
_MOST_MARKS = 2
_MOST_IN_A_LINE = 80
_THREE_DECIMALS = 3
_FIRST_IDEOGRAPH = "\u3000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What may stand beside an amount.

    Attributes:
        meanings: signs and words in lower case, or ISO 4217 codes in capitals, to the currencies that each may mean,
            likeliest first.
        everyday: those that are words of another meaning, too; they count only beside an amount with decimals.
    """

    meanings: Mapping[str, tuple[str, ...]]
    everyday: frozenset[str]

    def meaning(self, written: str, *, decimals: bool) -> tuple[str, ...]:
        """The currencies that ``written`` may mean beside an amount; empty where it is no mark."""
        for mark in (written, written.casefold()):
            if mark in self.meanings and (decimals or mark not in self.everyday):
                return self.meanings[mark]
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """One number that may be money, ``line[start:end]`` with its marks.

    Attributes:
        meanings: for each mark beside it, the currencies that it may mean, likeliest first; empty: no mark.
        whole, fraction: digits before and after the decimal sign; ``fraction`` is empty where there is none.
        lone_group: one group sign and three digits: ``1.234`` is thousands of euros, but decimals of dinars.
    """

    meanings: tuple[tuple[str, ...], ...]
    negative: bool
    whole: str
    fraction: str
    lone_group: bool
    start: int
    end: int

    def currencies(self) -> tuple[str, ...]:
        """What its marks may mean together, likeliest first (``$`` beside ``CAD`` is CAD); empty: nothing."""
        narrowest = min(self.meanings, key=len, default=())
        return tuple(code for code in narrowest if all(code in meaning for meaning in self.meanings))

    def value(self, currency: str) -> Decimal | None:
        """The amount as one of that currency; ``None`` where it shows decimals that the currency does not have."""
        decimals = DECIMALS[currency]
        whole, fraction = self.whole, self.fraction
        if self.lone_group and decimals == _THREE_DECIMALS:
            whole, fraction = whole[:-3], whole[-3:]
        if fraction[decimals:].strip("0"):
            return None
        value = Decimal(f"{whole}.{fraction[:decimals]}" if fraction[:decimals] else whole)
        return -value if self.negative else value


def find_amounts(line: str, marks: Marks) -> list[Amount]:
    """Every number of a line that may be an amount: no percentages, times, or parts of numbers and words.

    Only the first 80 numbers are looked at.

    Digits are grouped by point, comma, apostrophe or space, in threes or as in India, and parted from the
    decimals by point or comma: ``1.234,56``, ``1,234.56``, ``1 234,56``, ``1'234.56``, ``1,23,456.00``, ``49,-``.

    Args:
        line: one line with ASCII digits, spaces, hyphens and apostrophes only; dates should be blanked out.
        marks: what may stand beside an amount.
    """
    found: list[Amount] = []
    for match in islice(_NUMBER.finditer(line), _MOST_IN_A_LINE):
        amount = _amount(line, match, found[-1].end if found else 0, marks)
        if amount is not None:
            found.append(amount)
    return found


def _amount(line: str, match: re.Match[str], floor: int, marks: Marks) -> Amount | None:
    whole, fraction = re.sub(r"\D", "", match["whole"]), match["fraction"] or ""
    lone_group = not fraction and match["group"] in {".", ","} and len(match["whole"]) <= len("123.456")
    if lone_group and whole.startswith("0"):
        lone_group, whole, fraction = False, whole[:-3], whole[-3:]
    before, start = _marks_before(line, match.start(), floor, marks, decimals=bool(fraction))
    behind, end = _marks_behind(line, match.end(), marks, decimals=bool(fraction))
    if behind and (before or not fraction) and _NUMBER.match(line, end + (line[end : end + 1] == " ")):
        behind, end = [], match.end()
        if not before:
            return None
    attached = line[match.start() - 1 : match.start()].isalpha()
    if attached and not fraction and len(whole) > _LONGEST_WHOLE_BESIDE_LETTERS:
        return None
    if not before and _NO_AMOUNT_BEFORE.match(line[start - 1 : start]):
        return None
    if not behind and _NO_AMOUNT_BEHIND.match(line, end):
        return None
    return Amount(
        meanings=(*before, *behind),
        negative=match["minus"] is not None or (bool(before) and line[start - 1 : start] == "-"),
        whole=whole,
        fraction=fraction,
        lone_group=lone_group,
        start=start,
        end=end,
    )


def _marks_before(
    line: str, place: int, floor: int, marks: Marks, *, decimals: bool
) -> tuple[list[tuple[str, ...]], int]:
    found: list[tuple[str, ...]] = []
    for _ in range(_MOST_MARKS):
        end = place - (place > floor and line[place - 1] == " ")
        if line[end - 1 : end].isdigit():
            break
        for start in range(max(floor, end - _LONGEST_MARK), end):
            meaning = marks.meaning(line[start:end], decimals=decimals)
            if meaning and not (start and _one_word(line[start - 1], line[start])):
                found.append(meaning)
                place = start
                break
        else:
            break
    return found, place


def _marks_behind(line: str, place: int, marks: Marks, *, decimals: bool) -> tuple[list[tuple[str, ...]], int]:
    found: list[tuple[str, ...]] = []
    for _ in range(_MOST_MARKS):
        start = place + (line[place : place + 1] == " ")
        if line[start : start + 1].isdigit():
            break
        for end in range(min(len(line), start + _LONGEST_MARK), start, -1):
            meaning = marks.meaning(line[start:end], decimals=decimals)
            if meaning and not _one_word(line[end - 1], line[end : end + 1]):
                found.append(meaning)
                place = end
                break
        else:
            break
    return found, place


def _one_word(left: str, right: str) -> bool:
    return left.isalpha() and right.isalpha() and max(left, right) < _FIRST_IDEOGRAPH
