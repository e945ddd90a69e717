"""Refunds as intents: recorded where they are decided, paid at most once, and found again by their key.

Source: I6-I8; P4.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailbot.errors import InputError
from mailbot.model.book import BookedOrder
from mailbot.model.decision import Settlement
from mailbot.model.money import Money
from mailbot.model.refund import PAID, PROMISED, RefundOrder, RefundState, next_refund_state
from mailbot.store.cases import number_of
from mailbot.store.orders import left_of
from mailbot.store.tables import CaseRow, OrderRow, RefundRow

BY_POLICY = "policy"


class RefundError(InputError):
    """A payment, approval or confirmation that does not fit what is due; the text says what would."""


class OverpaymentError(RefundError):
    """More would go back than is left of the payment (I6)."""

    def __init__(self, number: str, amount: Money, left: Money) -> None:
        """Keep what was asked apart from what there is."""
        self.number, self.amount, self.left = number, amount, left
        super().__init__(f"{number}: {amount} is to be refunded, but only {left} of the payment is left")


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Who lets the money go.

    Attributes:
        decision_id: the stored decision that it is made of (I7).
        by: ``policy``, or a person's name.
        needs_two: two persons must, because it is above the four-eyes limit.
    """

    decision_id: int
    by: str
    needs_two: bool


def record_intent(
    session: Session,
    case: CaseRow,
    settlement: Settlement,
    booked: BookedOrder,
    approval: Approval,
    *,
    provider: str,
    now: datetime,
) -> RefundRow | None:
    """Note money that is to go back, in the transaction that decided it; the caller holds the order's lock.

    The same decision of a case never makes it due twice; nothing is recorded where nothing is to go back.

    Raises:
        OverpaymentError: more than is left of the payment (I6).
    """
    number = number_of(case.id)
    mine = (RefundRow.case_id == case.id, RefundRow.decision_id == approval.decision_id)
    before = session.scalars(select(RefundRow).where(*mine).order_by(RefundRow.attempt)).all()
    if any(row.state != RefundState.CANCELLED for row in before) or not settlement.refund.minor:
        return None
    left = left_of(session, booked)
    if left < settlement.refund:
        raise OverpaymentError(number, settlement.refund, left)
    attempt = len(before) + 1
    order = RefundOrder(
        key=f"mailbot-{case.id}-{approval.decision_id}-{attempt}",
        case_number=number,
        capture=booked.order.number,
        method=booked.order.payment_method,
        amount=settlement.refund,
    )
    row = RefundRow(
        case_id=case.id,
        decision_id=approval.decision_id,
        attempt=attempt,
        order_key=booked.key,
        key=order.key,
        provider=provider,
        body=order.body(),
        amount_minor=settlement.refund.minor,
        currency=settlement.refund.currency,
        state=RefundState.AWAITING_APPROVAL if approval.needs_two else RefundState.DUE,
        approved_by=approval.by,
        approved_at=now,
        looks=0,
    )
    session.add(row)
    session.flush()
    return row


def amount_of(row: RefundRow) -> Money:
    """What is to go back, or has gone."""
    return Money.from_minor(row.amount_minor, row.currency)


def change(row: RefundRow, to: RefundState, *, held_for: str | None = None) -> None:
    """Bring a refund to another state.

    Raises:
        IllegalRefundError: its state does not lead there.
    """
    row.state = next_refund_state(row.key, RefundState(row.state), to)
    row.held_for = held_for


def of_case(session: Session, case_id: int, states: Collection[RefundState], *, lock: bool = False) -> list[RefundRow]:
    """The refunds of a case that stand in one of these states, oldest first."""
    mine = select(RefundRow).where(RefundRow.case_id == case_id, RefundRow.state.in_(states)).order_by(RefundRow.id)
    return list(session.scalars(mine.with_for_update() if lock else mine))


def is_promised(session: Session, case_id: int) -> bool:
    """Whether money of this case may still go."""
    return bool(of_case(session, case_id, PROMISED))


def all_in(session: Session, states: Collection[RefundState]) -> Sequence[tuple[RefundRow, CaseRow]]:
    """Every refund in one of these states with its case, the longest approved first."""
    wanted = select(RefundRow, CaseRow).join(CaseRow, CaseRow.id == RefundRow.case_id)
    wanted = wanted.where(RefundRow.state.in_(states)).order_by(RefundRow.approved_at, RefundRow.id)
    return [(row, case) for row, case in session.execute(wanted)]


def all_disputed(session: Session) -> Sequence[tuple[RefundRow, CaseRow]]:
    """Every refund that may be paid though the book shows a dispute about its order."""
    wanted = select(RefundRow, CaseRow).join(CaseRow, CaseRow.id == RefundRow.case_id)
    wanted = wanted.join(OrderRow, OrderRow.key == RefundRow.order_key).where(OrderRow.dispute_open)
    wanted = wanted.where(RefundRow.state.in_((RefundState.AWAITING_APPROVAL, RefundState.DUE)))
    return [(row, case) for row, case in session.execute(wanted)]


def approve(row: RefundRow, by: str, now: datetime) -> None:
    """A person's yes to a refund that needs two of them; two different ones make it due (I7).

    Raises:
        RefundError: this person approved it already.
    """
    if row.approved_by == BY_POLICY:
        row.approved_by, row.approved_at = by, now
        return
    if row.approved_by == by:
        raise RefundError(f"{number_of(row.case_id)}: {by} has approved this refund already; another person must")
    change(row, RefundState.DUE)
    row.second_approver, row.approved_at = by, now


def hold(session: Session, case_id: int, why: str) -> list[RefundRow]:
    """Keep from being paid what nobody has been told to pay yet.

    Returns:
        What is held now; what is being paid already cannot be held.
    """
    open_ = (RefundState.AWAITING_APPROVAL, RefundState.DUE)
    rows = of_case(session, case_id, open_, lock=True)
    for row in rows:
        change(row, RefundState.HELD, held_for=why)
    return rows


def cancel(session: Session, case_id: int) -> list[RefundRow]:
    """Call off what has not been paid and that nobody is paying now.

    Raises:
        RefundError: somebody is paying it.
    """
    rows = of_case(session, case_id, PROMISED, lock=True)
    for row in rows:
        if row.state in {RefundState.SUBMITTING, RefundState.UNKNOWN}:
            name = number_of(case_id)
            raise RefundError(f"{name}: its refund is being paid; confirm it with mailbot refund confirm {name}")
        change(row, RefundState.CANCELLED)
    return rows


def record_paid(session: Session, row: RefundRow, reference: str, now: datetime) -> Money:
    """Note that a refund was paid.

    Args:
        session: one transaction.
        row: the refund, locked.
        reference: of the payment, as the bank or payment service gave it.
        now: when that became known.

    Raises:
        RefundError: the reference is none, or was used before.
    """
    reference = reference.strip()
    if not reference or not reference.isprintable():
        raise RefundError("--reference: give the payment's reference, as the payment service shows it")
    if session.scalar(select(RefundRow.id).where(RefundRow.reference == reference)) is not None:
        raise RefundError(f"reference {reference!r} was used before; each payment has its own")
    change(row, RefundState.PAID)
    row.reference, row.paid_at = reference, row.paid_at or now
    return amount_of(row)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """What was paid lately: how often, to how many of a customer's cases, and how much of a currency."""

    times: int
    of_customer: int
    minor: int


def paid_lately(
    session: Session, *, customer: str | None, currency: str, hour: datetime, day: datetime, month: datetime
) -> Paid:
    """What the caps of automatic payment are compared with.

    Args:
        session: the transaction that is about to pay.
        customer: whose refunds are counted since ``month``.
        currency: whose sums are added since ``day``.
        hour: since when payments are counted; ``day`` and ``month`` likewise.
        day: see ``hour``.
        month: see ``hour``.
    """
    moved = RefundRow.state.in_([*PAID, RefundState.SUBMITTING, RefundState.UNKNOWN])
    since = func.coalesce(RefundRow.submitted_at, RefundRow.paid_at)
    times = select(func.count()).select_from(RefundRow).where(moved, since > hour)
    theirs = select(func.count()).select_from(RefundRow).join(CaseRow, CaseRow.id == RefundRow.case_id)
    sums = select(func.coalesce(func.sum(RefundRow.amount_minor), 0))
    return Paid(
        times=session.scalars(times).one(),
        of_customer=session.scalars(theirs.where(moved, since > month, CaseRow.customer == customer)).one(),
        minor=int(session.scalars(sums.where(moved, since > day, RefundRow.currency == currency)).one()),
    )
