"""How many promises will be late, and when working hours are over."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from mailbot.act.forecast import Forecast, WorkingHours, forecast

NOW = datetime(2026, 3, 10, 15, tzinfo=UTC)
SHOP = WorkingHours(
    zone=ZoneInfo("America/New_York"),
    days=frozenset({"mon", "tue", "wed", "thu", "fri"}),
    opens=time(9),
    closes=time(17),
    holidays=frozenset({date(2026, 3, 12)}),
)


def limits(*hours: float) -> list[datetime]:
    return [NOW + timedelta(hours=each) for each in hours]


@pytest.mark.parametrize(
    ("hours", "kept", "expected"),
    [
        pytest.param([], 0, (0, 0, 0), id="nothing is open"),
        pytest.param([12, 24], 2, (2, 0, 0), id="two a day are just enough"),
        pytest.param([11, 24], 2, (2, 1, 0), id="the first comes an hour too late"),
        pytest.param([20, 22, 23], 1, (3, 3, 0), id="one a day is not enough for three"),
        pytest.param([30, 40], 1, (0, 0, 0), id="what is due later is not of this day"),
        pytest.param([-5, -1, 13], 2, (1, 1, 2), id="broken ones are done first"),
        pytest.param([5], 0, (1, 1, 0), id="where nobody works everything is late"),
    ],
)
def test_promises_are_late_by_the_pace_of_the_last_day(
    hours: list[float], kept: int, expected: tuple[int, int, int]
) -> None:
    due, late, broken = expected
    assert forecast(limits(*hours), kept, NOW) == Forecast(due=due, late=late, broken=broken, kept=kept)


@pytest.mark.parametrize(
    ("start", "hours", "expected"),
    [
        pytest.param("2026-03-10T09:00-04:00", 8, "2026-03-10T17:00-04:00", id="one whole day"),
        pytest.param("2026-03-10T15:00-04:00", 4, "2026-03-11T11:00-04:00", id="over night"),
        pytest.param("2026-03-11T16:00-04:00", 2, "2026-03-13T10:00-04:00", id="over a holiday"),
        pytest.param("2026-03-13T16:00-04:00", 2, "2026-03-16T10:00-04:00", id="over a weekend"),
        pytest.param("2026-03-14T03:00-04:00", 1, "2026-03-16T10:00-04:00", id="from a Saturday on"),
        pytest.param("2026-03-10T22:00-04:00", 1, "2026-03-11T10:00-04:00", id="after closing time"),
        pytest.param("2026-03-06T16:30-05:00", 1, "2026-03-09T09:30-04:00", id="over the night that has no 02:30"),
        pytest.param("2026-10-30T16:30-04:00", 1, "2026-11-02T09:30-05:00", id="over the night that has 01:30 twice"),
    ],
)
def test_working_hours_go_on_where_people_work(start: str, hours: int, expected: str) -> None:
    found = SHOP.after(datetime.fromisoformat(start), timedelta(hours=hours))
    assert found == datetime.fromisoformat(expected)


def test_hours_that_never_come_are_none() -> None:
    closed = WorkingHours(zone=SHOP.zone, days=frozenset(), opens=time(9), closes=time(17), holidays=frozenset())
    assert closed.after(NOW, timedelta(hours=1)) is None
