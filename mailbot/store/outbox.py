"""Messages on their way out: frozen when decided, sent at most once but in one named case. Source: P3, I4, I10."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, exists, func, not_, or_, select, update
from sqlalchemy.orm import Session

from mailbot.store.prepared import Prepared
from mailbot.store.switch import is_frozen
from mailbot.store.tables import OutboxRow, OutboxState, SilencedRow, table_of
from mailbot.store.upsert import insert_if_absent

MOST_A_CASE = {True: 5, False: 1}
MOST_AN_ADDRESS = {True: 10, False: 2}
"""Automatic letters in 24 hours to a case, and to an address, by whether their grade is proven (I10)."""

_RETRY_AFTER = (1, 5, 15, 60, 240, 720, 1440)
_LONGEST_SENDING = timedelta(minutes=30)
_LOOK_FOR_PROOF = timedelta(minutes=15)
_A_DAY = timedelta(hours=24)
_STILL_COUNTS = tuple(state for state in OutboxState if state is not OutboxState.WITHDRAWN)

# Built once: to put these together anew for every message costs more than the database takes for them.
_OUTBOX = table_of(OutboxRow)
_TABLE = _OUTBOX.c
_GOES = or_(not_(OutboxRow.automatic), OutboxRow.case_id.is_(None), not_(is_frozen()))
_DUE = (
    select(OutboxRow.id)
    .where(OutboxRow.state == OutboxState.QUEUED, OutboxRow.due_at <= bindparam("moment"), _GOES)
    .order_by(OutboxRow.due_at, OutboxRow.id)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_TAKE = Prepared(
    update(_OUTBOX)
    .where(_TABLE.id == _DUE.scalar_subquery(), _TABLE.state == OutboxState.QUEUED)
    .values(
        state=OutboxState.SENDING,
        taken_at=bindparam("moment"),
        taken_by=bindparam("holder"),
        attempts=_TABLE.attempts + 1,
    )
    .returning(
        *(_TABLE.id, _TABLE.case_id, _TABLE.template, _TABLE.sender, _TABLE.recipient),
        *(_TABLE.content, _TABLE.answers, _TABLE.attempts, _TABLE.taken_by),
    )
)
_RECORD_SENT = Prepared(
    update(_OUTBOX)
    .where(_TABLE.id == bindparam("sent_id"), _TABLE.state != OutboxState.SENT)
    .values(state=OutboxState.SENT, sent_at=bindparam("moment"), taken_by=None, problem=None)
    .returning(_TABLE.id)
)
_OF_CASE, _TO_ADDRESS = OutboxRow.case_id == bindparam("of_case"), OutboxRow.recipient == bindparam("to_address")
_COUNT_AUTOMATIC = Prepared(
    select(
        func.count().filter(_OF_CASE).label("of_case"),
        func.count().filter(_TO_ADDRESS).label("to_address"),
        exists().where(SilencedRow.address == bindparam("lower_address")).label("is_silenced"),
    ).where(
        OutboxRow.automatic,
        OutboxRow.created_at > bindparam("since"),
        OutboxRow.state.in_(_STILL_COUNTS),
        OutboxRow.case_id.is_not(None),
        or_(_OF_CASE, _TO_ADDRESS),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One message that this process is to send; ``attempts`` and ``taken_by`` fence off one that had it before."""

    id: int
    case_id: int | None
    template: str
    sender: str
    recipient: str
    content: bytes
    answers: bool
    attempts: int
    taken_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message to queue, with its final bytes.

    Attributes:
        purpose: unique; queueing it again changes nothing.
        case_id: ``None`` for notices to operators.
        sender: envelope sender; empty for the null reverse-path.
        answers: sending it keeps the promise of a reply.
        automatic: no person wrote or released it.
        draft: it waits for a person's yes.
    """

    purpose: str
    case_id: int | None
    template: str
    grade: str | None
    recipient: str
    sender: str
    message_id: str
    content: bytes
    answers: bool
    automatic: bool
    draft: bool


def add(session: Session, outgoing: Outgoing, now: datetime) -> bool:
    """Queue a message in the transaction that decided it; ``False`` for a purpose that was served before."""
    row: dict[str, Any] = {
        "purpose": outgoing.purpose,
        "case_id": outgoing.case_id,
        "template": outgoing.template,
        "grade": outgoing.grade,
        "recipient": outgoing.recipient,
        "sender": outgoing.sender,
        "message_id": outgoing.message_id,
        "content": outgoing.content,
        "answers": outgoing.answers,
        "automatic": outgoing.automatic,
        "state": OutboxState.DRAFT if outgoing.draft else OutboxState.QUEUED,
        "attempts": 0,
        "resent": False,
        "due_at": now,
        "created_at": now,
    }
    return insert_if_absent(session, OutboxRow, row)


def take_next_due(session: Session, holder: str, now: datetime) -> Taken | None:
    """Take the message that has been due the longest, or ``None`` when nothing is due.

    While the kill switch is on, only what a person wrote or released goes, and notices to operators. Of two workers
    each takes another, because what one has locked the other passes over. Commit before connecting: a crash then
    leaves the row ``sending`` for ``recover``, and never ``queued`` for a second worker.
    """
    row = _TAKE.first(session, moment=now, holder=holder)
    return None if row is None else Taken(**row._asdict())


def is_taken(session: Session, taken: Taken) -> bool:
    """Whether a message is still this process's to send: a slow one that was overtaken changes nothing any more."""
    mine = select(OutboxRow.id).where(
        OutboxRow.id == taken.id,
        OutboxRow.state == OutboxState.SENDING,
        OutboxRow.taken_by == taken.taken_by,
        OutboxRow.attempts == taken.attempts,
    )
    return session.scalar(mine.with_for_update()) is not None


def record_sent(session: Session, row_id: int, now: datetime) -> bool:
    """Note that the server took a message; ``False`` if that was known before."""
    return _RECORD_SENT.first(session, sent_id=row_id, moment=now) is not None


def record_retry(session: Session, row_id: int, problem: str, now: datetime) -> bool:
    """Note that a message was surely not taken, and when to try again.

    Returns:
        Whether the tries are used up, so that a person must see to it.
    """
    row = session.get_one(OutboxRow, row_id)
    row.problem, row.taken_by = problem, None
    if row.attempts > len(_RETRY_AFTER):
        row.state = OutboxState.FAILED
        return True
    row.state, row.due_at = OutboxState.QUEUED, now + timedelta(minutes=_RETRY_AFTER[row.attempts - 1])
    return False


def record_failed(session: Session, row_id: int, problem: str) -> None:
    """Note that the server refuses a message for good, or that it bounced."""
    row = session.get_one(OutboxRow, row_id)
    row.state, row.problem, row.taken_by = OutboxState.FAILED, problem, None


def record_ambiguous(session: Session, row_id: int, problem: str, now: datetime) -> None:
    """Note that nobody knows whether the server took a message; look for proof before anything else."""
    row = session.get_one(OutboxRow, row_id)
    row.state, row.problem, row.taken_by = OutboxState.AMBIGUOUS, problem, None
    row.due_at = now + _LOOK_FOR_PROOF


def long_in_doubt(session: Session, now: datetime) -> list[tuple[int, int | None]]:
    """Messages of which no proof came in time, each with its case: ids, oldest first."""
    doubtful = select(OutboxRow.id, OutboxRow.case_id)
    doubtful = doubtful.where(OutboxRow.state == OutboxState.AMBIGUOUS, OutboxRow.due_at <= now)
    return [(row.id, row.case_id) for row in session.execute(doubtful.order_by(OutboxRow.id))]


def settle_doubt(session: Session, row_id: int, now: datetime, held: Callable[[OutboxRow], bool]) -> OutboxRow | None:
    """Resend the same bytes once where no proof came in time, as P3 allows, but hold what ``held`` names.

    Returns:
        A message to give up, which a person must see to; ``None``: it goes once more, or is no longer in doubt.
    """
    doubtful = select(OutboxRow).where(OutboxRow.state == OutboxState.AMBIGUOUS, OutboxRow.due_at <= now)
    row = session.scalars(doubtful.where(OutboxRow.id == row_id).with_for_update()).one_or_none()
    if row is None or row.resent or held(row):
        return row
    row.state, row.resent, row.due_at = OutboxState.QUEUED, True, now
    return None


def take_abandoned(session: Session, is_dead: Callable[[str], bool], now: datetime) -> list[OutboxRow]:
    """Messages whose sending process died, or has been at it for impossibly long."""
    sending = select(OutboxRow).where(OutboxRow.state == OutboxState.SENDING)
    rows = session.scalars(sending.with_for_update(skip_locked=True)).all()
    return [
        row
        for row in rows
        if (row.taken_by is not None and is_dead(row.taken_by))
        or (row.taken_at is not None and row.taken_at + _LONGEST_SENDING < now)
    ]


def requeue(row: OutboxRow, now: datetime) -> None:
    """Queue a message again of which the journal shows that it was never handed over."""
    row.state, row.due_at, row.taken_by = OutboxState.QUEUED, now, None


def of_case(session: Session, case_id: int) -> list[OutboxRow]:
    """Every message of a case, whatever became of it, in the order in which they were written."""
    return list(session.scalars(select(OutboxRow).where(OutboxRow.case_id == case_id).order_by(OutboxRow.id)))


def find_by_message_ids(session: Session, message_ids: tuple[str, ...]) -> list[OutboxRow]:
    """Our messages that these ids name, newest first."""
    if not message_ids:
        return []
    named = select(OutboxRow).where(OutboxRow.message_id.in_(message_ids))
    return list(session.scalars(named.order_by(OutboxRow.id.desc())))


def find_doubtful(session: Session, copied_at: datetime | None) -> list[OutboxRow]:
    """Messages that may have been sent without our knowing.

    Args:
        session: a reading one.
        copied_at: when the database was found to be a copy: all that waited in it then are among them; ``None``: none.
    """
    doubtful = OutboxRow.state == OutboxState.AMBIGUOUS
    if copied_at is not None:
        doubtful = or_(doubtful, and_(OutboxRow.state == OutboxState.DRAFT, OutboxRow.created_at <= copied_at))
    return list(session.scalars(select(OutboxRow).where(doubtful).order_by(OutboxRow.id)))


def find_by_sender(session: Session, sender: str) -> OutboxRow | None:
    """Our message that was sent with this envelope sender, which is its own (VERP); ``None`` where there is none."""
    return session.scalars(select(OutboxRow).where(OutboxRow.sender == sender).limit(1)).one_or_none()


def release_drafts(session: Session, case_id: int, now: datetime) -> int:
    """A person's yes: send what waited for it.

    Returns:
        How many messages.
    """
    drafts = select(OutboxRow).where(OutboxRow.case_id == case_id, OutboxRow.state == OutboxState.DRAFT)
    rows = session.scalars(drafts).all()
    for row in rows:
        row.state, row.due_at, row.automatic = OutboxState.QUEUED, now, False
    return len(rows)


def withdraw_drafts(session: Session, case_id: int) -> None:
    """Take back what waited for a person's yes and is out of date."""
    drafts = update(OutboxRow).where(OutboxRow.case_id == case_id, OutboxRow.state == OutboxState.DRAFT)
    session.execute(drafts.values(state=OutboxState.WITHDRAWN))


def count_automatic(session: Session, now: datetime, case_id: int, recipient: str) -> tuple[int, int, bool]:
    """How many automatic messages a case, and an address in all its cases, was sent in the last 24 hours (I10).

    Returns:
        Both counts, and whether the address is silenced, so that it gets none.
    """
    found = _COUNT_AUTOMATIC.first(
        session, of_case=case_id, to_address=recipient, lower_address=recipient.lower(), since=now - _A_DAY
    )
    return found.of_case, found.to_address, bool(found.is_silenced)


def was_sent(session: Session, case_id: int, template: str) -> bool:
    """Whether a case was ever sent, or is to be sent, a letter of this template."""
    mine = select(OutboxRow.id).where(
        OutboxRow.case_id == case_id, OutboxRow.template == template, OutboxRow.state.in_(_STILL_COUNTS)
    )
    return session.scalar(mine.limit(1)) is not None


def count_unproven(session: Session, templates: tuple[str, ...], now: datetime) -> int:
    """How many messages went to unproven people in the last hour, whoever they are."""
    recent = select(func.count()).select_from(OutboxRow)
    recent = recent.where(OutboxRow.template.in_(templates), OutboxRow.created_at > now - timedelta(hours=1))
    return session.scalars(recent).one()
