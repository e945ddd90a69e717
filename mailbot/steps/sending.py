"""Handing messages to the submission server: a commit before, a journal during, a commit after. Source: P3."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from threading import Lock

import structlog
from sqlalchemy.orm import Session

from mailbot.act.plan import VERIFICATION
from mailbot.errors import AmbiguousError, MailbotError, PermanentError, RetryableError
from mailbot.failpoints import AFTER, BEFORE, reach
from mailbot.model.case import ClockKind
from mailbot.ports import Envelope, Handover
from mailbot.steps.app import App
from mailbot.steps.parking import leave_to_people
from mailbot.store import cases, clocks, leases, outbox
from mailbot.store.dot_journal import DotJournal, JournalError, Progress, forget, progress_of
from mailbot.store.outbox import Taken
from mailbot.store.tables import CaseRow, OutboxRow
from mailbot.store.transaction import reading, transaction

NOT_DELIVERED = "not_delivered"

_ONE_PASS = Lock()

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What one pass over the outbox did.

    Attributes:
        problem: why it ended early; ``None`` where everything due was tried.
    """

    sent: int
    problem: str | None


def send_due(app: App) -> Delivered:
    """Send every message that is due over one connection, reconnecting where it breaks; one pass at a time."""
    with _ONE_PASS:
        _recover(app)
        return _send_all(app)


def _send_all(app: App) -> Delivered:
    sent, link = 0, None
    with DotJournal(app.journal_folder, app.holder) as journal, ExitStack() as connections:
        row = _take(app)
        while row is not None:
            try:
                if link is None:
                    reach("smtp.connected", BEFORE)
                    link = connections.enter_context(app.transport.connect())
                    reach("smtp.connected", AFTER)
                _hand_over(link, row, journal)
            except JournalError:
                raise  # the next pass sees that it was not handed over; until then nothing else is either
            except (RetryableError, PermanentError) as problem:
                _record_problem(app, row, problem, connected=link is not None)
                if link is None:
                    return Delivered(sent=sent, problem=str(problem))
                if isinstance(problem, RetryableError):
                    connections.close()
                    link = None
                row = _take(app)
            else:
                sent += 1
                row = _record_sent_and_take(app, row)
                app.progress("sent", 1)
    return Delivered(sent=sent, problem=None)


def _take(app: App) -> Taken | None:
    with transaction(app.engine, "send.taken") as session:
        return outbox.take_next_due(session, app.holder, app.now())


def _record_sent_and_take(app: App, row: Taken) -> Taken | None:
    """Note that a message was taken, and take the next, in one commit."""
    with transaction(app.engine, "send.sent") as session:
        record_sent(app, session, row)
        return outbox.take_next_due(session, app.holder, app.now())


def _record_problem(app: App, row: Taken, problem: MailbotError, *, connected: bool) -> None:
    if isinstance(problem, AmbiguousError):
        _record_ambiguous(app, row, str(problem))
    elif isinstance(problem, RetryableError) or not connected:
        _record_retry(app, row, str(problem))
    else:
        _record_failed(app, row, str(problem))


def _hand_over(link: Handover, row: Taken, journal: DotJournal) -> None:
    def note(point: str, write: Callable[[int], None]) -> None:
        reach(point, BEFORE)
        write(row.id)
        reach(point, AFTER)

    envelope = Envelope(sender=row.sender, recipient=row.recipient, data=row.content)
    reach("smtp.sent", BEFORE)
    link.send(
        envelope, partial(note, "journal.dot", journal.before_dot), partial(note, "journal.taken", journal.after_dot)
    )
    reach("smtp.sent", AFTER)


def record_sent(app: App, session: Session, row: OutboxRow | Taken) -> None:
    """Note that the server took a message, and that the promise which it keeps is kept."""
    now = app.now()
    newly = outbox.record_sent(session, row.id, now)
    if newly and row.case_id is not None and row.answers:
        clocks.meet(session, row.case_id, now, (ClockKind.REPLY,))
    log.info("message_sent", outbox_id=row.id, template=row.template)


def _record_retry(app: App, row: Taken, problem: str) -> None:
    with transaction(app.engine, "send.postponed") as session:
        case = _lock_case(session, row.case_id)
        if outbox.is_taken(session, row) and outbox.record_retry(session, row.id, problem, app.now()):
            _give_up(app, session, row, case, problem)
    log.warning("message_postponed", outbox_id=row.id, problem=problem)


def _record_failed(app: App, row: Taken, problem: str) -> None:
    with transaction(app.engine, "send.failed") as session:
        case = _lock_case(session, row.case_id)
        if outbox.is_taken(session, row):
            _give_up(app, session, row, case, problem)


def _lock_case(session: Session, case_id: int | None) -> CaseRow | None:
    """Lock a letter's case before the letter, as everybody does."""
    return None if case_id is None else cases.lock(session, case_id)


def _give_up(app: App, session: Session, row: OutboxRow | Taken, case: CaseRow | None, problem: str) -> None:
    """A message does not arrive: its case goes to a person in the same commit."""
    outbox.record_failed(session, row.id, problem)
    if case is not None:
        leave_to_people(session, case, NOT_DELIVERED, app.now(), message=row.id)
    log.warning("message_failed", outbox_id=row.id, problem=problem)


def _record_ambiguous(app: App, row: Taken, problem: str) -> None:
    with transaction(app.engine, "send.in_doubt") as session:
        if outbox.is_taken(session, row):
            outbox.record_ambiguous(session, row.id, problem, app.now())
    log.warning("message_in_doubt", outbox_id=row.id, problem=problem)


def _recover(app: App) -> None:
    """See to what a dead process, or a broken pass of this one, left in the middle; and to doubts that are over."""
    with transaction(app.engine, "send.recovered") as session:
        abandoned = outbox.take_abandoned(session, lambda by: by == app.holder or leases.is_dead(by), app.now())
        holders = {row.taken_by for row in abandoned if row.taken_by is not None}
        for row in abandoned:
            match _progress(app, row):
                case Progress.NOT_HANDED_OVER:
                    outbox.requeue(row, app.now())
                case Progress.UNKNOWN:
                    outbox.record_ambiguous(session, row.id, "the sending process ended", app.now())
                case Progress.TAKEN:
                    record_sent(app, session, row)
    for holder in holders:
        forget(app.journal_folder, holder)
    with reading(app.engine) as session:
        doubtful = outbox.long_in_doubt(session, app.now())
    for letter_id, case_id in doubtful:
        with transaction(app.engine, "send.doubt_settled") as session:
            case = _lock_case(session, case_id)
            given_up = outbox.settle_doubt(session, letter_id, app.now(), lambda row: row.template == VERIFICATION)
            if given_up is not None:
                _give_up(app, session, given_up, case, given_up.problem or "nobody knows whether it arrived")


def _progress(app: App, row: OutboxRow) -> Progress:
    holder = row.taken_by
    if holder is None or not leases.is_of_this_boot(holder):
        return Progress.UNKNOWN
    return progress_of(app.journal_folder, holder, row.id)
