"""Which days does a customer name, and how sure can a reader be of them?"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from mailbot.errors import InputError

_DAYS_OF_WEEK = 7
_CENTURY = 2000
_LONGEST_AGO = 300  # days; a day without its year that lies further back was meant to come
_NEAR = 2  # "last Tuesday", said on Wednesday or Thursday, may be either Tuesday
_NUMERIC = re.compile(
    r"(?<![A-Za-z\d_./-])(?P<first>\d{1,4})(?P<mark>[./-])(?P<second>\d{1,2})(?:(?P=mark)(?P<third>\d{4}|\d{2}))?"
    r"(?![A-Za-z\d_/-]|\.\d)"
)
_SHORT_NUMBER = re.compile(
    r"(?<![\w.-])[0-9]{1,2}(?:[^\W_]{2})?(?!\w|[,.-]\d)|[0-9]/[0-9]|[0-9][.-][0-9]{1,2}[.-][0-9]"
)
_WORD = re.compile(r"[^\W\d_]+")
_SUNDAY = 6
_FORM_KINDS = (
    "calendar",
    "day_of_month",
    "weekday_last_week",
    "last_weekday",
    "weekday",
    "days_ago",
    "weeks_ago",
    "vague",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedDate:
    """One expression for a day, ``text[start:end]``.

    Attributes:
        day: never after the day of asking; ``None`` where the words leave it open ("last week") or name a later day.
        sure: the words fit one day only; else ``day`` is the likelier of two.
    """

    start: int
    end: int
    day: date | None
    sure: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DateWords:
    """How one language names days, compiled from ``[dates]`` of its lexicon.

    Attributes:
        months, weekdays, numbers, days_back: word in lower case to its number; Monday is 0, today is 0 days back.
        forms: kind of expression and its regular expression, the longest readings first.
        names: kind of expression to words of which it needs one.
        triggers: words of which a text needs at least one, unless it has a number of one or two digits; empty where
            words do not stand apart.
        day_first: how the language orders day and month in numbers; ``None`` where its speakers differ.
    """

    months: Mapping[str, int]
    weekdays: Mapping[str, int]
    numbers: Mapping[str, int]
    days_back: Mapping[str, int]
    forms: tuple[tuple[str, re.Pattern[str]], ...]
    names: Mapping[str, Sequence[str]]
    triggers: frozenset[str]
    day_first: bool | None


def compile_date_words(
    *,
    months: Sequence[Sequence[str]],
    weekdays: Sequence[Sequence[str]],
    numbers: Mapping[str, int],
    days_back: Mapping[str, int],
    forms: Mapping[str, Sequence[str]],
    triggers: str,
    day_first: bool | None = None,
    spaced: bool = True,
) -> DateWords:
    """Compile ``[dates]``: names of months and weekdays, number words, and forms with ``{month}``-like places.

    Of the words of forms without such a name, ``triggers`` lists at least one each.

    Raises:
        InputError: a form of unknown kind or with an unknown place.
    """
    unknown = sorted(forms.keys() - set(_FORM_KINDS))
    if unknown:
        raise InputError(f"[dates.forms] {unknown[0]!r} is none of {', '.join(_FORM_KINDS)}")
    by_month = {name: number for number, names in enumerate(months, start=1) for name in names}
    by_weekday = {name: number for number, names in enumerate(weekdays) for name in names}
    places = {
        "month": f"(?P<month>{_any(by_month)})",
        "weekday": f"(?P<weekday>{_any(by_weekday)})",
        "number": rf"(?P<number>\d{{1,3}}|{_any(numbers)})",
        "day": r"(?P<day>[0-3]?\d)",
        "year": r"(?P<year>20\d\d|\d\d(?![\w:]))",
    }
    before, after = (r"(?<!\w)", r"(?!\w)") if spaced else (r"(?<!\d)", r"(?!\d)")
    compiled = [("days_back", re.compile(rf"{before}(?P<back>{_any(days_back)}){after}", re.IGNORECASE))]
    for kind in _FORM_KINDS:
        for form in forms.get(kind, ()):
            try:
                compiled.append((kind, re.compile(f"{before}(?:{form.format(**places)}){after}", re.IGNORECASE)))
            except (re.error, KeyError, IndexError, ValueError) as problem:
                raise InputError(f"[dates.forms] {kind}: {form!r} is no form of a date: {problem}") from None
    return DateWords(
        months=by_month,
        weekdays=by_weekday,
        numbers=numbers,
        days_back=days_back,
        forms=tuple(compiled),
        names={
            "days_back": _last_words(days_back),
            "calendar": _last_words(by_month),
            **dict.fromkeys(("weekday_last_week", "last_weekday", "weekday"), _last_words(by_weekday)),
        },
        triggers=frozenset({*by_month, *by_weekday, *(word.split()[-1] for word in days_back), *triggers.split()})
        if spaced
        else frozenset(),
        day_first=day_first,
    )


def find_dates(
    text: str, stretch: tuple[int, int], words: DateWords, *, asked_on: date, day_first: bool
) -> tuple[StatedDate, ...]:
    """Every day that a stretch of text names, in order, without overlaps.

    A day without its year is the last such day. Of ``03/06/2026`` the reading that lies after ``asked_on`` is out;
    where both fit, ``day_first`` says which is likelier, and the answer is not sure.

    Args:
        text: any text.
        stretch: where the stretch starts and ends.
        words: how the text's language names days.
        asked_on: day of the request in the shop's time zone.
        day_first: how the writer most likely orders day and month in numbers, if the language does not say.
    """
    start, end = stretch
    if words.day_first is not None:
        day_first = words.day_first
    if (
        words.triggers
        and words.triggers.isdisjoint(_WORD.findall(text[start:end].lower()))
        and not _SHORT_NUMBER.search(text, start, end)
    ):
        return ()
    found: list[StatedDate] = []
    for match, days in _expressions(text[start:end], words, asked_on, day_first=day_first):
        begun, ended = start + match.start(), start + match.end()
        if all(ended <= other.start or begun >= other.end for other in found):
            past = list(dict.fromkeys(day for day in days if day <= asked_on))
            found.append(StatedDate(start=begun, end=ended, day=past[0] if past else None, sure=len(past) == 1))
    return tuple(sorted(found, key=lambda stated: stated.start))


def _expressions(
    text: str, words: DateWords, asked_on: date, *, day_first: bool
) -> Iterator[tuple[re.Match[str], list[date]]]:
    for match in _NUMERIC.finditer(text):
        days = _numeric(match, asked_on, day_first=day_first)
        if days is not None:
            yield match, days
    for kind, form in _possible(text, words):
        for match in form.finditer(text):
            yield match, _worded(kind, match, words, asked_on)


def _possible(text: str, words: DateWords) -> list[tuple[str, re.Pattern[str]]]:
    """The forms that a text may have; beyond ASCII, ``lower`` does not tell all that a pattern takes for alike."""
    if not text.isascii():
        return [*words.forms]
    lower = text.lower()
    absent = {kind for kind, names in words.names.items() if not any(name in lower for name in names)}
    return [form for form in words.forms if form[0] not in absent]


def _numeric(match: re.Match[str], asked_on: date, *, day_first: bool) -> list[date] | None:
    first, second, third = match["first"], int(match["second"]), match["third"]
    if len(first) > 2:  # noqa: PLR2004 (more than two digits are a year: ISO 8601)
        day = _day(int(first), second, int(third)) if third and len(first) == 4 and len(third) == 2 else None  # noqa: PLR2004
        return [day] if day else None
    orders = [(int(first), second), (second, int(first))]
    if match["mark"] == ".":  # dots go with the day first everywhere
        orders.pop()
    elif not day_first:
        orders.reverse()
    if third is None:
        days = [_last(month, day, asked_on) for day, month in orders] if match["mark"] != "-" else []
    else:
        days = [_day(_year(third), month, day) for day, month in orders]
    return [day for day in days if day is not None] or None


def _worded(kind: str, match: re.Match[str], words: DateWords, asked_on: date) -> list[date]:
    if kind == "vague":
        return []
    named = {place: word.lower() for place, word in match.groupdict().items() if word is not None}
    if kind == "calendar":
        month, day = words.months[named["month"]], _number(named.get("day") or named["number"], words)
        exact = _day(_year(named["year"]), month, day) if "year" in named else _last(month, day, asked_on)
        return [exact] if exact else []
    if kind == "day_of_month":
        return _day_of_month(int(named["day"]), asked_on)
    if "weekday" in kind:
        return _weekday(kind, words.weekdays[named["weekday"]], asked_on)
    if kind == "days_back":
        return [asked_on - timedelta(days=words.days_back[" ".join(named["back"].split())])]
    number = _number(named["number"], words)
    return [asked_on - timedelta(days=number * (_DAYS_OF_WEEK if kind == "weeks_ago" else 1))]


def _weekday(kind: str, weekday: int, asked_on: date) -> list[date]:
    if kind == "weekday_last_week":
        day = asked_on - timedelta(days=asked_on.weekday() + _DAYS_OF_WEEK - weekday)
        return [day, day - timedelta(days=_DAYS_OF_WEEK)] if weekday == _SUNDAY else [day]  # it may begin the week
    back = (asked_on.weekday() - weekday) % _DAYS_OF_WEEK or _DAYS_OF_WEEK
    days = [asked_on - timedelta(days=back), asked_on - timedelta(days=back + _DAYS_OF_WEEK)]
    return days if kind == "last_weekday" and back <= _NEAR else days[:1]


def _number(written: str, words: DateWords) -> int:
    return words.numbers.get(written) or int(written)


def _last(month: int, day: int, asked_on: date) -> date | None:
    days = (_day(year, month, day) for year in (asked_on.year, asked_on.year - 1))
    past = next((found for found in days if found is not None and found <= asked_on), None)
    return past if past is not None and (asked_on - past).days <= _LONGEST_AGO else None


def _day_of_month(day: int, asked_on: date) -> list[date]:
    before = asked_on.replace(day=1) - timedelta(days=1)
    days = (_day(month.year, month.month, day) for month in (asked_on, before))
    return [found for found in days if found is not None and found <= asked_on][:1]


def _year(written: str) -> int:
    return int(written) if len(written) == 4 else _CENTURY + int(written)  # noqa: PLR2004


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _last_words(names: Iterable[str]) -> tuple[str, ...]:
    return tuple({name.lower().split()[-1]: None for name in names})


def _any(words: Mapping[str, int] | set[str]) -> str:
    return "|".join(re.escape(word).replace(r"\ ", r"\s+") for word in sorted(words, key=len, reverse=True))
