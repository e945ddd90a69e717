"""Money that decisions made due, until a person confirms that it was paid. Source: I6, I7; P4, provider "manual"."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailbot.errors import InputError
from mailbot.model.decision import Settlement
from mailbot.model.money import Money
from mailbot.store.tables import CaseRow, RefundRow, RefundState
from mailbot.store.upsert import insert_if_absent


class RefundError(InputError):
    """A confirmation that does not fit what is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One refund to pay.

    Attributes:
        order_number: whose payment it goes back to.
    """

    case_id: int
    order_number: str | None
    amount: Money
    approved_by: str
    approved_at: datetime


def record_due(
    session: Session, case: CaseRow, settlement: Settlement, now: datetime, *, decision_id: int, approved_by: str
) -> None:
    """Note money that is due now; the same approval of a case never makes it due twice (I6, I7)."""
    row = {
        "case_id": case.id,
        "decision_id": decision_id,
        "order_key": case.order_key,
        "amount_minor": settlement.refund.minor,
        "currency": settlement.refund.currency,
        "state": RefundState.DUE,
        "approved_by": approved_by,
        "approved_at": now,
    }
    insert_if_absent(session, RefundRow, row)


def all_due(session: Session) -> list[Due]:
    """Every refund that is still to be paid, the longest due first."""
    due = select(RefundRow, CaseRow.order_number).join(CaseRow, CaseRow.id == RefundRow.case_id)
    rows = session.execute(due.where(RefundRow.state == RefundState.DUE).order_by(RefundRow.approved_at))
    return [
        Due(
            case_id=row.case_id,
            order_number=order_number,
            amount=Money.from_minor(row.amount_minor, row.currency),
            approved_by=row.approved_by,
            approved_at=row.approved_at,
        )
        for row, order_number in rows
    ]


def is_due(session: Session, case_id: int) -> bool:
    """Whether a refund of this case is still to be paid."""
    due = select(RefundRow.id).where(RefundRow.case_id == case_id, RefundRow.state == RefundState.DUE)
    return session.scalar(due.limit(1)) is not None


def confirm(session: Session, case_id: int, reference: str, now: datetime) -> Money:
    """Note that a case's refund was paid.

    Args:
        session: one transaction.
        case_id: the case.
        reference: of the payment, as the bank or payment service gave it.
        now: the time of the confirmation.

    Raises:
        RefundError: nothing is due on the case, or the reference was used before.
    """
    reference = reference.strip()
    if not reference or not reference.isprintable():
        raise RefundError("--reference: give the payment's reference, as the payment service shows it")
    if session.scalar(select(RefundRow.id).where(RefundRow.reference == reference)) is not None:
        raise RefundError(f"reference {reference!r} was used before; each payment has its own")
    mine = select(RefundRow).where(RefundRow.case_id == case_id, RefundRow.state == RefundState.DUE)
    row = session.scalars(mine.order_by(RefundRow.id).with_for_update()).first()
    if row is None:
        raise RefundError("no refund is due on this case; mailbot refund list shows those that are")
    row.state, row.reference, row.paid_at = RefundState.PAID, reference, now
    return Money.from_minor(row.amount_minor, row.currency)
