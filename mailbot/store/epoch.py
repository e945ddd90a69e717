"""Knowing that a database is a copy of itself or of another: by a count in it and in a file beside it (P6)."""

import os
from datetime import datetime
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from mailbot.store import switch
from mailbot.store.tables import InstanceRow, OutboxRow, OutboxState

_REASON = (
    "this database is a copy: see what was sent and paid since it was made, then thaw; mail from before goes to people,"
    " and replies that were waiting in it wait for a person's yes"
)

_WAITING = (OutboxState.QUEUED, OutboxState.SENDING, OutboxState.AMBIGUOUS)


def begin_epoch(session: Session, beside: Path, now: datetime) -> bool:
    """Count one start more, or stop everything where the count beside is ahead of the database's or another's.

    A file that is not there is a copy's mark beside SQLite, whose two files go together; a server's database may get
    a further machine at any time, which has none yet.

    Commit before ``write_epoch``: a crash between the two leaves the file behind, which is no copy's mark.

    Returns:
        Whether the database is a copy, and frozen now.
    """
    row = session.scalars(select(InstanceRow).with_for_update()).one()
    found = _read(beside)
    is_first = row.epoch == 0 and found is None
    is_alone = found is None and session.get_bind().dialect.name != "sqlite"
    is_copy = not is_first and not is_alone and (found is None or found[0] != row.name or found[1] > row.epoch)
    row.epoch = max(row.epoch, 0 if found is None else found[1]) + 1
    if is_copy:
        row.restored_at = now
        switch.freeze(session, "mailbot", _REASON, now)
        waiting = update(OutboxRow).where(OutboxRow.state.in_(_WAITING))
        session.execute(waiting.where(OutboxRow.case_id.is_not(None)).values(state=OutboxState.DRAFT, taken_by=None))
    return is_copy


def count_epoch(session: Session) -> None:
    """Count on while mailbot runs, so that a copy made since the start is behind too."""
    session.execute(update(InstanceRow).values(epoch=InstanceRow.epoch + 1))


def write_epoch(session: Session, beside: Path) -> None:
    """Note the database's count beside it, durably and whole."""
    row = session.scalars(select(InstanceRow)).one()
    fresh = beside.with_suffix(f".{os.getpid()}.new")
    with fresh.open("w", encoding="ascii") as file:
        file.write(f"{row.name} {row.epoch}\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(beside)
    folder = os.open(beside.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def _read(beside: Path) -> tuple[str, int] | None:
    try:
        name, count = beside.read_text(encoding="ascii").split()
        return name, int(count)
    except FileNotFoundError:
        return None
    except (ValueError, OSError):
        return "", 0
