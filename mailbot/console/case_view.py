"""What the page of one case shows, gathered from the store in one look."""

from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from typing import Any

from sqlalchemy.orm import Session

from mailbot.console.highlight import Piece, anchor, pieces
from mailbot.model.case import Deadline
from mailbot.model.reading import Reading
from mailbot.sandbox.show import may_be_drawn
from mailbot.store import case_views, cases, clocks, held, readings
from mailbot.store.desk_tables import HeldRow
from mailbot.store.queue import sum_of
from mailbot.store.tables import CaseRow


@dataclass(frozen=True, slots=True, kw_only=True)
class MailShown:
    """One mail of a case as the page shows it.

    Attributes:
        reading: ``None`` where it could not be read.
        drawn: paths of the attachments of which a page can be shown as a picture.
    """

    id: int
    received_at: datetime
    state: str
    problem: str | None
    reading: Reading | None
    pieces: list[Piece]
    read: list[tuple[str, str, str, str | None]]
    drawn: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterShown:
    """One of our letters."""

    id: int
    template: str
    recipient: str
    state: str
    at: datetime
    subject: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Relative:
    """Another case of the same customer or order, in a line."""

    number: str
    subject: str
    state: str
    requested_at: datetime
    amount: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What somebody ordered on the case: held back until ``due_at``, or not done because of ``problem``."""

    verb: str
    actor: str
    due_at: datetime
    problem: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseShown:
    """One case.

    Attributes:
        form: as ``case show --json`` gives it, without the messages.
        stood: the state that it left when it was escalated.
        seen: the case's last event; an action that was ordered on an older page is stopped.
        waiting: what somebody ordered and can still take back, or what could not be done; ``None``: nothing.
    """

    id: int
    number: str
    form: dict[str, Any]
    stood: str | None
    assigned_to: str | None
    snoozed_until: datetime | None
    deadlines: list[Deadline]
    mails: list[MailShown]
    letters: list[LetterShown]
    relatives: list[Relative]
    seen: int
    waiting: Waiting | None

    @property
    def decision(self) -> dict[str, Any] | None:
        """The present decision; ``None`` where nothing was decided."""
        made: list[dict[str, Any]] = self.form["decisions"]
        return made[-1] if made else None


def show(session: Session, number: str, now: datetime) -> CaseShown:
    """One case with its mails, evidence, decisions, letters and relatives.

    Raises:
        CaseNotFoundError: there is none.
    """
    row = cases.get(session, number)
    deadlines = clocks.deadlines(session, [row.id]).get(row.id, [])
    merged = case_views.merged_into(session, row.id)
    return CaseShown(
        id=row.id,
        number=cases.number_of(row.id),
        form=case_views.show_without_messages(session, row, merged, deadlines, now),
        stood=row.stood,
        assigned_to=row.assigned_to,
        snoozed_until=row.snoozed_until,
        deadlines=deadlines,
        mails=[_shown(mail) for mail in case_views.mails_of(session, row.id)],
        letters=[_letter(letter) for letter in case_views.letters_of(session, row.id, *merged)],
        relatives=[_relative(other) for other in case_views.relatives_of(session, row)],
        seen=case_views.last_event(session, row.id),
        waiting=_waiting(held.latest(session, row.id)),
    )


def _waiting(row: HeldRow | None) -> Waiting | None:
    if row is None:
        return None
    return Waiting(verb=row.verb, actor=row.actor, due_at=row.due_at, problem=row.problem)


def _shown(mail: case_views.MailOfCase) -> MailShown:
    reading = None if mail.reading is None else readings.parse_reading(mail.reading)
    spans = () if reading is None else reading.spans
    parts = () if reading is None else reading.attachments
    return MailShown(
        id=mail.id,
        received_at=mail.received_at,
        state=mail.state,
        problem=mail.problem,
        reading=reading,
        pieces=[] if reading is None else pieces(reading),
        read=[(span.fact, span.value, span.quote, anchor(span) if span.part == "body" else None) for span in spans],
        drawn=frozenset(
            part.path for part in parts if not part.held_back and may_be_drawn(part.content_type, part.file_name)
        ),
    )


def _letter(letter: case_views.LetterOfCase) -> LetterShown:
    subject, text, _ = letter_parts(letter.content)
    return LetterShown(
        id=letter.id,
        template=letter.template,
        recipient=letter.recipient,
        state=letter.state,
        at=letter.sent_at or letter.created_at,
        subject=subject,
        text=text,
    )


def _relative(row: CaseRow) -> Relative:
    return Relative(
        number=cases.number_of(row.id),
        subject=row.subject,
        state=row.state,
        requested_at=row.requested_at,
        amount=sum_of(row),
    )


def letter_parts(content: bytes) -> tuple[str, str, str]:
    """Subject, plain text and HTML of one of our own letters."""
    found = {"text/plain": "", "text/html": ""}
    message = message_from_bytes(content)
    for part in message.walk():
        payload = part.get_payload(decode=True)
        if part.get_content_type() in found and isinstance(payload, bytes):
            found[part.get_content_type()] = payload.decode("utf-8", "replace").replace("\r\n", "\n")
    return _decoded(message["Subject"]), found["text/plain"], found["text/html"]


def _decoded(subject: object) -> str:
    return str(make_header(decode_header(str(subject or ""))))
