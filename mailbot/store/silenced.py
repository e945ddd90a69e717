"""Addresses that get no more automatic mail, and why: they bounced for good, or they fed a loop. Source: A0, A1."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from mailbot.store.tables import SilencedRow
from mailbot.store.upsert import insert_if_absent

BOUNCED = "bounced"
LOOPED = "looped"

_SILENCED = select(SilencedRow.address).where(SilencedRow.address == bindparam("to_address"))


def silence(session: Session, address: str, why: str, now: datetime) -> bool:
    """Send an address nothing by machine from now on; ``False`` where that was so before."""
    return insert_if_absent(session, SilencedRow, {"address": address.lower(), "why": why, "since": now})


def is_silenced(session: Session, address: str) -> bool:
    """Whether an address gets no automatic mail."""
    return session.scalar(_SILENCED, {"to_address": address.lower()}) is not None


def all_silenced(session: Session) -> Sequence[SilencedRow]:
    """Every such address, the newest first."""
    return session.scalars(select(SilencedRow).order_by(SilencedRow.since.desc(), SilencedRow.address)).all()


def allow(session: Session, address: str) -> bool:
    """A person's word that an address may be written to again; ``False`` where it was not silenced."""
    gone = delete(SilencedRow).where(SilencedRow.address == address.strip().lower())
    return session.scalar(gone.returning(SilencedRow.address)) is not None
