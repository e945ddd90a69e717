"""When a window closes: whole days of the shop's zone, over clock changes and month ends, from a plausible day."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from mailbot.policy.conditions import add_months

Form = dict[str, Any]
Decided = Callable[..., Form]

HERE = {"status": "paid", "shipped_at": None, "delivered_at": None}
ON_ITS_WAY = {"status": "shipped", "delivered_at": None}


@pytest.mark.parametrize(
    ("asked", "rule"),
    [
        pytest.param("2026-03-06T10:00:01-05:00", "return", id="day of receipt"),
        pytest.param("2026-03-13T23:59:59.999999-04:00", "return", id="last moment of day 7"),
        pytest.param("2026-03-14T00:00:00-04:00", "return_window_passed", id="first moment of day 8"),
        pytest.param("2026-03-14T03:59:59Z", "return", id="day 8 in UTC, day 7 in the shop"),
        pytest.param(
            "2026-03-13T23:30:00-05:00", "return_window_passed", id="day 7 by last week's clock, day 8 by now's"
        ),
        pytest.param("2026-03-14T12:59:59+09:00", "return", id="day 8 of a customer in Tokyo, day 7 in the shop"),
    ],
)
def test_the_return_window_ends_with_day_seven_of_the_shop(asked: str, rule: str, decided: Decided) -> None:
    assert decided(requested_at=asked)["rule"] == rule


@pytest.mark.parametrize(
    ("zone", "delivered", "asked", "rule"),
    [
        pytest.param(
            *("America/New_York", "2026-03-06T23:30:00-05:00", "2026-03-13T23:59:59-04:00", "return"),
            id="delivered late on day 0, clocks forward between",
        ),
        pytest.param(
            *("America/New_York", "2026-03-07T00:00:00-05:00", "2026-03-14T23:59:59-04:00", "return"),
            id="delivered at midnight, which opens the next day",
        ),
        pytest.param(
            *("Europe/Berlin", "2026-10-20T00:00:00+02:00", "2026-10-27T23:59:59+01:00", "return"),
            id="a window one hour longer: clocks back",
        ),
        pytest.param(
            *("Europe/Berlin", "2026-10-20T00:00:00+02:00", "2026-10-28T00:00:00+01:00", "return_window_passed"),
            id="clocks back, day 8",
        ),
        pytest.param(
            *("Australia/Lord_Howe", "2026-04-01T12:00:00+11:00", "2026-04-08T23:59:59+10:30", "return"),
            id="half an hour back",
        ),
        pytest.param(
            *("Australia/Lord_Howe", "2026-04-01T12:00:00+11:00", "2026-04-09T00:00:00+10:30", "return_window_passed"),
            id="half an hour back, day 8",
        ),
        pytest.param(
            *("Pacific/Kiritimati", "2026-03-06T10:00:00Z", "2026-03-14T10:00:00Z", "return_window_passed"),
            id="a day ahead of nearly everyone",
        ),
    ],
)
def test_windows_count_days_not_hours(zone: str, delivered: str, asked: str, rule: str, decided: Decided) -> None:
    order = {"paid_at": "2026-02-01T10:00:00Z", "shipped_at": None, "delivered_at": delivered}
    assert decided(zone=zone, order=order, requested_at=asked)["rule"] == rule


@pytest.mark.parametrize(
    ("paid", "asked", "rule"),
    [
        pytest.param("2026-03-10T00:00:00-04:00", "2026-03-10T00:00:00-04:00", "cancel", id="at once"),
        pytest.param("2026-03-10T00:00:00-04:00", "2026-03-12T23:59:59-04:00", "cancel", id="last minute of day 2"),
        pytest.param(
            "2026-03-10T23:59:59-04:00", "2026-03-13T00:00:00-04:00", "cancel_late", id="first minute of day 3"
        ),
        pytest.param("2026-03-07T12:00:00-05:00", "2026-03-09T23:59:59-04:00", "cancel", id="clocks forward, day 2"),
        pytest.param(
            "2026-03-07T12:00:00-05:00", "2026-03-10T00:00:00-04:00", "cancel_late", id="clocks forward, day 3"
        ),
        pytest.param("2026-10-31T00:00:00-04:00", "2026-11-02T23:59:59-05:00", "cancel", id="clocks back, day 2"),
        pytest.param("2026-10-31T00:00:00-04:00", "2026-11-03T00:00:00-05:00", "cancel_late", id="clocks back, day 3"),
        pytest.param("2026-12-31T23:00:00-05:00", "2027-01-02T23:59:59-05:00", "cancel", id="over the year's end"),
    ],
)
def test_the_cancellation_window_ends_with_day_two_after_payment(
    paid: str, asked: str, rule: str, decided: Decided
) -> None:
    assert decided(order={**HERE, "paid_at": paid}, requested_at=asked)["rule"] == rule


@pytest.mark.parametrize(
    ("asked", "rule"),
    [
        pytest.param("2026-03-12T23:59:59-04:00", "cancel_in_transit", id="last minute of day 2"),
        pytest.param("2026-03-13T00:00:00-04:00", "not_yet_received", id="first minute of day 3"),
    ],
)
def test_a_parcel_on_its_way_can_be_called_back_within_the_cancellation_window(
    asked: str, rule: str, decided: Decided
) -> None:
    order = {**ON_ITS_WAY, "paid_at": "2026-03-10T08:00:00Z", "shipped_at": "2026-03-10T20:00:00Z"}
    assert decided(order=order, requested_at=asked)["rule"] == rule


@pytest.mark.parametrize(
    ("received", "last_day", "day_after"),
    [
        pytest.param("2026-03-06", "2026-06-06", "2026-06-07", id="an ordinary day"),
        pytest.param("2025-11-30", "2026-02-28", "2026-03-01", id="30 November, to the end of February"),
        pytest.param("2023-11-30", "2024-02-29", "2024-03-01", id="30 November, to a leap day"),
        pytest.param("2025-11-28", "2026-02-28", "2026-03-01", id="28 November"),
        pytest.param("2026-01-31", "2026-04-30", "2026-05-01", id="31 January, to 30 April"),
        pytest.param("2024-02-29", "2024-05-29", "2024-05-30", id="from a leap day"),
        pytest.param("2026-08-31", "2026-11-30", "2026-12-01", id="31 August, to 30 November, clocks back"),
        pytest.param("2025-12-31", "2026-03-31", "2026-04-01", id="over the year's end"),
    ],
)
def test_the_guarantee_ends_with_the_same_day_three_months_on(
    received: str, last_day: str, day_after: str, decided: Decided
) -> None:
    order = {"paid_at": f"{received}T05:00:00Z", "shipped_at": None, "delivered_at": f"{received}T17:00:00Z"}
    claim = {"reason": "quality_defect"}
    in_time = decided(zone="UTC", order=order, claim=claim, requested_at=f"{last_day}T23:59:59Z")
    too_late = decided(zone="UTC", order=order, claim=claim, requested_at=f"{day_after}T00:00:00Z")
    assert (in_time["rule"], too_late["rule"]) == ("quality_review", "guarantee_expired")


@pytest.mark.parametrize(
    ("day", "months", "then"),
    [
        pytest.param("2025-11-30", 3, "2026-02-28", id="clamped"),
        pytest.param("2023-11-30", 3, "2024-02-29", id="clamped to a leap day"),
        pytest.param("2026-09-30", 3, "2026-12-30", id="into December"),
        pytest.param("2026-10-31", 3, "2027-01-31", id="into the next year"),
        pytest.param("2026-03-31", 0, "2026-03-31", id="none"),
        pytest.param("2024-02-29", 12, "2025-02-28", id="a year from a leap day"),
        pytest.param("2026-12-31", 14, "2028-02-29", id="more than a year"),
    ],
)
def test_months_are_calendar_months_clamped_to_their_end(day: str, months: int, then: str) -> None:
    assert add_months(date.fromisoformat(day), months) == date.fromisoformat(then)


@pytest.mark.parametrize(
    ("stated", "order", "asked", "believed"),
    [
        pytest.param("2026-03-06", ON_ITS_WAY, "2026-03-10T09:00:00Z", True, id="an ordinary day"),
        pytest.param("2026-03-02", ON_ITS_WAY, "2026-03-10T09:00:00Z", True, id="the day of dispatch"),
        pytest.param("2026-03-01", ON_ITS_WAY, "2026-03-10T09:00:00Z", False, id="the day before dispatch"),
        pytest.param("2026-03-10", ON_ITS_WAY, "2026-03-10T09:00:00Z", True, id="the day of the request"),
        pytest.param("2026-03-11", ON_ITS_WAY, "2026-03-10T09:00:00Z", False, id="the day after the request"),
        pytest.param("2026-05-01", ON_ITS_WAY, "2026-05-02T09:00:00Z", True, id="60 days after dispatch"),
        pytest.param("2026-05-02", ON_ITS_WAY, "2026-05-02T09:00:00Z", False, id="61 days after dispatch"),
        pytest.param(
            "2026-03-01",
            {**ON_ITS_WAY, "shipped_at": None},
            "2026-03-10T09:00:00Z",
            True,
            id="shipped undated: since paid",
        ),
        pytest.param(
            "2026-02-28", {**ON_ITS_WAY, "shipped_at": None}, "2026-03-10T09:00:00Z", False, id="before it was paid"
        ),
        pytest.param(
            "2026-04-30", {**ON_ITS_WAY, "shipped_at": None}, "2026-05-02T09:00:00Z", True, id="60 days after payment"
        ),
        pytest.param(
            "2026-05-01", {**ON_ITS_WAY, "shipped_at": None}, "2026-05-02T09:00:00Z", False, id="61 days after payment"
        ),
        pytest.param("2026-03-06", HERE, "2026-03-10T09:00:00Z", False, id="not dispatched at all"),
        pytest.param(
            "2026-03-06",
            {**HERE, "status": "delivered"},
            "2026-03-10T09:00:00Z",
            True,
            id="delivered, without any date",
        ),
        pytest.param(
            "2026-03-01",
            {**ON_ITS_WAY, "shipped_at": "2026-03-02T04:59:59Z"},
            "2026-03-10T09:00:00Z",
            True,
            id="dispatched that day by the shop's clock, the next by UTC",
        ),
        pytest.param(
            "2026-03-10", ON_ITS_WAY, "2026-03-10T03:59:59Z", False, id="today in UTC, tomorrow by the shop's clock"
        ),
    ],
)
def test_a_stated_day_of_receipt_is_used_only_where_it_is_plausible(
    *, stated: str, order: Form, asked: str, believed: bool, decided: Decided
) -> None:
    decision = decided(claim={"received_on": stated}, order=order, requested_at=asked)
    assert decision["received_on"] == (stated if believed else None)


@pytest.mark.parametrize(
    ("delivered", "received"),
    [
        pytest.param("2026-03-06T15:00:00Z", "2026-03-06", id="afternoon"),
        pytest.param("2026-03-07T04:59:59Z", "2026-03-06", id="the next day in UTC, the evening before in the shop"),
        pytest.param("2026-03-07T05:00:00Z", "2026-03-07", id="midnight in the shop"),
    ],
)
def test_the_books_day_of_delivery_counts_in_the_shops_zone_whatever_the_customer_states(
    delivered: str, received: str, decided: Decided
) -> None:
    decision = decided(order={"delivered_at": delivered}, claim={"received_on": "2026-03-09"})
    assert decision["received_on"] == received


def test_the_day_of_receipt_is_reported_whatever_row_answers(decided: Decided) -> None:
    assert decided(claim={"mentions_dispute": True})["received_on"] == "2026-03-06"
    assert decided(order=None, claim={"received_on": "2026-03-06"})["received_on"] is None
