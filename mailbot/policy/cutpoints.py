"""The facts just on and just past every limit that a policy draws, in parts that do not touch each other.

What a condition answers depends on one part of the facts alone (``Part.conditions``), so that the parts' cut points,
freely combined, stand for all facts there can be. The tests hold every condition to its part.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import product
from typing import Any

from mailbot.model.facts import InvoiceStatus, OrderStatus, Reason, Remedy, SenderStatus
from mailbot.model.money import DECIMALS, Money, minor_unit
from mailbot.policy.conditions import add_months
from mailbot.policy.table import Policy

Point = Mapping[str, Any]
"""Some facts: what stands at dotted places of the JSON form, such as ``claim.reason``."""

_ASKED_ON, _LONG_AGO = date(2026, 5, 29), date(1970, 1, 2)
_NOON = time(12)
_NUMBER = "AW-10231"
_SKU = "R-925-07"
_OPEN = (None, False, True)
_CLAIMED: tuple[list[dict[str, Any]], ...] = ([], [{"sku": _SKU, "quantity": 1}], [{"sku": _SKU, "quantity": 2}])


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Facts that belong together, the conditions that ask about them, and the cut points worth looking at."""

    name: str
    conditions: frozenset[str]
    points: tuple[Point, ...]


def parts_of(policy: Policy, *, in_book: bool) -> tuple[Part, ...]:
    """The parts of all facts about an order that the book has, or about none."""
    parts: dict[str, tuple[str, list[Point]]] = {
        "dispute": ("disputed", _dispute()),
        "evidence": ("evidence_complete order_number_given invoice", _evidence()),
        "sender": ("sender", [{"sender": status.value} for status in SenderStatus]),
        "wants": ("wants", [{"claim.wants": wish.value} for wish in Remedy]),
        "reason": ("reason returnable logistics mistake_repurchased", _reasons()),
        "confidence": ("confident", _confidences(policy)),
        "goods": ("used_or_altered", _goods()),
        "box": ("original_box", [{"claim.original_box": said} for said in _OPEN]),
        "dates": ("order_status dispatched in_guarantee in_cancel_window in_return_window", _dates(policy)),
        "money": ("money_left whole_order settlement_known within_auto_approve_limit", _money(policy)),
        "payment": ("payment_method", [{"order.payment_method": method} for method in _payment_methods(policy)]),
    }
    return tuple(
        Part(
            name=name,
            conditions=frozenset(conditions.split()),
            points=tuple(points if in_book else _without_order(points)),
        )
        for name, (conditions, points) in parts.items()
    )


def form_of(points: Iterable[Point], policy: Policy, *, in_book: bool) -> dict[str, Any]:
    """One cut point of every part as facts in JSON form."""
    form: dict[str, Any] = {
        "requested_at": _at(_ASKED_ON, policy),
        "claim": {},
        "evidence": {},
        "order": {"number": _NUMBER} if in_book else None,
    }
    for point in points:
        for place, value in point.items():
            table, _, key = place.rpartition(".")
            (form[table] if table else form)[key] = value
    return form


def _without_order(points: Iterable[Point]) -> list[Point]:
    """What is left of cut points where there is no order, each once."""
    left: list[Point] = []
    for point in points:
        rest = {place: value for place, value in point.items() if not place.startswith("order.")}
        if rest not in left:
            left.append(rest)
    return left


def _dispute() -> list[Point]:
    return [
        {"claim.mentions_dispute": said, "order.dispute_open": is_open}
        for said, is_open in product(_OPEN, (False, True))
    ]


def _evidence() -> list[Point]:
    return [
        {"evidence.order_number": number, "evidence.invoice": invoice.value}
        for number, invoice in product((_NUMBER, None), InvoiceStatus)
    ]


def _reasons() -> list[Point]:
    return [
        {"claim.reason": reason.value, "claim.repurchased": again}
        for reason, again in product(Reason, (None, False, True))
    ]


def _goods() -> list[Point]:
    return [{"claim.item_used": used, "claim.item_altered": altered} for used, altered in product(_OPEN, _OPEN)]


def _confidences(policy: Policy) -> list[Point]:
    limit = policy.terms.min_confidence
    return [{"claim.reason_confidence": sure} for sure in (1.0, limit, max(0.0, limit - 0.01), 0.0)]


def _payment_methods(policy: Policy) -> list[str]:
    """Every service that the policy names, and one that it does not."""
    tests = [test for row in policy.rows for test in row.tests]
    tests += [test for terms in policy.settlements for test in terms.tests]
    tests += policy.fee.tests
    named = {answer for test in tests if test.condition == "payment_method" for answer in test.wanted}
    return [*sorted(str(answer) for answer in named if answer), "another"]


def _dates(policy: Policy) -> list[Point]:
    """Every way in which an order may have left, arrived and been paid for, at the edge of every window."""
    points: list[Point] = []
    for status, (received, on_its_way), paid_on in product(OrderStatus, _receipts(policy), _paid(policy)):
        delivered_on = on_its_way.get("order.delivered_at")
        if delivered_on is None or paid_on <= (received or _ASKED_ON):
            points.append({"order.status": status.value, "order.paid_at": _at(paid_on, policy), **on_its_way})
    return points


def _paid(policy: Policy) -> list[date]:
    days = policy.terms.cancel_days
    return [*(_ASKED_ON - timedelta(days=ago) for ago in (0, days, days + 1)), _LONG_AGO]


def _receipts(policy: Policy) -> Iterator[tuple[date | None, Point]]:
    """The day of receipt, where there is one, and the facts that say so."""
    nothing: Point = {"order.shipped_at": None, "order.delivered_at": None, "claim.received_on": None}
    yield None, nothing
    yield None, {**nothing, "order.shipped_at": _at(_ASKED_ON, policy)}
    yield None, {**nothing, "claim.received_on": _ASKED_ON.isoformat()}
    implausible = _ASKED_ON + timedelta(days=1)
    yield None, {**nothing, "order.shipped_at": _at(_ASKED_ON, policy), "claim.received_on": implausible.isoformat()}
    guaranteed = _first_guaranteed(policy.terms.guarantee_months)
    days = policy.terms.return_days
    edges = {_ASKED_ON - timedelta(days=ago) for ago in (0, days, days + 1)}
    edges |= {guaranteed, guaranteed - timedelta(days=1)}
    for day in sorted((day for day in edges if day >= _LONG_AGO), reverse=True):
        yield day, {**nothing, "order.shipped_at": _at(day, policy), "order.delivered_at": _at(day, policy)}
        yield day, {**nothing, "order.delivered_at": _at(day, policy)}
        yield day, {**nothing, "order.shipped_at": _at(day, policy), "claim.received_on": day.isoformat()}


def _first_guaranteed(months: int) -> date:
    """The earliest day of receipt whose guarantee still runs on the day of the request."""
    day = add_months(_ASKED_ON, -months) + timedelta(days=3)
    while add_months(day - timedelta(days=1), months) >= _ASKED_ON:
        day -= timedelta(days=1)
    return day


def _money(policy: Policy) -> list[Point]:
    """Sums under, at and over each currency's limit; for one currency also parts, refunds before, and every fee."""
    limits = policy.terms.auto_approve_limits
    unnamed = next(currency for currency in ("USD", "CHF", *sorted(DECIMALS)) if currency not in limits)
    first, *others = (*limits.values(), Money(amount=100 * minor_unit(unnamed), currency=unnamed))
    points = list(_sums(first, _CLAIMED, ("none", "some", "nearly all", "all", "more")))
    for other in others:
        points += _sums(other, _CLAIMED[:1], ("none",))
    return points


def _sums(limit: Money, claims: Iterable[list[Any]], refunds: Iterable[str]) -> Iterator[Point]:
    """The sums of an order of two pieces, one of which costs the limit, a little more, or half of it."""
    unit = minor_unit(limit.currency)
    prices = [price.quantize(unit) for price in (limit.amount + unit, limit.amount, limit.amount / 4)]
    for price, lines, refunded, fee in product(prices, claims, refunds, (unit * 3, None, limit.amount * 3)):
        captured = price * 2 + unit * 5
        before = {"none": 0 * unit, "some": unit, "nearly all": captured - unit, "all": captured}
        yield {
            "order.currency": limit.currency,
            "order.shipping": str(unit * 5),
            "order.captured": str(captured),
            "order.refunded": str(before.get(refunded, captured + unit)),
            "order.transaction_fee": None if fee is None else str(fee),
            "order.lines": [
                {"sku": _SKU, "quantity": 2, "unit_price": str(price), "discount": str(0 * unit), "tax": str(0 * unit)}
            ],
            "claim.lines": lines,
        }


def _at(day: date, policy: Policy) -> str:
    return datetime.combine(day, _NOON, policy.terms.timezone).isoformat()
