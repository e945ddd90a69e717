"""The kill switch: one row that stops refunds and automatic mail until a person thaws it. Source: Promises."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Exists, exists, select
from sqlalchemy.orm import Session

from mailbot.store.tables import KillSwitchRow
from mailbot.store.upsert import insert_if_absent

_THE_ONE = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """Since when, by whom and why nothing moves."""

    at: datetime
    by: str
    reason: str


def freeze(session: Session, by: str, reason: str, now: datetime) -> bool:
    """Stop refunds and automatic mail; ``False`` where they stood still before, whose reason is kept."""
    insert_if_absent(session, KillSwitchRow, {"id": _THE_ONE})
    row = session.get_one(KillSwitchRow, _THE_ONE, with_for_update=True)
    if row.frozen_at is not None:
        return False
    row.frozen_at, row.frozen_by, row.reason = now, by, reason
    return True


def thaw(session: Session) -> Frozen | None:
    """Let refunds and automatic mail go again; returns what had stopped them, ``None`` where nothing had."""
    was = find_frozen(session)
    if was is not None:
        row = session.get_one(KillSwitchRow, _THE_ONE, with_for_update=True)
        row.frozen_at = row.frozen_by = row.reason = None
    return was


def find_frozen(session: Session) -> Frozen | None:
    """What has stopped refunds and automatic mail; ``None`` where they go."""
    row = session.scalars(select(KillSwitchRow).where(KillSwitchRow.frozen_at.is_not(None))).one_or_none()
    if row is None or row.frozen_at is None:
        return None
    return Frozen(at=row.frozen_at, by=row.frozen_by or "", reason=row.reason or "")


def is_frozen() -> Exists:
    """The question as a part of another statement, so that both see the same moment."""
    return exists().where(KillSwitchRow.frozen_at.is_not(None))
