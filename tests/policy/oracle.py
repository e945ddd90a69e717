"""What POLICY.md says, told a second time and another way, to hold against the product's table of rows.

One chain of plain ifs over the JSON form of the facts, with Decimals; nothing here comes from the product.
"""

from calendar import monthrange
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any
from zoneinfo import ZoneInfo

Form = dict[str, Any]

_RETURNABLE = ("change_of_mind", "mistaken_order", "natural_variation", "ring_opening", "unspecified")
_LOGISTICS = ("wrong_item", "damaged_in_transit", "not_delivered", "late_delivery")
_DIGITS = {"JPY": 0, "USD": 2, "EUR": 2, "GBP": 2, "CHF": 2, "KWD": 3}
_UNGUARDED = (
    *("dispute", "evidence_missing", "order_unknown", "sender_unproven", "invoice_unreadable", "invoice_mismatched"),
    *("already_refunded", "order_cancelled", "other_remedy"),
)
_LIMITS = {"USD": "500", "EUR": "500", "GBP": "400", "JPY": "75000", "KWD": "150"}


def decide(facts: Form, zone: str) -> Form:
    """Answer facts (POLICY.md's JSON form) by POLICY.md's decision table, in the shop's time zone."""
    outcome, rule, clauses, proposed = _first_row(facts, zone)
    decision: Form = {
        "outcome": outcome,
        "rule": rule,
        "clauses": clauses.split(),
        "escalation": rule if outcome == "escalate" else None,
        "missing": _missing(facts),
        "proposal": None,
        "settlement": None,
        "received_on": None,
    }
    received = _received_on(facts, zone)
    if received is not None:
        decision["received_on"] = received.isoformat()
    if proposed is not None:
        decision["proposal"] = {"outcome": proposed, "rule": rule, "settlement": settle(facts, proposed)}
    if outcome.startswith("approve_"):
        decision["settlement"] = settle(facts, outcome)
    if rule not in _UNGUARDED:
        _guard(facts, decision)
    return decision


def _first_row(  # noqa: C901, PLR0911, PLR0912 (one chain, to be read beside POLICY.md's table)
    facts: Form, zone: str
) -> tuple[str, str, str, str | None]:
    """Give outcome, rule, clauses and the proposed outcome of the first row that matches."""
    claim, order, missing = facts["claim"], facts["order"], _missing(facts)
    if claim["mentions_dispute"] or (order is not None and order["dispute_open"]):
        return "escalate", "dispute", "C9", None
    if missing == ["order_number"] and facts["evidence"]["order_number"] is not None:
        return "request_info", "order_unknown", "C8", None
    if missing:
        return "request_info", "evidence_missing", "C8", None
    if facts["sender"] != "verified":
        return "verify_sender", "sender_unproven", "C8", None
    if facts["evidence"]["invoice"] == "unreadable":
        return "escalate", "invoice_unreadable", "C8", None
    if facts["evidence"]["invoice"] == "mismatched":
        return "escalate", "invoice_mismatched", "C8", None
    if Decimal(order["captured"]) <= Decimal(order["refunded"]):
        return "decline", "already_refunded", "C8", None
    if order["status"] in ("cancelled", "refunded"):
        return "escalate", "order_cancelled", "C8", None
    if claim["wants"] in ("exchange", "repair"):
        return "escalate", "other_remedy", "C5", None

    reason = claim["reason"]
    asked, paid = _day(facts["requested_at"], zone), _day(order["paid_at"], zone)
    received = _received_on(facts, zone)
    if reason == "customer_damage":
        return "decline", "customer_damage", "C3", None
    if reason in _LOGISTICS:
        return "escalate", "logistics_review", "C11", "refund"
    if reason == "quality_defect":
        if received is None:
            return "escalate", "quality_date_unknown", "C5", None
        if asked <= three_months_after(received):
            return "escalate", "quality_review", "C5 C11", "refund"
        return "decline", "guarantee_expired", "C5", None

    freshly_paid = asked <= paid + timedelta(days=2)
    if not _dispatched(order):
        if freshly_paid:
            return "approve_cancellation", "cancel", "C7 C10", None
        return "escalate", "cancel_late", "C7", "approve_cancellation"
    if received is None:
        if order["status"] == "delivered":
            return "escalate", "return_date_unknown", "C6", None
        if freshly_paid:
            return "escalate", "cancel_in_transit", "C7", "approve_cancellation"
        return "decline", "not_yet_received", "C6", None
    if asked > received + timedelta(days=7):
        if reason == "natural_variation":
            return "decline", "natural_variation", "C1", None
        if reason == "ring_opening":
            return "decline", "ring_opening", "C4", None
        return "decline", "return_window_passed", "C6", None
    if claim["item_used"] is True or claim["item_altered"] is True:
        return "decline", "used_or_altered", "C6 C12 C15", None
    if claim["original_box"] is False:
        return "decline", "no_original_box", "C6 C13", None
    return "approve_return", "return", "C6 C10 C12 C13 C14", None


def _guard(facts: Form, decision: Form) -> None:
    """Turn what rows 8 to 21 decided into an escalation, where one of the three guards applies."""
    outcome, settlement = decision["outcome"], decision["settlement"]
    guard = None
    if outcome != "escalate" and Decimal(str(facts["claim"]["reason_confidence"])) < Decimal("0.80"):
        guard = "low_confidence"
    elif outcome.startswith("approve_") and settlement is None:
        guard = "fee_unknown"
    elif outcome == "approve_cancellation":
        limit = _LIMITS.get(settlement["currency"])
        if limit is None or Decimal(settlement["refund"]) > Decimal(limit):
            guard = "approval_required"
    if guard is not None:
        decision["proposal"] = {"outcome": outcome, "rule": decision["rule"], "settlement": settlement}
        decision.update(outcome="escalate", rule=guard, escalation=guard, settlement=None)


def settle(facts: Form, decided: str) -> Form | None:
    """Reckon what ``decided`` pays; ``None`` where it needs a PayPal fee that nobody recorded."""
    claim, order = facts["claim"], facts["order"]
    asked_for: dict[str, int] = {}
    for line in claim["lines"]:
        asked_for[line["sku"]] = asked_for.get(line["sku"], 0) + line["quantity"]
    items, full = Decimal(0), True
    for line in order["lines"]:
        claimed = asked_for.get(line["sku"], 0) if claim["lines"] else line["quantity"]
        full = full and claimed == line["quantity"]
        items += _line(line, claimed, order["currency"])

    fee = Decimal(0)
    bought_again = claim["reason"] == "mistaken_order" and claim["repurchased"] is True
    if order["payment_method"] == "paypal" and full and claim["reason"] in _RETURNABLE and not bought_again:
        if order["transaction_fee"] is None:
            return None
        fee = Decimal(order["transaction_fee"])

    gives_shipping = decided == "refund" or (decided == "approve_cancellation" and not _dispatched(order))
    shipping = Decimal(order["shipping"]) if gives_shipping and full else Decimal(0)
    before = -Decimal(order["refunded"]) if full else Decimal(0)
    owed = items + shipping - fee + before
    refund = min(max(owed, Decimal(0)), Decimal(order["captured"]) - Decimal(order["refunded"]))
    if decided == "refund":
        postage = "merchant"
    elif decided == "approve_cancellation" and not _dispatched(order):
        postage = "none"
    else:
        postage = "customer"
    parts = {
        "items": items,
        "outbound_shipping": shipping,
        "transaction_fee": -fee,
        "already_refunded": before,
        "cap_adjustment": refund - owed,
        "refund": refund,
    }
    amounts = {name: _written(amount, order["currency"]) for name, amount in parts.items()}
    return {"currency": order["currency"], **amounts, "return_postage": postage}


def three_months_after(start: date) -> date:
    """Add three calendar months; a day that the month does not have becomes its last one."""
    year, month = start.year + (start.month > 9), (start.month + 2) % 12 + 1
    return date(year, month, min(start.day, monthrange(year, month)[1]))


def _line(line: Form, claimed: int, currency: str) -> Decimal:
    with localcontext() as exact:
        exact.prec = 90
        share = (Decimal(line["tax"]) - Decimal(line["discount"])) * claimed / Decimal(line["quantity"])
        amount = Decimal(line["unit_price"]) * claimed + share
        return amount.quantize(Decimal(1).scaleb(-_DIGITS[currency]), ROUND_HALF_UP)


def _written(amount: Decimal, currency: str) -> str:
    return f"{amount + Decimal(0):.{_DIGITS[currency]}f}"


def _missing(facts: Form) -> list[str]:
    missing = []
    if facts["evidence"]["order_number"] is None or facts["order"] is None:
        missing.append("order_number")
    if facts["evidence"]["invoice"] == "absent":
        missing.append("invoice")
    return missing


def _dispatched(order: Form) -> bool:
    dated = order["shipped_at"] is not None or order["delivered_at"] is not None
    return dated or order["status"] in ("shipped", "delivered")


def _received_on(facts: Form, zone: str) -> date | None:
    order, stated = facts["order"], facts["claim"]["received_on"]
    if order is None:
        return None
    if order["delivered_at"] is not None:
        return _day(order["delivered_at"], zone)
    if stated is None or not _dispatched(order):
        return None
    left = _day(order["shipped_at"] if order["shipped_at"] is not None else order["paid_at"], zone)
    there = date.fromisoformat(stated)
    plausible = left <= there <= _day(facts["requested_at"], zone) and (there - left).days <= 60
    return there if plausible else None


def _day(instant: str, zone: str) -> date:
    return datetime.fromisoformat(instant).astimezone(ZoneInfo(zone)).date()
