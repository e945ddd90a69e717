"""What people ordered and can still take back: one a case at a time, done once when its time has come."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from mailbot.store.desk_tables import HeldRow, OrderState
from mailbot.store.upsert import insert_if_absent

HELD_FOR = timedelta(seconds=20)


def hold(
    session: Session, case_id: int, actor: str, *, verb: str, details: Mapping[str, str], seen: int, now: datetime
) -> bool:
    """Hold an order back until it can no longer be taken back.

    Returns:
        Whether it is held now; ``False`` where another order on the case is, as after a double click.
    """
    row = {
        "case_id": case_id,
        "actor": actor,
        "verb": verb,
        "details": dict(details),
        "seen": seen,
        "state": OrderState.HELD,
        "ordered_at": now,
        "due_at": now + HELD_FOR,
    }
    return insert_if_absent(session, HeldRow, row)


def latest(session: Session, case_id: int) -> HeldRow | None:
    """The newest order on a case that is held back or could not be done; ``None`` where the newest is over."""
    mine = select(HeldRow).where(HeldRow.case_id == case_id).order_by(HeldRow.id.desc()).limit(1)
    row = session.scalars(mine).one_or_none()
    return row if row is not None and row.state in {OrderState.HELD, OrderState.FAILED} else None


def is_held(session: Session, case_id: int) -> bool:
    """Whether an order on a case is held back just now."""
    mine = select(HeldRow.id).where(HeldRow.case_id == case_id, HeldRow.state == OrderState.HELD)
    return session.scalar(mine) is not None


def due(session: Session, now: datetime) -> list[int]:
    """Orders whose time has come, the oldest first."""
    ready = select(HeldRow.id).where(HeldRow.state == OrderState.HELD, HeldRow.due_at <= now)
    return list(session.scalars(ready.order_by(HeldRow.due_at, HeldRow.id)))


def get_locked(session: Session, held_id: int) -> HeldRow | None:
    """An order that is still held back, locked; ``None`` where another process or its person was faster."""
    mine = select(HeldRow).where(HeldRow.id == held_id, HeldRow.state == OrderState.HELD)
    return session.scalars(mine.with_for_update(skip_locked=True)).one_or_none()


def undo(session: Session, case_id: int, now: datetime) -> bool:
    """Take back what is held on a case; ``False`` where its time has come already."""
    mine = update(HeldRow).where(HeldRow.case_id == case_id, HeldRow.state == OrderState.HELD, HeldRow.due_at > now)
    return session.scalar(mine.values(state=OrderState.UNDONE).returning(HeldRow.id)) is not None


def finish(session: Session, held_id: int, problem: str | None) -> None:
    """Note that an order was done, or why it could not be."""
    state = OrderState.DONE if problem is None else OrderState.FAILED
    session.execute(update(HeldRow).where(HeldRow.id == held_id).values(state=state, problem=problem))


def dismiss(session: Session, case_id: int) -> None:
    """A person has read why an order could not be done."""
    failed = update(HeldRow).where(HeldRow.case_id == case_id, HeldRow.state == OrderState.FAILED)
    session.execute(failed.values(state=OrderState.DONE))
