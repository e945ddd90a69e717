"""What was decided, why, and what it is worth. Source: POLICY.md."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from mailbot.model.money import Money

Answer = bool | str | None
"""What a condition may answer; ``None`` is "nobody knows"."""


class Outcome(StrEnum):
    """The verb of a decision; ``refund`` is only ever proposed to a person."""

    APPROVE_CANCELLATION = "approve_cancellation"
    APPROVE_RETURN = "approve_return"
    REQUEST_INFO = "request_info"
    VERIFY_SENDER = "verify_sender"
    DECLINE = "decline"
    ESCALATE = "escalate"
    REFUND = "refund"


APPROVALS = frozenset({Outcome.APPROVE_CANCELLATION, Outcome.APPROVE_RETURN})


class ReturnPostage(StrEnum):
    """Who pays for sending the goods back."""

    NONE = "none"
    CUSTOMER = "customer"
    MERCHANT = "merchant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """The bill behind a refund. ``items`` to ``cap_adjustment`` always add up to ``refund``.

    Attributes:
        transaction_fee: zero or negative: what the buyer bears (C10).
        already_refunded: zero or negative: what went back before.
        cap_adjustment: what holding the sum between 0 and what is left of the payment changed.
    """

    items: Money
    outbound_shipping: Money
    transaction_fee: Money
    already_refunded: Money
    cap_adjustment: Money
    refund: Money
    return_postage: ReturnPostage


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What a row would have decided, offered to the person who decides instead."""

    outcome: Outcome
    rule: str
    settlement: Settlement | None


class Asked(NamedTuple):
    """One condition that a row or guard asked, and the answer: a step of a decision's trace.

    A named tuple, because one decision makes some forty of them.

    Attributes:
        wanted: the answers that would have met it; ``None`` among them stands for "unknown".
        got: the facts' answer.
    """

    rule: str
    condition: str
    wanted: tuple[Answer, ...]
    got: Answer

    @property
    def met(self) -> bool:
        """Whether the answer was one that the rule wanted."""
        return self.got in self.wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the policy answers to one set of facts.

    Attributes:
        rule: id of the row that answered, or of the guard that overruled it.
        escalation: ``rule`` again where the outcome is ``escalate``.
        missing: which of ``order_number`` and ``invoice`` the customer has yet to send.
        received_on: the date of receipt that the windows count from.
    """

    outcome: Outcome
    rule: str
    clauses: tuple[str, ...]
    escalation: str | None
    missing: tuple[str, ...]
    proposal: Proposal | None
    settlement: Settlement | None
    received_on: date | None
