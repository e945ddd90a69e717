"""Readings as they are kept beside their mails, and the mails of a case as they were read."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from mailbot.model.reading import Reading
from mailbot.store.tables import MailRow, MailState

MOST_SAID = 100  # mails that a machine weighs together

_READING: TypeAdapter[Reading] = TypeAdapter(Reading)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One mail of a case as it was read, and when it came."""

    received_at: datetime
    stored_at: datetime
    reading: Reading


def reading_form(reading: Reading) -> str:
    """A reading as JSON text; ``parse_reading`` of it gives the same reading."""
    return _READING.dump_json(reading).decode()


def parse_reading(form: str) -> Reading:
    """A reading from its JSON text, as this program or an earlier version of it wrote it."""
    return _READING.validate_json(form)


def newest(session: Session, case_id: int) -> Reading | None:
    """The newest mail of a case as it was read; mail of third persons is left out."""
    form = session.scalar(
        _of(case_id, MailRow.reading).order_by(MailRow.received_at.desc(), MailRow.id.desc()).limit(1)
    )
    return parse_reading(form) if form else None


def said_in(session: Session, case_id: int) -> list[Said] | None:
    """What was written to a case and when, oldest first; mail of third persons is left out.

    Returns:
        ``None`` where that is more than 100 mails: each new one would have all of them read again.
    """
    mine = _of(case_id, MailRow.received_at, MailRow.stored_at, MailRow.reading)
    found = session.execute(mine.order_by(MailRow.received_at, MailRow.id).limit(MOST_SAID + 1)).all()
    if len(found) > MOST_SAID:
        return None
    return [
        Said(received_at=received_at, stored_at=stored_at, reading=parse_reading(form))
        for received_at, stored_at, form in found
        if form
    ]


def _of(case_id: int, *columns: Any) -> Select[*tuple[Any, ...]]:
    return select(*columns).where(
        MailRow.case_id == case_id, MailRow.state == MailState.HANDLED, MailRow.reading.is_not(None)
    )
