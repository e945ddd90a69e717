"""Which calendar days a line of text names, in the ways that invoices and customers write them."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice

_EARLIEST_YEAR, _LATEST_YEAR = 1990, 2099
_CENTURY = 2000
_MOST = 20
_MONTHS_A_YEAR = 12
_YEAR_FIRST = re.compile(
    r"""(?<![\w.,/-])(?P<y>\d{4})(?:年\x20?|(?P<sep>[-./])\x20?)(?P<m>\d{1,2})(?:月\x20?|(?(sep)(?P=sep)))
    \x20?(?P<d>\d{1,2})(?:日|(?![\d/]))""",
    re.ASCII | re.VERBOSE,
)
_OF_ERA = re.compile(r"(?P<era>令和|平成) ?(?P<y>\d{1,2}|元) ?年 ?(?P<m>\d{1,2}) ?月 ?(?P<d>\d{1,2}) ?日", re.ASCII)
_ERAS = {"令和": 2018, "平成": 1988}  # the year before an era's first
_NUMERIC = re.compile(
    r"(?<![\w.,/-])(?P<a>\d{1,2})(?P<sep>[./-]) ?(?P<b>\d{1,2})(?P=sep) ?(?P<y>\d{4}|\d{2})(?![\w/-])", re.ASCII
)
_DAY_MONTH_NAME = re.compile(
    r"""(?<![\w.,/-])(?P<d>[0-9]{1,2})(?:st|nd|rd|th|er|\.|°|º)?[ -]{0,2}(?:of\x20|de\x20|d')?
    (?P<name>[^\W\d_]{3,12})\.?,?[ -]{0,2}(?:de\x20|del\x20|do\x20)?(?P<y>[0-9]{4}|[0-9]{2})(?!\w)""",
    re.IGNORECASE | re.VERBOSE,
)
_MONTH_NAME_DAY = re.compile(
    r"(?<!\w)(?P<name>[^\W\d_]{3,12})\.? {0,2}(?P<d>[0-9]{1,2})(?:st|nd|rd|th)? ?, {0,2}(?P<y>[0-9]{4})(?!\w)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundDate:
    """A date as written in ``text[start:end]``.

    Attributes:
        day: the day where only one is possible, or where the day is known to come first.
        month_first: the day if the month comes first; differs from ``day`` where both orders fit.
        tells_order: ``True`` where the figures can only be day, month, year; ``False`` for month, day, year;
            ``None`` where they do not tell.
    """

    day: date
    month_first: date
    tells_order: bool | None
    start: int
    end: int

    def read(self, *, day_first: bool | None) -> date | None:
        """The day, given which comes first; ``None`` where that is unknown and matters."""
        if self.day == self.month_first:
            return self.day
        return None if day_first is None else self.day if day_first else self.month_first


def find_dates(text: str, month_of: Callable[[str], int | None]) -> list[FoundDate]:
    """Every date in ``text``, left to right, up to 20 of a kind; figures that no calendar has are none.

    Two-figure years are of this century. Dots mean day, month, year everywhere.

    Args:
        text: one line or cell; figures in ASCII.
        month_of: month 1-12 that a word names, or ``None``.
    """
    found = [
        each
        for kind in (_year_first(text), _of_era(text), _numeric(text), _named(text, month_of))
        for each in islice(kind, _MOST)
    ]
    return sorted(found, key=lambda each: each.start)


def _year_first(text: str) -> Iterator[FoundDate]:
    for match in _YEAR_FIRST.finditer(text):
        day = _date(int(match["y"]), int(match["m"]), int(match["d"]))
        if day is not None:
            yield FoundDate(day=day, month_first=day, tells_order=None, start=match.start(), end=match.end())


def _of_era(text: str) -> Iterator[FoundDate]:
    for match in _OF_ERA.finditer(text):
        year = 1 if match["y"] == "元" else int(match["y"])
        day = _date(_ERAS[match["era"]] + year, int(match["m"]), int(match["d"]))
        if day is not None:
            yield FoundDate(day=day, month_first=day, tells_order=None, start=match.start(), end=match.end())


def _numeric(text: str) -> Iterator[FoundDate]:
    for match in _NUMERIC.finditer(text):
        year, first, second = _year(match["y"]), int(match["a"]), int(match["b"])
        by_day, by_month = _date(year, second, first), _date(year, first, second)
        if match["sep"] == ".":
            by_month = None
        day = by_day or by_month
        if day is not None:
            both = by_day is not None and by_month is not None
            yield FoundDate(
                day=day,
                month_first=by_month or day,
                tells_order=None if both or match["sep"] == "." else by_day is not None,
                start=match.start(),
                end=match.end(),
            )


def _named(text: str, month_of: Callable[[str], int | None]) -> Iterator[FoundDate]:
    for pattern in (_DAY_MONTH_NAME, _MONTH_NAME_DAY):
        for match in pattern.finditer(text):
            month = month_of(match["name"])
            day = None if month is None else _date(_year(match["y"]), month, int(match["d"]))
            if day is not None:
                yield FoundDate(day=day, month_first=day, tells_order=None, start=match.start(), end=match.end())


def _year(written: str) -> int:
    return int(written) if len(written) > len("26") else _CENTURY + int(written)


def _date(year: int, month: int, day: int) -> date | None:
    if not (_EARLIEST_YEAR <= year <= _LATEST_YEAR and 1 <= month <= _MONTHS_A_YEAR):
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None
