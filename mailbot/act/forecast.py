"""How many promises will be late at today's pace, and by when operators themselves mean to answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_A_DAY = timedelta(hours=24)
_MOST_DAYS = 3660
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """The next 24 hours, if people go on as in the last 24.

    Attributes:
        due: open promises whose limit lies in them.
        late: those of them that come too late, because others are done first.
        broken: promises that are past their limit already; they are done before all others.
        kept: how many promises were kept in the last 24 hours.
    """

    due: int
    late: int
    broken: int
    kept: int


def forecast(limits: Sequence[datetime], kept: int, now: datetime) -> Forecast:
    """Tell how many open promises will be broken in 24 hours, when the most urgent one is always done next.

    Args:
        limits: of every open promise.
        kept: how many were kept in the last 24 hours; that is the pace.
        now: the present time.
    """
    ordered = sorted(limits)
    broken = sum(limit <= now for limit in ordered)
    due = [(place, limit) for place, limit in enumerate(ordered, 1) if now < limit <= now + _A_DAY]
    late = sum(not kept or now + _A_DAY * place / kept > limit for place, limit in due)
    return Forecast(due=len(due), late=late, broken=broken, kept=kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingHours:
    """When people work: on these weekdays (``mon`` to ``sun``) but the holidays, from ``opens`` to ``closes``."""

    zone: ZoneInfo
    days: frozenset[str]
    opens: time
    closes: time
    holidays: frozenset[date]

    def after(self, start: datetime, hours: timedelta) -> datetime | None:
        """When so many working hours have passed since ``start``; ``None`` where that is not within ten years.

        Hours are real ones, also on a day on which the clocks change.
        """
        left, start, day = hours, start.astimezone(UTC), start.astimezone(self.zone).date()
        for _ in range(_MOST_DAYS):
            if WEEKDAYS[day.weekday()] in self.days and day not in self.holidays:
                begins = max(datetime.combine(day, self.opens, self.zone).astimezone(UTC), start)
                ends = datetime.combine(day, self.closes, self.zone).astimezone(UTC)
                if begins + left <= ends:
                    return begins + left
                left -= max(timedelta(0), ends - begins)
            day += timedelta(days=1)
        return None
