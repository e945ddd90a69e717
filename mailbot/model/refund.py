"""Money on its way back: the states of one refund, what may follow what, and the frozen order to pay it. Source: P4."""

import json
from dataclasses import dataclass
from enum import StrEnum

from mailbot.errors import PermanentError
from mailbot.model.money import Money


class RefundState(StrEnum):
    """Where a refund stands.

    ``submitting`` is committed before anybody is asked to pay; ``unknown`` means that nobody knows whether it was paid.
    """

    AWAITING_APPROVAL = "awaiting_approval"
    DUE = "due"
    HELD = "held"
    SUBMITTING = "submitting"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    PAID = "paid"
    PAID_ELSEWHERE = "paid_elsewhere"
    CANCELLED = "cancelled"


_S = RefundState
_PAID = frozenset({_S.PAID, _S.PAID_ELSEWHERE})

REFUND_TRANSITIONS: dict[RefundState, frozenset[RefundState]] = {
    _S.AWAITING_APPROVAL: frozenset({_S.DUE, _S.HELD, _S.CANCELLED, _S.PAID_ELSEWHERE}),
    _S.DUE: frozenset({_S.SUBMITTING, _S.HELD, _S.CANCELLED}) | _PAID,
    _S.HELD: frozenset({_S.AWAITING_APPROVAL, _S.DUE, _S.CANCELLED}) | _PAID,
    _S.SUBMITTING: frozenset({_S.UNKNOWN, _S.REFUSED}) | _PAID,
    _S.UNKNOWN: frozenset({_S.DUE}) | _PAID,
    _S.REFUSED: frozenset({_S.DUE, _S.CANCELLED}) | _PAID,
    _S.PAID: frozenset(),
    _S.PAID_ELSEWHERE: frozenset({_S.PAID}),
    _S.CANCELLED: frozenset(),
}
"""What may follow each state of a refund."""

PROMISED = frozenset(RefundState) - _PAID - {_S.CANCELLED}
"""States in which the money may still go: it counts against what is left of the payment (I6)."""

PAID = _PAID
"""States in which the customer has the money."""


class IllegalRefundError(PermanentError):
    """A refund was asked to go where its state does not lead."""

    def __init__(self, key: str, state: RefundState, to: RefundState) -> None:
        """Keep refund and states apart."""
        self.key, self.state, self.to = key, state, to
        allowed = ", ".join(sorted(REFUND_TRANSITIONS[state])) or "nothing else"
        super().__init__(f"refund {key} is {state} and cannot become {to}; it can become {allowed}")


def next_refund_state(key: str, state: RefundState, to: RefundState) -> RefundState:
    """The state ``to``, if it may follow ``state``.

    Raises:
        IllegalRefundError: it may not.
    """
    if to not in REFUND_TRANSITIONS[state]:
        raise IllegalRefundError(key, state, to)
    return to


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundOrder:
    """An order to pay, frozen when it was decided: nothing in it comes from a mail (I8).

    Attributes:
        key: fixed idempotency key; the provider and the shop's books find the payment again by it.
        capture: the payment that the money goes back to, as the order book names it.
        method: how that payment was made.
    """

    key: str
    case_number: str
    capture: str
    method: str
    amount: Money

    def body(self) -> str:
        """What a provider is sent, byte for byte the same at every try; amount and currency are always explicit."""
        form = {
            "key": self.key,
            "case": self.case_number,
            "capture": self.capture,
            "method": self.method,
            "amount": str(self.amount),
            "currency": self.amount.currency,
        }
        return json.dumps(form, ensure_ascii=True, sort_keys=True)


def parse_refund_order(body: str) -> RefundOrder:
    """The order to pay that ``body`` was made of."""
    form = json.loads(body)
    return RefundOrder(
        key=form["key"],
        case_number=form["case"],
        capture=form["capture"],
        method=form["method"],
        amount=Money.parse(form["amount"], form["currency"]),
    )
