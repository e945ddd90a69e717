"""Readings as they are kept beside their mails, and the mails of a case as they were read."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailbot.model.reading import Reading
from mailbot.store.tables import MailRow, MailState

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


def of_case(session: Session, case_id: int) -> list[Reading]:
    """The mails of a case as they were read, oldest first; mail of third persons is left out."""
    return [each.reading for each in said_in(session, case_id)]


def said_in(session: Session, case_id: int) -> list[Said]:
    """What was written to a case and when, oldest first; mail of third persons is left out."""
    mine = select(MailRow.received_at, MailRow.stored_at, MailRow.reading).where(
        MailRow.case_id == case_id, MailRow.state == MailState.HANDLED, MailRow.reading.is_not(None)
    )
    return [
        Said(received_at=received_at, stored_at=stored_at, reading=parse_reading(form))
        for received_at, stored_at, form in session.execute(mine.order_by(MailRow.received_at, MailRow.id))
        if form
    ]
