"""What follows from a decision: who is written to, where the case goes, which money is due, which clock runs."""

from dataclasses import dataclass

from mailbot.model.case import CaseState, ClockKind
from mailbot.model.decision import APPROVALS, Decision, Outcome, Settlement
from mailbot.model.mail import SenderGrade

RECEIVED = "received"
GENERIC = "generic"
VERIFICATION = "verification"
_PROVEN = frozenset({SenderGrade.V2, SenderGrade.V3})

_STATES = {
    Outcome.APPROVE_CANCELLATION: CaseState.REFUND_DUE,
    Outcome.REFUND: CaseState.REFUND_DUE,
    Outcome.APPROVE_RETURN: CaseState.RETURN_APPROVED,
    Outcome.REQUEST_INFO: CaseState.WAITING_FOR_INFORMATION,
    Outcome.VERIFY_SENDER: CaseState.WAITING_FOR_PROOF,
    Outcome.DECLINE: CaseState.DECLINED,
    Outcome.ESCALATE: CaseState.ESCALATED,
}
_CLOCKS = {
    Outcome.APPROVE_CANCELLATION: ClockKind.REFUND,
    Outcome.REFUND: ClockKind.REFUND,
    Outcome.APPROVE_RETURN: ClockKind.DISPATCH,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """What the sender table needs to know about one mail.

    Attributes:
        address: the strict From address; ``None`` where it is ambiguous, or the verdicts about it are in conflict.
        order_address: the address on file of the order that the mail names; ``None`` without one.
        invoice_came: whether the mail, or an earlier one of its case, brought an invoice of any kind.
        no_auto_reply: rule A4: a machine may not answer this person.
    """

    grade: SenderGrade
    address: str | None
    order_address: str | None
    invoice_came: bool
    no_auto_reply: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What follows, ready to be queued.

    Attributes:
        reply: template for the sender or the proven customer, and ``reply_to`` who gets it; ``None``: nobody does.
        verification_to: the order's address on file, if it is asked whether the mail is its own.
        answers: whether sending it keeps the promise of a reply; a bare acknowledgement does not.
        refund: what becomes due now; ``clock`` the clock that starts with it.
    """

    state: CaseState
    reply: str | None
    reply_to: str | None
    verification_to: str | None
    answers: bool
    refund: Settlement | None
    clock: ClockKind | None


def plan(decision: Decision, template: str, sender: Sender) -> Plan:
    """Plan what follows from a decision about one mail.

    Nothing of an order goes to anyone below V2, and money moves only for a proven customer.

    Args:
        decision: as the policy gave it.
        template: the reply that the row names for a proven customer.
        sender: who wrote.

    Source: RELIABILITY.md, "Who is the sender"; CONTRACT.md, ``explain --json``.
    """
    reply, reply_to = _reply(template, sender)
    verification_to = _verification_to(sender)
    reached = reply_to is not None or verification_to is not None
    approved = decision.outcome in APPROVALS
    doubtful = sender.address is None and sender.grade is SenderGrade.VX
    held = doubtful or not reached or (approved and sender.grade not in _PROVEN)
    return Plan(
        state=CaseState.ESCALATED if held else _STATES[decision.outcome],
        reply=reply,
        reply_to=reply_to,
        verification_to=verification_to,
        answers=not held and decision.outcome is not Outcome.ESCALATE,
        refund=decision.settlement if decision.outcome is Outcome.APPROVE_CANCELLATION and not held else None,
        clock=None if held else _CLOCKS.get(decision.outcome),
    )


def plan_approval(outcome: Outcome, settlement: Settlement | None) -> Plan:
    """Plan what follows, letters apart, when a person approves what was proposed or drafted."""
    return Plan(
        state=_STATES[outcome],
        reply=None,
        reply_to=None,
        verification_to=None,
        answers=True,
        refund=settlement if _CLOCKS.get(outcome) is ClockKind.REFUND else None,
        clock=_CLOCKS.get(outcome),
    )


def plan_inspected(decision: Decision) -> Plan:
    """Plan what follows, letters apart, when returned goods are accepted: the money becomes due (Deadlines)."""
    return Plan(
        state=CaseState.REFUND_DUE,
        reply=None,
        reply_to=None,
        verification_to=None,
        answers=True,
        refund=decision.settlement,
        clock=ClockKind.REFUND,
    )


def _reply(template: str, sender: Sender) -> tuple[str | None, str | None]:
    if sender.no_auto_reply:
        return None, None
    match sender.grade:
        case SenderGrade.V3:
            return template, sender.order_address
        case SenderGrade.V2:
            return template, sender.address
        case SenderGrade.V0:
            return GENERIC, sender.address
        case _:
            return None, None


def _verification_to(sender: Sender) -> str | None:
    if sender.no_auto_reply or sender.grade in _PROVEN:
        return None
    asks = sender.grade is SenderGrade.V1 or sender.invoice_came
    return sender.order_address if asks else None
