"""Readings as they are kept beside their mails, and the mails of a case as they were read."""

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailbot.model.reading import Reading
from mailbot.store.tables import MailRow, MailState

_READING: TypeAdapter[Reading] = TypeAdapter(Reading)


def reading_form(reading: Reading) -> str:
    """A reading as JSON text; ``parse_reading`` of it gives the same reading."""
    return _READING.dump_json(reading).decode()


def parse_reading(form: str) -> Reading:
    """A reading from its JSON text, as this program or an earlier version of it wrote it."""
    return _READING.validate_json(form)


def of_case(session: Session, case_id: int) -> list[Reading]:
    """What the customer's mails of a case say, oldest first; mail of third persons is left out."""
    mine = select(MailRow.reading).where(
        MailRow.case_id == case_id, MailRow.state == MailState.HANDLED, MailRow.reading.is_not(None)
    )
    return [parse_reading(form) for form in session.scalars(mine.order_by(MailRow.received_at, MailRow.id)) if form]
