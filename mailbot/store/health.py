"""How mailbot itself does: when each mailbox was last looked at, what waits to be sent, what is parked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailbot.store.cases import number_of
from mailbot.store.tables import FolderRow, MailRow, MailState, OutboxRow, OutboxState

_MOST = 100
_ON_THE_WAY = (OutboxState.QUEUED, OutboxState.SENDING, OutboxState.AMBIGUOUS, OutboxState.FAILED, OutboxState.DRAFT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """One mail that no machine could handle."""

    id: int
    case: str | None
    received_at: datetime
    sender: str | None
    problem: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What the page shows.

    Attributes:
        outbox: by state: how many, and the oldest.
    """

    folders: Sequence[FolderRow]
    mails: list[tuple[str, int]]
    outbox: list[tuple[str, int, datetime]]
    parked: list[Parked]


def look(session: Session) -> Health:
    """All of it."""
    folders = session.scalars(select(FolderRow).order_by(FolderRow.mailbox, FolderRow.id.desc())).all()
    states = session.execute(select(MailRow.state, func.count()).group_by(MailRow.state).order_by(MailRow.state))
    waiting = select(OutboxRow.state, func.count(), func.min(OutboxRow.created_at))
    waiting = waiting.where(OutboxRow.state.in_(_ON_THE_WAY)).group_by(OutboxRow.state)
    parked = select(MailRow).where(MailRow.state == MailState.PARKED).order_by(MailRow.id.desc()).limit(_MOST)
    return Health(
        folders=folders,
        mails=[(state, count) for state, count in states],
        outbox=[(state, count, oldest) for state, count, oldest in session.execute(waiting)],
        parked=[
            Parked(
                id=row.id,
                case=None if row.case_id is None else number_of(row.case_id),
                received_at=row.received_at,
                sender=row.sender,
                problem=row.problem,
            )
            for row in session.scalars(parked)
        ],
    )
