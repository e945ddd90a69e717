"""What each page shows, gathered from the store in one look."""

from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from typing import Any
from zoneinfo import ZoneInfo

from mailbot.console.highlight import Piece, anchor, pieces
from mailbot.model.reading import Reading
from mailbot.steps.app import App
from mailbot.store import case_views, cases, readings
from mailbot.store.transaction import reading as reading_only


@dataclass(frozen=True, slots=True, kw_only=True)
class MailShown:
    """One mail of a case as the page shows it; ``reading`` is ``None`` where it could not be read."""

    received_at: datetime
    state: str
    problem: str | None
    reading: Reading | None
    pieces: list[Piece]
    read: list[tuple[str, str, str, str | None]]


def queue(app: App) -> list[dict[str, Any]]:
    """Every case, the one whose promise is due next first."""
    with reading_only(app.engine) as session:
        return list(case_views.list_cases(session, app.now()))


def case(app: App, number: str) -> dict[str, Any]:
    """One case with its mails, evidence, decisions and letters.

    Raises:
        CaseNotFoundError: there is none.
    """
    with reading_only(app.engine) as session:
        row = cases.get(session, number)
        form = case_views.show_case(session, row, app.now())
        form["mails"] = [_shown(mail) for mail in case_views.mails_of(session, row.id)]
        form["letters"] = [
            {
                "template": letter.template,
                "recipient": letter.recipient,
                "state": letter.state,
                "at": letter.sent_at or letter.created_at,
                "text": _text_of(letter.content),
            }
            for letter in case_views.letters_of(session, row.id)
        ]
    return form


def local(moment: datetime | str, zone: ZoneInfo) -> str:
    """A time as people in the shop read it."""
    aware = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return f"{aware.astimezone(zone):%a %d %b %H:%M}"


def _shown(mail: case_views.MailOfCase) -> MailShown:
    reading = None if mail.reading is None else readings.parse_reading(mail.reading)
    spans = () if reading is None else reading.spans
    return MailShown(
        received_at=mail.received_at,
        state=mail.state,
        problem=mail.problem,
        reading=reading,
        pieces=[] if reading is None else pieces(reading),
        read=[(span.fact, span.value, span.quote, anchor(span) if span.part == "body" else None) for span in spans],
    )


def _text_of(content: bytes) -> str:
    """The plain text of one of our own letters."""
    for part in message_from_bytes(content).walk():
        payload = part.get_payload(decode=True)
        if part.get_content_type() == "text/plain" and isinstance(payload, bytes):
            return payload.decode("utf-8", "replace").replace("\r\n", "\n")
    return ""
