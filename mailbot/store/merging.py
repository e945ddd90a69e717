"""What moves from one case to another when they become one.

Events and decisions never do (I11, I8), nor do letters, so that what a machine wrote to whom and when stays countable
(I10); the case that they belong to says where it went.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from mailbot.store.tables import CaseRow, ClockRow, MailRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """How many of each have moved."""

    mails: int
    promises: int


def move_contents(session: Session, source: CaseRow, target: CaseRow, now: datetime) -> Moved:
    """Move a case's mails and running clocks, in the caller's transaction, which holds both cases.

    Of two running promises of one kind the earlier one holds, as everywhere.
    """
    mails = session.execute(update(MailRow).where(MailRow.case_id == source.id).values(case_id=target.id))
    running = select(ClockRow.kind, ClockRow.round).where(ClockRow.case_id == source.id, ClockRow.met_at.is_(None))
    promises = {(kind, round_) for kind, round_ in session.execute(running)}
    for kind, round_ in promises:
        _move_clock(session, source.id, target.id, kind, round_)
    target.requested_at = min(source.requested_at, target.requested_at)
    target.language = target.language or source.language
    target.assigned_to = target.assigned_to or source.assigned_to
    source.merged_into, source.changed_at = target.id, now
    return Moved(mails=mails.rowcount, promises=len(promises))  # type: ignore[attr-defined] # of a DML statement


def _move_clock(session: Session, source: int, target: int, kind: str, round_: int) -> None:
    mine = (ClockRow.case_id == source, ClockRow.kind == kind, ClockRow.round == round_)
    theirs = (ClockRow.case_id == target, ClockRow.kind == kind)
    limits = {
        case_id: session.scalar(select(func.min(ClockRow.due_at)).where(*of, ClockRow.met_at.is_(None)))
        for case_id, of in ((source, mine), (target, theirs))
    }
    own, other = limits[source], limits[target]
    if own is not None and other is not None:
        loser = mine if other <= own else (*theirs, ClockRow.met_at.is_(None))
        session.execute(delete(ClockRow).where(*loser))
        if other <= own:
            return
    last = session.scalar(select(func.max(ClockRow.round)).where(*theirs)) or 0
    session.execute(update(ClockRow).where(*mine).values(case_id=target, round=last + 1))
