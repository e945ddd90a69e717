"""The cut points that a policy is proven over: on either side of every limit that it draws, and nothing impossible."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from mailbot.model.facts import InvoiceStatus, Reason, Remedy, SenderStatus
from mailbot.policy.cutpoints import Point, parts_of
from mailbot.policy.table import parse_policy

ASKED = date(2026, 5, 29)


@pytest.fixture
def points(policy_text: str) -> dict[str, Sequence[Point]]:
    """Give the shipped policy's cut points by part."""
    policy = parse_policy(policy_text, ZoneInfo("America/New_York"))
    return {part.name: part.points for part in parts_of(policy, in_book=True)}


def day(point: Point, place: str) -> date | None:
    return date.fromisoformat(point[place][:10]) if point[place] else None


def before(*days: int) -> set[date]:
    return {ASKED - timedelta(days=ago) for ago in days}


def test_payment_lies_on_both_sides_of_the_cancellation_window(points: dict[str, Sequence[Point]]) -> None:
    assert {day(point, "order.paid_at") for point in points["dates"]} == before(0, 2, 3) | {date(1970, 1, 2)}


def test_receipt_lies_on_both_sides_of_return_window_and_guarantee(points: dict[str, Sequence[Point]]) -> None:
    edges = before(0, 7, 8) | {
        date(2026, 3, 1),
        date(2026, 2, 28),
    }  # three months before 29 May there is no 29 February
    delivered = {day(point, "order.delivered_at") for point in points["dates"]}
    assert delivered == edges | {None}
    stated = {
        day(point, "claim.received_on")
        for point in points["dates"]
        if point["order.shipped_at"] and point["claim.received_on"]
    }
    assert stated == edges | {ASKED + timedelta(days=1)}  # the last one is not believed


def test_every_way_of_leaving_and_arriving_is_there(points: dict[str, Sequence[Point]]) -> None:
    places = ("order.shipped_at", "order.delivered_at", "claim.received_on")
    ways = {tuple(point[place] is not None for place in places) for point in points["dates"]}
    assert ways == {
        *((False, False, False), (True, False, False), (False, False, True), (True, False, True)),
        *((True, True, False), (False, True, False)),
    }


def test_nothing_is_delivered_before_it_is_paid_for(points: dict[str, Sequence[Point]]) -> None:
    both = [(day(point, "order.paid_at"), day(point, "order.delivered_at")) for point in points["dates"]]
    assert all(arrived is None or (paid is not None and paid <= arrived) for paid, arrived in both)
    assert any(paid == arrived for paid, arrived in both)


def test_a_guarantee_of_whole_months_begins_on_its_first_day(policy_text: str) -> None:
    for months, first in ((1, date(2026, 4, 29)), (12, date(2025, 5, 29)), (24, date(2024, 5, 29))):
        text = policy_text.replace("guarantee_months = 3 ", f"guarantee_months = {months} ")
        policy = parse_policy(text, ZoneInfo("America/New_York"))
        (dates,) = (part.points for part in parts_of(policy, in_book=True) if part.name == "dates")
        arrived = {day(point, "order.delivered_at") for point in dates}
        assert {first, first - timedelta(days=1)} <= arrived
        assert first - timedelta(days=2) not in arrived


def test_sums_lie_under_at_and_over_the_limit_of_each_currency(points: dict[str, Sequence[Point]]) -> None:
    prices: dict[str, set[str]] = {}
    for point in points["money"]:
        prices.setdefault(point["order.currency"], set()).add(point["order.lines"][0]["unit_price"])
    assert prices == {
        "USD": {"500.01", "500.00", "125.00"},
        "EUR": {"500.01", "500.00", "125.00"},
        "GBP": {"400.01", "400.00", "100.00"},
        "JPY": {"75001", "75000", "18750"},
        "KWD": {"150.001", "150.000", "37.500"},
        "CHF": {"1.01", "1.00", "0.25"},
    }


def test_parts_refunds_and_fees_are_those_of_an_order_that_adds_up(points: dict[str, Sequence[Point]]) -> None:
    dollars = [point for point in points["money"] if point["order.currency"] == "USD"]
    cent = Decimal("0.01")
    for point in dollars:
        (line,) = point["order.lines"]
        captured = Decimal(point["order.captured"])
        assert captured == 2 * Decimal(line["unit_price"]) + 5 * cent
        assert (point["order.shipping"], line["quantity"], line["discount"], line["tax"]) == ("0.05", 2, "0.00", "0.00")
    left = {Decimal(point["order.captured"]) - Decimal(point["order.refunded"]) for point in dollars}
    assert {Decimal(point["order.refunded"]) for point in dollars} >= {Decimal(0), cent}
    assert {cent, Decimal(0), -cent} <= left
    assert {point["order.transaction_fee"] for point in dollars} == {"0.03", None, "1500.00"}
    assert {tuple(line["quantity"] for line in point["claim.lines"]) for point in dollars} == {(), (1,), (2,)}
    others = [point for point in points["money"] if point["order.currency"] != "USD"]
    assert {(Decimal(point["order.refunded"]), tuple(point["claim.lines"])) for point in others} == {(Decimal(0), ())}


def test_every_answer_of_a_fact_meets_every_other_of_its_part(points: dict[str, Sequence[Point]]) -> None:
    def told(part: str, *places: str) -> list[tuple[object, ...]]:
        return sorted((tuple(point[place] for place in places) for point in points[part]), key=repr)

    def every(*answers: Iterable[object]) -> list[tuple[object, ...]]:
        return sorted(product(*answers), key=repr)

    unknown = (None, False, True)
    assert told("dispute", "claim.mentions_dispute", "order.dispute_open") == every(unknown, (False, True))
    assert told("evidence", "evidence.order_number", "evidence.invoice") == every(("AW-10231", None), InvoiceStatus)
    assert told("sender", "sender") == every(SenderStatus)
    assert told("wants", "claim.wants") == every(Remedy)
    assert told("reason", "claim.reason", "claim.repurchased") == every(Reason, unknown)
    assert told("confidence", "claim.reason_confidence") == every((0.0, 0.79, 0.8, 1.0))
    assert told("goods", "claim.item_used", "claim.item_altered") == every(unknown, unknown)
    assert told("box", "claim.original_box") == every(unknown)
    assert told("payment", "order.payment_method") == every(("another", "paypal"))
