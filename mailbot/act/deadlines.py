"""When each promise is due, and when it is broken: reply, refund and dispatch clocks (C8, C14)."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from mailbot.model.case import ClockKind, ClockTerms, Deadline

_MOST_AHEAD = timedelta(minutes=5)


def start_clock(kind: ClockKind, terms: ClockTerms, started_at: datetime, zone: ZoneInfo) -> Deadline:
    """A clock that starts now.

    Reply and refund clocks run in plain hours. A dispatch clock counts whole calendar days in the shop's zone, the
    last day included: due at the start of its due day, past its limit when its limit day is over.

    Source: POLICY.md, Deadlines; C8, C14.
    """
    if kind is not ClockKind.DISPATCH:
        start = started_at.astimezone(UTC)  # in UTC an hour is an hour, also where the shop changes its clocks
        return Deadline(kind=kind, started_at=start, due_at=start + terms.due, limit_at=start + terms.limit)
    started_on = started_at.astimezone(zone).date()
    return Deadline(
        kind=kind,
        started_at=started_at,
        due_at=datetime.combine(started_on + terms.due, time(), zone),
        limit_at=datetime.combine(started_on + terms.limit + timedelta(days=1), time(), zone),
    )


def clock_start(received_at: datetime, seen_at: datetime) -> datetime:
    """When a mail's clock starts: INTERNALDATE, or when it was first seen if that lies over 5 minutes ahead.

    Source: RELIABILITY.md, P5.
    """
    return seen_at if received_at > seen_at + _MOST_AHEAD else received_at
