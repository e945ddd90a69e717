"""When promises are due and broken: plain hours for replies and refunds, the shop's calendar days for dispatch."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from mailbot.act.deadlines import clock_start, start_clock
from mailbot.model.case import ClockKind, ClockTerms, Deadline, DeadlineState

NEW_YORK = ZoneInfo("America/New_York")
HOURS = ClockTerms(due=timedelta(hours=24), limit=timedelta(hours=48))
DAYS = ClockTerms(due=timedelta(days=5), limit=timedelta(days=7))


def _dispatch(approved: str, zone: str = "America/New_York") -> Deadline:
    return start_clock(ClockKind.DISPATCH, DAYS, datetime.fromisoformat(approved), ZoneInfo(zone))


@pytest.mark.parametrize("kind", [ClockKind.REPLY, ClockKind.REFUND])
@pytest.mark.parametrize(
    "started",
    [
        pytest.param(datetime(2026, 6, 1, 12, tzinfo=UTC), id="an ordinary day"),
        pytest.param(datetime(2026, 3, 7, 17, tzinfo=UTC), id="clocks forward in the shop, told in UTC"),
        pytest.param(datetime(2026, 3, 7, 12, tzinfo=NEW_YORK), id="clocks forward in the shop, told in its time"),
        pytest.param(datetime(2026, 10, 31, 12, tzinfo=NEW_YORK), id="clocks back in the shop, told in its time"),
    ],
)
def test_reply_and_refund_clocks_run_in_plain_hours(kind: ClockKind, started: datetime) -> None:
    clock = start_clock(kind, HOURS, started, NEW_YORK)
    assert clock.kind is kind
    assert clock.started_at == started
    assert clock.due_at.astimezone(UTC) - started.astimezone(UTC) == timedelta(hours=24)
    assert clock.limit_at.astimezone(UTC) - started.astimezone(UTC) == timedelta(hours=48)
    assert clock.met_at is None


@pytest.mark.parametrize(
    ("now", "state"),
    [
        pytest.param("2026-06-05T23:59:59-04:00", DeadlineState.OPEN, id="last second of day 4"),
        pytest.param("2026-06-06T00:00:00-04:00", DeadlineState.DUE_SOON, id="day 5 begins"),
        pytest.param("2026-06-08T23:59:59-04:00", DeadlineState.DUE_SOON, id="last second of day 7"),
        pytest.param("2026-06-09T03:59:59Z", DeadlineState.DUE_SOON, id="day 8 in UTC, day 7 in the shop"),
        pytest.param("2026-06-09T00:00:00-04:00", DeadlineState.BREACHED, id="day 8 begins"),
    ],
)
@pytest.mark.parametrize("approved", ["2026-06-01T00:00:00-04:00", "2026-06-01T23:59:59-04:00", "2026-06-02T03:59:59Z"])
def test_a_dispatch_clock_reminds_on_day_five_and_expires_after_day_seven(
    approved: str, now: str, state: DeadlineState
) -> None:
    assert _dispatch(approved).state(datetime.fromisoformat(now)) is state


@pytest.mark.parametrize(
    ("zone", "approved", "due", "limit"),
    [
        pytest.param(
            *("America/New_York", "2026-03-05T15:00:00Z", "2026-03-10T04:00:00Z", "2026-03-13T04:00:00Z"),
            id="clocks forward in between",
        ),
        pytest.param(
            *("America/New_York", "2026-10-28T15:00:00Z", "2026-11-02T05:00:00Z", "2026-11-05T05:00:00Z"),
            id="clocks back in between",
        ),
        pytest.param(
            *("Australia/Lord_Howe", "2026-04-01T02:00:00Z", "2026-04-05T13:30:00Z", "2026-04-08T13:30:00Z"),
            id="half an hour back in between",
        ),
        pytest.param(
            *("Asia/Beirut", "2026-03-21T12:00:00Z", "2026-03-25T22:00:00Z", "2026-03-28T22:00:00Z"),
            id="day 8 begins at one o'clock: that midnight does not exist",
        ),
        pytest.param(
            *("America/Havana", "2026-10-24T12:00:00Z", "2026-10-29T04:00:00Z", "2026-11-01T04:00:00Z"),
            id="day 8 begins with the first of two midnights",
        ),
        pytest.param(
            *("Asia/Tokyo", "2026-12-24T15:00:00Z", "2026-12-29T15:00:00Z", "2027-01-01T15:00:00Z"),
            id="approved at the shop's midnight, over the year's end",
        ),
    ],
)
def test_dispatch_days_are_whole_days_of_the_shop_whatever_the_clocks_do(
    zone: str, approved: str, due: str, limit: str
) -> None:
    clock = _dispatch(approved, zone)
    assert clock.due_at.astimezone(UTC) == datetime.fromisoformat(due)
    assert clock.limit_at.astimezone(UTC) == datetime.fromisoformat(limit)


@pytest.mark.parametrize(
    ("ahead", "trusted"),
    [
        pytest.param(timedelta(days=-30), True, id="it lay in the mailbox for a month"),
        pytest.param(timedelta(0), True, id="seen at once"),
        pytest.param(timedelta(minutes=5), True, id="five minutes ahead"),
        pytest.param(timedelta(minutes=5, seconds=1), False, id="more than five minutes ahead"),
        pytest.param(timedelta(days=365), False, id="a year ahead"),
    ],
)
def test_a_mails_clock_starts_when_it_arrived_unless_that_lies_in_the_future(ahead: timedelta, trusted: bool) -> None:  # noqa: FBT001 (a column of the table)
    seen = datetime(2026, 3, 10, 9, tzinfo=UTC)
    assert clock_start(seen + ahead, seen) == (seen + ahead if trusted else seen)
