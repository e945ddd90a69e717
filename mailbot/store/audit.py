"""The audit trail: who saw, decided, approved, changed or exported what, as a chain of hashes. Source: I11."""

import hashlib
import json
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from mailbot.store.desk_tables import AuditRow
from mailbot.store.prepared import Prepared
from mailbot.store.tables import table_of

_START = "0" * 64
_CHAIN = 7_242_361
_LAST = Prepared(select(AuditRow.hash).order_by(AuditRow.id.desc()).limit(1))
_ADD = Prepared(insert(table_of(AuditRow)).inline(), ("at", "actor", "action", "subject", "detail", "before", "hash"))
_ENTRIES = select(
    *(AuditRow.at, AuditRow.actor, AuditRow.action, AuditRow.subject, AuditRow.detail, AuditRow.before, AuditRow.hash)
).order_by(AuditRow.id)


def record(session: Session, actor: str, action: str, subject: str, now: datetime, **detail: Any) -> None:
    """Add to the trail; two writers wait for each other, so that the chain stays one."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:chain)"), {"chain": _CHAIN})
    newest = _LAST.first(session)
    last = _START if newest is None else newest.hash
    form = {"actor": actor, "action": action, "subject": subject, "detail": detail}
    _ADD.run(session, {**form, "at": now, "before": last, "hash": _hash(last, {**form, "at": now.isoformat()})})


def page(session: Session, *, action: str | None, before: int | None, most: int) -> list[AuditRow]:
    """The newest entries of an action, or of all, older than one."""
    wanted = select(AuditRow).order_by(AuditRow.id.desc()).limit(most)
    if action:
        wanted = wanted.where(AuditRow.action == action)
    if before:
        wanted = wanted.where(AuditRow.id < before)
    return list(session.scalars(wanted))


def count_broken(session: Session) -> tuple[int, int]:
    """How many entries the trail has, and how many do not fit the one before or their own hash."""
    checked, broken, last = 0, 0, _START
    for row in session.execute(_ENTRIES.execution_options(yield_per=500)):
        form = {
            "at": row.at.isoformat(),
            "actor": row.actor,
            "action": row.action,
            "subject": row.subject,
            "detail": row.detail,
        }
        checked += 1
        broken += row.before != last or row.hash != _hash(last, form)
        last = row.hash
    return checked, broken


def _hash(before: str, form: dict[str, Any]) -> str:
    return hashlib.sha256(f"{before}{json.dumps(form, sort_keys=True)}".encode()).hexdigest()
