"""The clocks of cases as rows: started once, fired once a level, and stopped when the promise is kept. Source: P5."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from mailbot.model.case import ClockKind, ClockLevel, Deadline
from mailbot.store.prepared import Prepared
from mailbot.store.tables import ClockRow, table_of

_CLOCKS = table_of(ClockRow)
_LATEST = Prepared(
    select(ClockRow.round, ClockRow.met_at, ClockRow.due_at)
    .where(
        ClockRow.case_id == bindparam("of_case"),
        ClockRow.kind == bindparam("of_kind"),
        ClockRow.level == ClockLevel.LIMIT,
    )
    .order_by(ClockRow.round.desc())
    .limit(1)
)
_OF_CASES = select(
    ClockRow.case_id, ClockRow.kind, ClockRow.level, ClockRow.started_at, ClockRow.due_at, ClockRow.met_at
).order_by(ClockRow.case_id, ClockRow.kind, ClockRow.round)
_START = Prepared(insert(_CLOCKS).inline(), ("case_id", "kind", "round", "level", "started_at", "due_at"))
_MEET = Prepared(
    update(_CLOCKS)
    .where(
        _CLOCKS.c.case_id == bindparam("of_case"),
        _CLOCKS.c.kind == bindparam("of_kind"),
        _CLOCKS.c.met_at.is_(None),
    )
    .values(met_at=bindparam("moment"))
)


def start(session: Session, case_id: int, deadline: Deadline, *, running: bool) -> datetime:
    """Start a clock on a case; one of its kind that runs already keeps running, the earlier promise holds.

    Args:
        session: the transaction that gave the promise.
        case_id: the case.
        deadline: when the clock is due and past its limit.
        running: whether the case may have clocks already; a new case cannot.

    Returns:
        The limit that holds.
    """
    round_ = 1
    if running:
        latest = _LATEST.first(session, of_case=case_id, of_kind=deadline.kind)
        if latest is not None and latest.met_at is None:
            held: datetime = latest.due_at
            return held
        round_ = 1 if latest is None else latest.round + 1
    times = {ClockLevel.DUE: deadline.due_at, ClockLevel.LIMIT: deadline.limit_at}
    rows = [
        {
            "case_id": case_id,
            "kind": deadline.kind,
            "round": round_,
            "level": level,
            "started_at": deadline.started_at,
            "due_at": due_at,
        }
        for level, due_at in times.items()
    ]
    with session.no_autoflush:  # nothing that waits to be written is a clock's
        _START.run(session, *rows)
    return deadline.limit_at


def meet(session: Session, case_id: int, now: datetime, kinds: Collection[ClockKind] = tuple(ClockKind)) -> None:
    """Stop the case's running clocks of these kinds: the promise was kept, or the case is over."""
    _MEET.run(session, *({"of_case": case_id, "of_kind": kind, "moment": now} for kind in kinds))


def take_fired(session: Session, now: datetime) -> list[ClockRow]:
    """Every level whose time has come, marked as fired in this transaction, so that none fires twice (I9)."""
    due = select(ClockRow).where(ClockRow.met_at.is_(None), ClockRow.fired_at.is_(None), ClockRow.due_at <= now)
    rows = list(session.scalars(due.order_by(ClockRow.due_at, ClockRow.id).with_for_update(skip_locked=True)))
    for row in rows:
        row.fired_at = now
    return rows


def deadlines(session: Session, case_ids: Collection[int]) -> dict[int, list[Deadline]]:
    """The latest clock of each kind, by case; columns, for ``meet`` goes past a session's objects."""
    rows = session.execute(_OF_CASES.where(ClockRow.case_id.in_(case_ids)))
    latest: dict[tuple[int, str], dict[str, Any]] = {}
    for row in rows:
        latest.setdefault((row.case_id, row.kind), {})[row.level] = row
    found: dict[int, list[Deadline]] = {}
    for (case_id, kind), levels in latest.items():
        due, limit = levels[ClockLevel.DUE], levels[ClockLevel.LIMIT]
        found.setdefault(case_id, []).append(
            Deadline(
                kind=ClockKind(kind),
                started_at=due.started_at,
                due_at=due.due_at,
                limit_at=limit.due_at,
                met_at=limit.met_at,
            )
        )
    return found
