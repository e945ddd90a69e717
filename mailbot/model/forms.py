"""The JSON forms of facts and decisions, read strictly and written the same way every time.

Source: POLICY.md, "``policy decide``: facts in, decision out".
"""

import re
from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeVar

from mailbot.errors import shown
from mailbot.model.decision import Asked, Decision, Proposal, ReturnPostage, Settlement
from mailbot.model.facts import (
    MAX_QUANTITY,
    Claim,
    ClaimLine,
    Evidence,
    Facts,
    FactsError,
    InvoiceStatus,
    Order,
    OrderLine,
    OrderStatus,
    Reason,
    Remedy,
    SenderStatus,
)
from mailbot.model.money import Money, MoneyError, decimals_of

_Word = TypeVar("_Word", bound=StrEnum)

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_YEARS = range(1970, 2200)
_MAX_TEXT = 200
_MOST_KEY = 40


def parse_facts(form: object) -> Facts:
    """Facts from their JSON form (already decoded).

    Raises:
        FactsError: what is wrong, with its path, such as ``order.lines[0].quantity``.
    """
    fields = _object(form, "", _FACTS_KEYS)
    order = _required(fields, "order", "")
    return Facts(
        requested_at=_time(fields, "requested_at", ""),
        claim=_parse_claim(_required(fields, "claim", "")),
        evidence=_parse_evidence(_required(fields, "evidence", "")),
        sender=_word(fields, "sender", "", SenderStatus),
        order=None if order is None else parse_order(order),
    )


def parse_order(form: object, path: str = "order") -> Order:
    """An order from its JSON form; ``path`` names it in errors.

    Raises:
        FactsError: what is wrong, with its path.
    """
    fields = _object(form, path, _ORDER_KEYS)
    currency = _required(fields, "currency", path)
    try:
        decimals_of(currency)
    except MoneyError as problem:
        raise FactsError(_joined(path, "currency"), str(problem)) from None
    lines = _list(fields, "lines", path)
    if not lines:
        raise FactsError(_joined(path, "lines"), "is empty; an order has at least one line")
    return Order(
        number=_text(fields, "number", path),
        status=_word(fields, "status", path, OrderStatus),
        paid_at=_time(fields, "paid_at", path),
        shipped_at=None if fields.get("shipped_at") is None else _time(fields, "shipped_at", path),
        delivered_at=None if fields.get("delivered_at") is None else _time(fields, "delivered_at", path),
        currency=currency,
        shipping=_money(fields, "shipping", path, currency),
        captured=_money(fields, "captured", path, currency),
        refunded=_money(fields, "refunded", path, currency),
        payment_method=_text(fields, "payment_method", path),
        transaction_fee=(
            None if fields.get("transaction_fee") is None else _money(fields, "transaction_fee", path, currency)
        ),
        dispute_open=_flag(fields, "dispute_open", path),
        lines=tuple(_parse_order_line(line, currency, f"{path}.lines[{at}]") for at, line in enumerate(lines)),
    )


def facts_form(facts: Facts) -> dict[str, Any]:
    """The JSON form of facts; ``parse_facts`` of it gives the same facts."""
    claim, evidence = facts.claim, facts.evidence
    return {
        "requested_at": facts.requested_at.isoformat(),
        "claim": claim_form(claim),
        "evidence": {
            "order_number": evidence.order_number,
            "invoice": evidence.invoice.value,
            "photos": evidence.photos,
        },
        "sender": facts.sender.value,
        "order": None if facts.order is None else order_form(facts.order),
    }


def claim_form(claim: Claim) -> dict[str, Any]:
    """The JSON form of a claim."""
    return {
        "reason": claim.reason.value,
        "reason_confidence": claim.reason_confidence,
        "wants": claim.wants.value,
        "item_used": claim.item_used,
        "item_altered": claim.item_altered,
        "original_box": claim.original_box,
        "received_on": None if claim.received_on is None else claim.received_on.isoformat(),
        "repurchased": claim.repurchased,
        "mentions_dispute": claim.mentions_dispute,
        "lines": [{"sku": line.sku, "quantity": line.quantity} for line in claim.lines],
    }


def order_form(order: Order) -> dict[str, Any]:
    """The JSON form of an order."""
    return {
        "number": order.number,
        "status": order.status.value,
        "paid_at": order.paid_at.isoformat(),
        "shipped_at": None if order.shipped_at is None else order.shipped_at.isoformat(),
        "delivered_at": None if order.delivered_at is None else order.delivered_at.isoformat(),
        "currency": order.currency,
        "shipping": str(order.shipping),
        "captured": str(order.captured),
        "refunded": str(order.refunded),
        "payment_method": order.payment_method,
        "transaction_fee": None if order.transaction_fee is None else str(order.transaction_fee),
        "dispute_open": order.dispute_open,
        "lines": [order_line_form(line) for line in order.lines],
    }


def order_line_form(line: OrderLine) -> dict[str, Any]:
    """The JSON form of one order line."""
    return {
        "sku": line.sku,
        "quantity": line.quantity,
        "unit_price": str(line.unit_price),
        "discount": str(line.discount),
        "tax": str(line.tax),
    }


def decision_form(decision: Decision) -> dict[str, Any]:
    """The JSON form of a decision, keys in the order of POLICY.md."""
    return {
        "outcome": decision.outcome.value,
        "rule": decision.rule,
        "clauses": list(decision.clauses),
        "escalation": decision.escalation,
        "missing": list(decision.missing),
        "proposal": None if decision.proposal is None else _proposal_form(decision.proposal),
        "settlement": None if decision.settlement is None else settlement_form(decision.settlement),
        "received_on": None if decision.received_on is None else decision.received_on.isoformat(),
    }


def settlement_form(settlement: Settlement) -> dict[str, str]:
    """The JSON form of a settlement: decimal strings, one currency for all."""
    return {
        "currency": settlement.refund.currency,
        "items": str(settlement.items),
        "outbound_shipping": str(settlement.outbound_shipping),
        "transaction_fee": str(settlement.transaction_fee),
        "already_refunded": str(settlement.already_refunded),
        "cap_adjustment": str(settlement.cap_adjustment),
        "refund": str(settlement.refund),
        "return_postage": settlement.return_postage.value,
    }


def parse_settlement(form: dict[str, str]) -> Settlement:
    """A settlement from the form that ``settlement_form`` wrote."""
    currency = form["currency"]

    def money(name: str) -> Money:
        written = form[name]
        amount = Money.parse(written.removeprefix("-"), currency)
        return -amount if written.startswith("-") else amount

    return Settlement(
        items=money("items"),
        outbound_shipping=money("outbound_shipping"),
        transaction_fee=money("transaction_fee"),
        already_refunded=money("already_refunded"),
        cap_adjustment=money("cap_adjustment"),
        refund=money("refund"),
        return_postage=ReturnPostage(form["return_postage"]),
    )


def trace_form(trace: Iterable[Asked]) -> list[dict[str, Any]]:
    """The JSON form of a trace; "unknown" stands for ``None`` as in the policy file."""
    return [
        {
            "rule": step.rule,
            "condition": step.condition,
            "wanted": ["unknown" if value is None else value for value in step.wanted],
            "got": "unknown" if step.got is None else step.got,
            "met": step.met,
        }
        for step in trace
    ]


def _proposal_form(proposal: Proposal) -> dict[str, Any]:
    settlement = proposal.settlement
    return {
        "outcome": proposal.outcome.value,
        "rule": proposal.rule,
        "settlement": None if settlement is None else settlement_form(settlement),
    }


_FACTS_KEYS = frozenset({"requested_at", "claim", "evidence", "sender", "order"})
_CLAIM_KEYS = frozenset(
    {
        *("reason", "reason_confidence", "wants", "item_used", "item_altered", "original_box", "received_on"),
        *("repurchased", "mentions_dispute", "lines"),
    }
)
_ORDER_KEYS = frozenset(
    {
        *("number", "status", "paid_at", "shipped_at", "delivered_at", "currency", "shipping", "captured", "refunded"),
        *("payment_method", "transaction_fee", "dispute_open", "lines"),
    }
)
_CLAIM_LINE_KEYS = frozenset({"sku", "quantity"})
_EVIDENCE_KEYS = frozenset({"order_number", "invoice", "photos"})
_ORDER_LINE_KEYS = frozenset({"sku", "quantity", "unit_price", "discount", "tax"})


def _parse_claim(form: object) -> Claim:
    fields = _object(form, "claim", _CLAIM_KEYS)
    confidence = _required(fields, "reason_confidence", "claim")
    if isinstance(confidence, bool) or not isinstance(confidence, int | float) or not 0 <= confidence <= 1:
        raise FactsError("claim.reason_confidence", f"{shown(confidence)} is not a number from 0 to 1")
    lines = _list(fields, "lines", "claim") if "lines" in fields else []
    return Claim(
        reason=_word(fields, "reason", "claim", Reason),
        reason_confidence=float(confidence),
        wants=_word(fields, "wants", "claim", Remedy) if "wants" in fields else Remedy.UNSPECIFIED,
        item_used=_maybe_flag(fields, "item_used", "claim"),
        item_altered=_maybe_flag(fields, "item_altered", "claim"),
        original_box=_maybe_flag(fields, "original_box", "claim"),
        received_on=None if fields.get("received_on") is None else _day(fields, "received_on", "claim"),
        repurchased=_maybe_flag(fields, "repurchased", "claim"),
        mentions_dispute=_maybe_flag(fields, "mentions_dispute", "claim"),
        lines=tuple(_parse_claim_line(line, f"claim.lines[{at}]") for at, line in enumerate(lines)),
    )


def _parse_claim_line(form: object, path: str) -> ClaimLine:
    fields = _object(form, path, _CLAIM_LINE_KEYS)
    return ClaimLine(sku=_text(fields, "sku", path), quantity=_count(fields, "quantity", path, least=1))


def _parse_evidence(form: object) -> Evidence:
    fields = _object(form, "evidence", _EVIDENCE_KEYS)
    return Evidence(
        order_number=None if fields.get("order_number") is None else _text(fields, "order_number", "evidence"),
        invoice=_word(fields, "invoice", "evidence", InvoiceStatus),
        photos=_count(fields, "photos", "evidence", least=0) if "photos" in fields else 0,
    )


def _parse_order_line(form: object, currency: str, path: str) -> OrderLine:
    fields = _object(form, path, _ORDER_LINE_KEYS)
    return OrderLine(
        sku=_text(fields, "sku", path),
        quantity=_count(fields, "quantity", path, least=1),
        unit_price=_money(fields, "unit_price", path, currency),
        discount=_money(fields, "discount", path, currency),
        tax=_money(fields, "tax", path, currency),
    )


def _joined(path: str, key: str) -> str:
    step = key if key.isidentifier() and len(key) <= _MOST_KEY else shown(key)
    return f"{path}.{step}" if path else step


def _object(form: object, path: str, keys: frozenset[str]) -> dict[str, Any]:
    if not isinstance(form, dict):
        raise FactsError(path or "facts", f"{shown(form)} is not a JSON object")
    if not form.keys() <= keys:
        unknown = min(form.keys() - keys)
        raise FactsError(_joined(path, unknown), f"is no known key; known are {', '.join(sorted(keys))}")
    return form


def _required(fields: dict[str, Any], key: str, path: str) -> Any:
    if key not in fields:
        raise FactsError(_joined(path, key), "is missing")
    return fields[key]


def _list(fields: dict[str, Any], key: str, path: str) -> list[Any]:
    value = _required(fields, key, path)
    if not isinstance(value, list):
        raise FactsError(_joined(path, key), f"{shown(value)} is not a JSON array")
    return value


def _text(fields: dict[str, Any], key: str, path: str) -> str:
    value = _required(fields, key, path)
    if not isinstance(value, str) or not value.strip() or len(value) > _MAX_TEXT or not value.isprintable():
        problem = f"{shown(value)} is not a printable text of 1 to {_MAX_TEXT} characters"
        raise FactsError(_joined(path, key), problem)
    return value


def _word(fields: dict[str, Any], key: str, path: str, words: type[_Word]) -> _Word:
    value = _required(fields, key, path)
    try:
        return words(value if isinstance(value, str) else "")
    except ValueError:
        raise FactsError(_joined(path, key), f"{shown(value)} is none of {', '.join(words)}") from None


def _flag(fields: dict[str, Any], key: str, path: str) -> bool:
    value = _required(fields, key, path)
    if not isinstance(value, bool):
        raise FactsError(_joined(path, key), f"{shown(value)} is neither true nor false")
    return value


def _maybe_flag(fields: dict[str, Any], key: str, path: str) -> bool | None:
    return None if fields.get(key) is None else _flag(fields, key, path)


def _count(fields: dict[str, Any], key: str, path: str, *, least: int) -> int:
    value = _required(fields, key, path)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= MAX_QUANTITY:
        problem = f"{shown(value)} is not a whole number from {least} to {MAX_QUANTITY}"
        raise FactsError(_joined(path, key), problem)
    return value


def _money(fields: dict[str, Any], key: str, path: str, currency: str) -> Money:
    value = _required(fields, key, path)
    try:
        return Money.parse(value, currency)
    except MoneyError as problem:
        raise FactsError(_joined(path, key), str(problem)) from None


def _time(fields: dict[str, Any], key: str, path: str) -> datetime:
    value = _required(fields, key, path)
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        moment = None
    if moment is None or moment.year not in _YEARS:
        problem = f"{shown(value)} is not a time such as 2026-03-10T09:00:00Z, {_YEARS[0]} to {_YEARS[-1]}"
        raise FactsError(_joined(path, key), problem)
    if moment.tzinfo is None:
        problem = f"{value!r} has no time zone; write it with an offset, such as 2026-03-10T09:00:00Z"
        raise FactsError(_joined(path, key), problem)
    return moment


def _day(fields: dict[str, Any], key: str, path: str) -> date:
    value = fields[key]
    try:
        day = date.fromisoformat(value) if isinstance(value, str) and _DAY.fullmatch(value) else None
    except ValueError:
        day = None
    if day is None or day.year not in _YEARS:
        problem = f"{shown(value)} is not a date such as 2026-03-10, {_YEARS[0]} to {_YEARS[-1]}"
        raise FactsError(_joined(path, key), problem)
    return day
