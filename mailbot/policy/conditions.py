"""What a row, a guard or a settlement of the policy file may ask, one small function each.

Every answer is ``True``, ``False``, a word, or ``None``: nobody knows. A condition that asks about the order answers
``None`` where there is no order. Source: POLICY.md, Definitions and the decision table.
"""

import calendar
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from mailbot.model.decision import APPROVALS, Answer, Outcome, Settlement
from mailbot.model.facts import Facts, InvoiceStatus, Order, OrderStatus, Reason, Remedy, SenderStatus
from mailbot.policy.terms import Terms


class Ground:
    """The facts beside what the definitions derive from them.

    Attributes:
        asked_on: the day of the request in the shop's time zone.
        dispatched: whether the goods have left ("Dispatched"); ``None`` without an order.
        received_on: the day of receipt, the book's or a plausible one that the customer states ("Received on").
        missing: what the customer has yet to send, in the order it is asked for (row 2).
        whole_order: whether the claim is about all of every line ("Full refund").

    Source: POLICY.md, Definitions.
    """

    __slots__ = ("asked_on", "dispatched", "facts", "missing", "order", "received_on", "terms", "whole_order")

    def __init__(self, facts: Facts, terms: Terms) -> None:
        """Derive all of it; ``facts`` have been checked when they were built."""
        self.facts, self.terms, self.order = facts, terms, facts.order
        self.asked_on = facts.requested_at.astimezone(terms.timezone).date()
        self.dispatched = None if facts.order is None else _dispatched(facts.order)
        self.received_on = self._received_on()
        lacks_order = facts.evidence.order_number is None or facts.order is None
        lacks_invoice = facts.evidence.invoice is InvoiceStatus.ABSENT
        self.missing = ("order_number",) * lacks_order + ("invoice",) * lacks_invoice
        self.whole_order = not facts.claim.lines or self._claims_every_unit()

    def _received_on(self) -> date | None:
        order, stated, zone = self.order, self.facts.claim.received_on, self.terms.timezone
        if order is None:
            return None
        if order.delivered_at is not None:
            return order.delivered_at.astimezone(zone).date()
        if stated is None or not self.dispatched:
            return None
        dispatched_on = (order.shipped_at or order.paid_at).astimezone(zone).date()
        latest = min(self.asked_on, dispatched_on + timedelta(days=self.terms.max_transit_days))
        return stated if dispatched_on <= stated <= latest else None

    def _claims_every_unit(self) -> bool:
        claimed: dict[str, int] = {}
        for line in self.facts.claim.lines:
            claimed[line.sku] = claimed.get(line.sku, 0) + line.quantity
        return all(claimed.get(line.sku) == line.quantity for line in (self.order.lines if self.order else ()))


def _dispatched(order: Order) -> bool:
    gone = order.shipped_at is not None or order.delivered_at is not None
    return gone or order.status in {OrderStatus.SHIPPED, OrderStatus.DELIVERED}


def _whole_days_left(start: date | None, asked_on: date, days: int) -> bool | None:
    return None if start is None else asked_on <= start + timedelta(days=days)


def add_months(day: date, months: int) -> date:
    """The same day so many calendar months later, clamped to that month's end.

    Source: POLICY.md, Definitions, "Windows" (30 November + 3 months = 28 or 29 February).
    """
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def disputed(ground: Ground) -> Answer:
    """Tell whether a dispute is open, announced or mentioned. Source: C9; row 1."""
    return (ground.order is not None and ground.order.dispute_open) or bool(ground.facts.claim.mentions_dispute)


def evidence_complete(ground: Ground) -> Answer:
    """Tell whether a known order and an invoice are there. Source: C8; row 2."""
    return not ground.missing


def order_number_given(ground: Ground) -> Answer:
    """Tell whether the mail names an order, known or not. Source: C8; row 2."""
    return ground.facts.evidence.order_number is not None


def invoice(ground: Ground) -> Answer:
    """Say how the invoice compares with the order. Source: C8; rows 2 and 4."""
    return ground.facts.evidence.invoice


def sender(ground: Ground) -> Answer:
    """Say whether the sender proved to be the order's customer. Source: C8; row 3."""
    return ground.facts.sender


def money_left(ground: Ground) -> Answer:
    """Tell whether any of the payment has not been refunded yet. Source: C8; row 5."""
    return None if ground.order is None else ground.order.refunded < ground.order.captured


def order_status(ground: Ground) -> Answer:
    """Say how the order stands in the book. Source: C8; row 6."""
    return None if ground.order is None else ground.order.status


def wants(ground: Ground) -> Answer:
    """Say what the customer wants done. Source: C5; row 7."""
    return ground.facts.claim.wants


def reason(ground: Ground) -> Answer:
    """Say why the customer asks. Source: POLICY.md, Definitions, "Reasons"."""
    return ground.facts.claim.reason


def returnable(ground: Ground) -> Answer:
    """Tell whether the reason is one for which goods may be sent back. Source: POLICY.md, "Reasons"."""
    return ground.facts.claim.reason in ground.terms.returnable


def logistics(ground: Ground) -> Answer:
    """Tell whether the parcel went wrong. Source: C11; row 9."""
    return ground.facts.claim.reason in ground.terms.logistics


def dispatched(ground: Ground) -> Answer:
    """Tell whether the goods have left the shop. Source: POLICY.md, "Dispatched"."""
    return ground.dispatched


def in_guarantee(ground: Ground) -> Answer:
    """Tell whether the quality guarantee still ran on the day of the request; unknown without a day of receipt.

    Source: C5; rows 10 to 12.
    """
    if ground.received_on is None:
        return None
    return ground.asked_on <= add_months(ground.received_on, ground.terms.guarantee_months)


def in_cancel_window(ground: Ground) -> Answer:
    """Tell whether the request came within the cancellation days after payment. Source: C7; rows 13 to 17."""
    paid_on = None if ground.order is None else ground.order.paid_at.astimezone(ground.terms.timezone).date()
    return _whole_days_left(paid_on, ground.asked_on, ground.terms.cancel_days)


def in_return_window(ground: Ground) -> Answer:
    """Tell whether the return was asked for in time; unknown without a day of receipt. Source: C6; rows 15 to 21."""
    return _whole_days_left(ground.received_on, ground.asked_on, ground.terms.return_days)


def used_or_altered(ground: Ground) -> Answer:
    """Tell whether the customer says that the item was used, installed or modified. Source: C6, C12; row 19."""
    said = (ground.facts.claim.item_used, ground.facts.claim.item_altered)
    return True if True in said else False if said == (False, False) else None


def original_box(ground: Ground) -> Answer:
    """Tell whether the customer still has the original box. Source: C13; row 20."""
    return ground.facts.claim.original_box


def payment_method(ground: Ground) -> Answer:
    """Name the service that the order was paid through. Source: C10."""
    return None if ground.order is None else ground.order.payment_method


def whole_order(ground: Ground) -> Answer:
    """Tell whether the claim is about all of every line. Source: C10; POLICY.md, "Full"."""
    return ground.whole_order


def mistake_repurchased(ground: Ground) -> Answer:
    """Tell whether an order by mistake was followed by the right purchase. Source: C10."""
    claim = ground.facts.claim
    return claim.reason is Reason.MISTAKEN_ORDER and claim.repurchased is True


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a guarded row decided, before the guards have looked at it."""

    ground: Ground
    outcome: Outcome
    settlement: Settlement | None


def row_outcome(draft: Draft) -> Answer:
    """Say what the row decided."""
    return draft.outcome


def row_escalates(draft: Draft) -> Answer:
    """Tell whether the row hands the case to a person already."""
    return draft.outcome is Outcome.ESCALATE


def row_approves(draft: Draft) -> Answer:
    """Tell whether the row gives the customer what was asked for."""
    return draft.outcome in APPROVALS


def confident(draft: Draft) -> Answer:
    """Tell whether the reason was read surely enough to decide on it. Source: guard 1."""
    return draft.ground.facts.claim.reason_confidence >= draft.ground.terms.min_confidence


def settlement_known(draft: Draft) -> Answer:
    """Tell whether the sums could be worked out. Source: guard 2."""
    return draft.settlement is not None


def within_auto_approve_limit(draft: Draft) -> Answer:
    """Tell whether the refund is small enough to need no person; a currency without a limit is not. Source: guard 3."""
    if draft.settlement is None:
        return None
    limit = draft.ground.terms.auto_approve_limits.get(draft.settlement.refund.currency)
    return limit is not None and draft.settlement.refund <= limit


_YES_NO = (True, False)
_YES_NO_UNKNOWN = (True, False, None)

# Each condition with all that it may answer; no tuple means any text. The name is the one in the policy file.
OF_FACTS: dict[str, tuple[Callable[[Ground], Answer], tuple[Answer, ...] | None]] = {
    "disputed": (disputed, _YES_NO),
    "evidence_complete": (evidence_complete, _YES_NO),
    "order_number_given": (order_number_given, _YES_NO),
    "invoice": (invoice, tuple(InvoiceStatus)),
    "sender": (sender, tuple(SenderStatus)),
    "money_left": (money_left, _YES_NO_UNKNOWN),
    "order_status": (order_status, (*OrderStatus, None)),
    "wants": (wants, tuple(Remedy)),
    "reason": (reason, tuple(Reason)),
    "returnable": (returnable, _YES_NO),
    "logistics": (logistics, _YES_NO),
    "dispatched": (dispatched, _YES_NO_UNKNOWN),
    "in_guarantee": (in_guarantee, _YES_NO_UNKNOWN),
    "in_cancel_window": (in_cancel_window, _YES_NO_UNKNOWN),
    "in_return_window": (in_return_window, _YES_NO_UNKNOWN),
    "used_or_altered": (used_or_altered, _YES_NO_UNKNOWN),
    "original_box": (original_box, _YES_NO_UNKNOWN),
    "payment_method": (payment_method, None),
    "whole_order": (whole_order, _YES_NO),
    "mistake_repurchased": (mistake_repurchased, _YES_NO),
}
OF_DRAFTS: dict[str, tuple[Callable[[Draft], Answer], tuple[Answer, ...] | None]] = {
    "row_outcome": (row_outcome, tuple(Outcome)),
    "row_escalates": (row_escalates, _YES_NO),
    "row_approves": (row_approves, _YES_NO),
    "confident": (confident, _YES_NO),
    "settlement_known": (settlement_known, _YES_NO),
    "within_auto_approve_limit": (within_auto_approve_limit, _YES_NO_UNKNOWN),
}
