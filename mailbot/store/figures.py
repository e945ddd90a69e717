"""Figures about the whole shop: cases, promises, refunds and mails, counted where they lie."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from mailbot.model.case import ClockKind, ClockLevel
from mailbot.model.money import Money
from mailbot.store.tables import CaseRow, ClockRow, MailRow, OutboxRow, RefundRow

_OURS = (ClockKind.REPLY, ClockKind.REFUND)


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """One promise of the shop to a customer, kept or not."""

    case_id: int
    kind: str
    started_at: datetime
    limit_at: datetime
    met_at: datetime | None


def cases_by_state(session: Session) -> dict[str, int]:
    """How many cases stand in each state."""
    counted = select(CaseRow.state, func.count()).group_by(CaseRow.state).order_by(CaseRow.state)
    return dict(session.execute(counted).all())


def mails_by_state(session: Session) -> dict[str, int]:
    """How many mails have come to each state."""
    counted = select(MailRow.state, func.count()).group_by(MailRow.state).order_by(MailRow.state)
    return dict(session.execute(counted).all())


def letters_by_state(session: Session) -> dict[str, int]:
    """How many letters have come to each state."""
    counted = select(OutboxRow.state, func.count()).group_by(OutboxRow.state).order_by(OutboxRow.state)
    return dict(session.execute(counted).all())


def refunds_by_state(session: Session) -> list[tuple[str, int, Money]]:
    """State, number and sum of refunds, by state and currency."""
    summed = select(RefundRow.state, RefundRow.currency, func.count(), func.sum(RefundRow.amount_minor))
    summed = summed.group_by(RefundRow.state, RefundRow.currency).order_by(RefundRow.state, RefundRow.currency)
    return [
        (state, count, Money.from_minor(int(minor), currency))
        for state, currency, count, minor in session.execute(summed)
    ]


def open_promises(session: Session) -> list[Promise]:
    """Every promise of the shop that is not kept yet; a dispatch is the customer's to keep."""
    return _promises(session, _OURS, ClockRow.met_at.is_(None))


def promises_kept_since(session: Session, moment: datetime) -> list[Promise]:
    """Every promise of the shop that was kept since then."""
    return _promises(session, _OURS, ClockRow.met_at > moment)


def _promises(session: Session, kinds: Collection[ClockKind], which: ColumnElement[bool]) -> list[Promise]:
    wanted = select(ClockRow).where(ClockRow.level == ClockLevel.LIMIT, ClockRow.kind.in_(kinds), which)
    return [
        Promise(case_id=row.case_id, kind=row.kind, started_at=row.started_at, limit_at=row.due_at, met_at=row.met_at)
        for row in session.scalars(wanted.order_by(ClockRow.due_at, ClockRow.id))
    ]
