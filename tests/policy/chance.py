"""Facts by chance, close to every edge that POLICY.md draws; the same seed gives the same facts."""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

Form = dict[str, Any]

ZONES = (
    "America/New_York",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Asia/Tokyo",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Pacific/Auckland",
    "Pacific/Kiritimati",
    "UTC",
)
RETURNABLE = ("change_of_mind", "mistaken_order", "natural_variation", "ring_opening", "unspecified")
LOGISTICS = ("wrong_item", "damaged_in_transit", "not_delivered", "late_delivery")
WANTS = ("refund", "cancellation", "cancellation", "unspecified", "unspecified", "exchange", "repair")
STATUSES = (*("paid", "shipped", "delivered") * 4, "cancelled", "refunded")
DIGITS = {"JPY": 0, "USD": 2, "EUR": 2, "GBP": 2, "CHF": 2, "KWD": 3}
_LIMIT = {"USD": 500, "EUR": 500, "GBP": 400, "JPY": 75000, "KWD": 150, "CHF": 500}

# Clocks change in some zone of ZONES on each of these days; the others are ends of months and of a leap February.
_HARD_DAYS = (
    date(2025, 3, 9),
    date(2025, 3, 30),
    date(2025, 4, 6),
    date(2025, 9, 28),
    date(2025, 10, 5),
    date(2025, 10, 26),
    date(2025, 11, 2),
    date(2025, 11, 30),
    date(2023, 11, 30),
    date(2024, 2, 29),
    date(2024, 11, 29),
    date(2025, 1, 31),
    date(2025, 5, 31),
    date(2025, 8, 31),
    date(2025, 12, 31),
)
_HARD_TIMES = (
    time(0, 0),
    time(0, 0, 1),
    time(1, 30),
    time(2, 30),
    time(3, 0),
    time(12, 0),
    time(23, 59),
    time(23, 59, 59),
    time(23, 59, 59, 999999),
)


def zone(chance: Random) -> str:
    """Draw the shop's time zone."""
    return chance.choice(ZONES)


def facts(chance: Random, shop: str) -> Form:
    """Draw facts that POLICY.md allows, in its JSON form."""
    order = None if chance.random() < 0.03 else _order(chance)
    number = None if chance.random() < (0.5 if order is None else 0.01) else _spelling(chance)
    drawn = {
        "requested_at": "",
        "claim": _claim(chance, order),
        "evidence": {
            "order_number": number,
            "invoice": _mostly(chance, "matched", ("absent", "mismatched", "unreadable"), 0.93),
            "photos": chance.choice((0, 0, 1, 7)),
        },
        "sender": _mostly(chance, "verified", ("unverified", "mismatched"), 0.95),
        "order": order,
    }
    _set_the_calendar(chance, drawn, shop)
    return drawn


def _set_the_calendar(chance: Random, drawn: Form, shop: str) -> None:
    """Lay paid, shipped, delivered, stated and requested dates a day before, on and after some edge."""
    order = drawn["order"]
    shipped = order is not None and order["shipped_at"] is not None
    here = order is not None and not shipped and order["status"] == "paid"
    edges = ("cancel",) * 4 * here + ("cancel", "return", "guarantee", "month end", "transit")
    paid, left, there, asked = _days(chance, chance.choice(edges), shipped=shipped)
    drawn["requested_at"] = _instant(chance, asked, shop)
    if chance.random() < 0.6:
        drawn["claim"]["received_on"] = there.isoformat()
    if order is None:
        return
    days = {"paid_at": paid, "shipped_at": left, "delivered_at": max(there, left)}
    moments = {key: _instant(chance, day, shop) for key, day in days.items() if order[key] is not None}
    if shipped and chance.random() < 0.1:  # the book may be wrong about the parcel's leaving, not about its arrival
        order["shipped_at"] = moments.pop("shipped_at")
    order.update(zip(moments, sorted(moments.values(), key=datetime.fromisoformat), strict=True))


def _days(chance: Random, edge: str, *, shipped: bool) -> tuple[date, date, date, date]:
    """Days of payment, of the parcel's leaving, of its arrival (as stated or booked), and of the request."""
    paid = chance.choice(_HARD_DAYS) + timedelta(days=chance.choice((-9, -3, -2, -1, 0, 0, 1)))
    left = paid + timedelta(days=chance.choice((0, 0, 1, 3)))
    there = left + timedelta(days=chance.choice((0, 0, 1, 4, 30)))
    match edge:
        case "cancel":
            return paid, left, there, paid + timedelta(days=2 + chance.choice((-2, -1, 0, 1)))
        case "return":
            return paid, left, there, there + timedelta(days=7 + chance.choice((-1, 0, 1)))
        case "transit":
            there = (left if shipped else paid) + timedelta(days=chance.choice((-1, 0, 1, 59, 60, 61)))
            return paid, left, there, there + timedelta(days=chance.choice((-1, 0, 1, 6, 7, 8)))
        case "month end":
            there = chance.choice(_HARD_DAYS)
            paid = left = there - timedelta(days=chance.choice((0, 1, 5)))
    return paid, left, there, _months_after(there, 3) + timedelta(days=chance.choice((-1, 0, 1, 2)))


def _instant(chance: Random, day: date, shop: str) -> str:
    """Write a moment of the shop's calendar day, near an edge of it, with some offset of the writer's choice."""
    there = ZoneInfo(shop)
    # A local time that the clocks skip is read and written back, so that it exists; that may not leave the day.
    moment = datetime.combine(day, chance.choice(_HARD_TIMES), there).replace(fold=chance.randint(0, 1)).astimezone(UTC)
    writer = chance.choice((UTC, there, timezone(timedelta(hours=14)), timezone(timedelta(hours=-11, minutes=-30))))
    written = moment.astimezone(writer).isoformat()
    return written.replace("+00:00", "Z") if chance.random() < 0.5 else written


def _claim(chance: Random, order: Form | None) -> Form:
    reason = chance.choice((*RETURNABLE * 3, *("quality_defect",) * 5, "customer_damage", *LOGISTICS))
    return {
        "reason": reason,
        "reason_confidence": chance.choice((0.97, 1.0, 1, 0.8, 0.8, 0.95, 0.8001, 0.7999, 0)),
        "wants": _mostly(chance, "refund", WANTS, 0.8),
        "item_used": chance.choice((None, None, None, False, True)),
        "item_altered": chance.choice((None, None, None, False, True)),
        "original_box": chance.choice((None, None, True, False)),
        "received_on": None,
        "repurchased": chance.choice((None, False, True)),
        "mentions_dispute": chance.choice((None, False)) if chance.random() < 0.98 else True,
        "lines": _claimed_lines(chance, order) if order is not None else [],
    }


def _claimed_lines(chance: Random, order: Form) -> list[Form]:
    kind = chance.choice(("whole", "whole", "every line", "some", "some"))
    if kind == "whole" or len({line["sku"] for line in order["lines"]}) < len(order["lines"]):
        return []
    if kind == "every line":
        chosen = [{"sku": line["sku"], "quantity": line["quantity"]} for line in order["lines"]]
    else:
        picked = chance.sample(order["lines"], chance.randint(1, len(order["lines"])))
        chosen = [{"sku": line["sku"], "quantity": chance.randint(1, line["quantity"])} for line in picked]
    if chosen[0]["quantity"] > 1 and chance.random() < 0.3:  # one line claimed in two breaths
        chosen[0]["quantity"] -= 1
        chosen.append({"sku": chosen[0]["sku"], "quantity": 1})
    chance.shuffle(chosen)
    return chosen


def _order(chance: Random) -> Form:
    currency = chance.choice(tuple(DIGITS))
    lines = [_line(chance, number, currency) for number in range(chance.choice((1, 1, 2, 3)))]
    if chance.random() < 0.2:  # sums at an automatic approval's limit: one line, one piece, no odds and ends
        price = Decimal(_LIMIT[currency]) + _unit(currency) * chance.choice((-1, 0, 1))
        lines = [{"sku": "R-0", "quantity": 1, "unit_price": _text(price, currency), "discount": "0", "tax": "0"}]
    shipping = chance.choice((Decimal(0), _unit(currency) * chance.randint(1, 1500)))
    total = sum((_total(line) for line in lines), shipping).quantize(_unit(currency))
    captured = chance.choice((*(total,) * 15, total - shipping, total - _unit(currency), total / 2, Decimal(0)))
    captured = max(Decimal(0), captured).quantize(_unit(currency))
    part = (captured / 3).quantize(_unit(currency))
    refunded = chance.choice(
        (*(Decimal(0),) * 12, part, part, part, captured - min(captured, _unit(currency)), captured)
    )
    refunded += _unit(currency) * (chance.random() < 0.01)
    fee = chance.choice((None, Decimal(0), _unit(currency) * 330, _unit(currency), captured + _unit(currency)))
    when = "2000-01-01T00:00:00Z"
    still_here = chance.random() < 0.3
    return {
        "number": "AW-10231",
        "status": _mostly(chance, "paid" if still_here else "delivered", STATUSES, 0.5),
        "paid_at": when,
        "shipped_at": None if still_here else chance.choice((None, when)),
        "delivered_at": None if still_here else chance.choice((None, when)),
        "currency": currency,
        "shipping": _text(shipping, currency),
        "captured": _text(captured, currency),
        "refunded": _text(refunded, currency),
        "payment_method": chance.choice(("paypal", "paypal", "card")),
        "transaction_fee": None if fee is None else _text(fee, currency),
        "dispute_open": chance.random() < 0.02,
        "lines": lines,
    }


def _line(chance: Random, number: int, currency: str) -> Form:
    unit = _unit(currency)
    quantity = chance.choice((1, 2, 3, 3, 6, 7, 11))
    price = unit * chance.choice((0, 1, 333, 333, 1999, 1999, 4000, 4000, 12345, 12345))
    whole = price * quantity
    discount = chance.choice((Decimal(0), Decimal(0), unit, unit * 100, (whole / 3).quantize(unit), whole))
    if chance.random() < 0.02:
        discount = whole + unit
    return {
        "sku": f"R-{number if chance.random() < 0.98 else 0}",
        "quantity": quantity,
        "unit_price": _text(price, currency),
        "discount": _text(discount, currency),
        "tax": _text(chance.choice((Decimal(0), unit, unit * 50, unit * 1000 / 7)).quantize(unit), currency),
    }


def _total(line: Form) -> Decimal:
    whole: Decimal = Decimal(line["unit_price"]) * line["quantity"]
    return whole + Decimal(line["tax"]) - Decimal(line["discount"])


def _unit(currency: str) -> Decimal:
    return Decimal((0, (1,), -DIGITS[currency]))


def _text(amount: Decimal, currency: str) -> str:
    return f"{amount:.{DIGITS[currency]}f}"


def _spelling(chance: Random) -> str:
    return chance.choice(("AW-10231", "AW-10231", "aw-10231", "AW 10231"))


def _mostly(chance: Random, usual: str, others: tuple[str, ...], share: float) -> str:
    return usual if chance.random() < share else chance.choice(others)


def _months_after(day: date, months: int) -> date:
    ahead = day.month - 1 + months
    year, month = day.year + ahead // 12, ahead % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))
