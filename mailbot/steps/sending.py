"""Handing messages to the submission server: a commit before, a journal during, a commit after. Source: P3."""

from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

import structlog
from sqlalchemy.orm import Session

from mailbot.act.plan import VERIFICATION
from mailbot.errors import AmbiguousError, MailbotError, PermanentError, RetryableError
from mailbot.model.case import ClockKind
from mailbot.ports import Envelope, Handover
from mailbot.steps.app import App
from mailbot.steps.parking import leave_to_people
from mailbot.store import cases, clocks, leases, outbox
from mailbot.store.dot_journal import DotJournal, Progress, forget, progress_of
from mailbot.store.tables import OutboxRow
from mailbot.store.transaction import transaction

NOT_DELIVERED = "not_delivered"

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
    """Send every message that is due over one connection, reconnecting where it breaks."""
    _recover(app)
    sent, link = 0, None
    with DotJournal(app.journal_folder, app.holder) as journal, ExitStack() as connections:
        row = _take(app)
        while row is not None:
            try:
                if link is None:
                    link = connections.enter_context(app.transport.connect())
                _hand_over(link, row, journal)
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


def _take(app: App) -> OutboxRow | None:
    with transaction(app.engine) as session:
        return outbox.take_next_due(session, app.holder, app.now())


def _record_sent_and_take(app: App, row: OutboxRow) -> OutboxRow | None:
    """Note that a message was taken, and take the next, in one commit."""
    with transaction(app.engine) as session:
        _record_sent(app, session, row)
        return outbox.take_next_due(session, app.holder, app.now())


def _record_problem(app: App, row: OutboxRow, problem: MailbotError, *, connected: bool) -> None:
    if isinstance(problem, AmbiguousError):
        _record_ambiguous(app, row, str(problem))
    elif isinstance(problem, RetryableError) or not connected:
        _record_retry(app, row, str(problem))
    else:
        _record_failed(app, row, str(problem))


def _hand_over(link: Handover, row: OutboxRow, journal: DotJournal) -> None:
    envelope = Envelope(sender=row.sender, recipient=row.recipient, data=row.content)
    link.send(envelope, partial(journal.before_dot, row.id), partial(journal.after_dot, row.id))


def _record_sent(app: App, session: Session, row: OutboxRow) -> None:
    """Note that the server took a message, and that the promise which it keeps is kept."""
    now = app.now()
    newly = outbox.record_sent(session, row.id, now)
    if newly and row.case_id is not None and row.answers:
        clocks.meet(session, row.case_id, now, (ClockKind.REPLY,))
    log.info("message_sent", outbox_id=row.id, template=row.template)


def _record_retry(app: App, row: OutboxRow, problem: str) -> None:
    with transaction(app.engine) as session:
        spent = outbox.record_retry(session, row.id, problem, app.now())
    log.warning("message_postponed", outbox_id=row.id, problem=problem)
    if spent:
        _record_failed(app, row, problem)


def _record_failed(app: App, row: OutboxRow, problem: str) -> None:
    """The server refuses a message for good: its case goes to a person."""
    with transaction(app.engine) as session:
        outbox.record_failed(session, row.id, problem)
        if row.case_id is not None:
            leave_to_people(session, cases.lock(session, row.case_id), NOT_DELIVERED, app.now(), message=row.id)
    log.warning("message_failed", outbox_id=row.id, problem=problem)


def _record_ambiguous(app: App, row: OutboxRow, problem: str) -> None:
    with transaction(app.engine) as session:
        outbox.record_ambiguous(session, row.id, problem, app.now())
    log.warning("message_in_doubt", outbox_id=row.id, problem=problem)


def _recover(app: App) -> None:
    """See to what a dead process left in the middle, and to messages whose time of doubt is over."""
    with transaction(app.engine) as session:
        abandoned = outbox.take_abandoned(session, leases.is_dead, app.now())
        holders = {row.taken_by for row in abandoned if row.taken_by is not None}
        for row in abandoned:
            match _progress(app, row):
                case Progress.NOT_HANDED_OVER:
                    outbox.requeue(row, app.now())
                case Progress.UNKNOWN:
                    outbox.record_ambiguous(session, row.id, "the sending process ended", app.now())
                case Progress.TAKEN:
                    _record_sent(app, session, row)
    for holder in holders:
        forget(app.journal_folder, holder)
    with transaction(app.engine) as session:
        given_up = outbox.settle_ambiguous(session, app.now(), lambda row: row.template == VERIFICATION)
    for row in given_up:
        _record_failed(app, row, row.problem or "nobody knows whether it arrived")


def _progress(app: App, row: OutboxRow) -> Progress:
    holder = row.taken_by
    if holder is None or not leases.is_of_this_boot(holder):
        return Progress.UNKNOWN
    return progress_of(app.journal_folder, holder, row.id)
