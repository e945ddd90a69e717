"""START HERE. One mail's way through mailbot, top to bottom: receive, handle, deliver; and the clocks beside it."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import structlog
from sqlalchemy.orm import Session
from structlog.contextvars import bound_contextvars

from mailbot.errors import MailbotError, PermanentError, RetryableError
from mailbot.failpoints import AFTER, BEFORE, reach
from mailbot.model.mail import MailKind
from mailbot.model.reading import Reading
from mailbot.ports import Mailbox
from mailbot.steps import (
    adopting,
    closing,
    guarding,
    hooks,
    intake,
    order_sync,
    paying,
    refunding,
    returns,
    sending,
    watch,
)
from mailbot.steps.acting import carry_out
from mailbot.steps.app import App
from mailbot.steps.consider import consider
from mailbot.steps.filing import FOLLOW_UP, file_customer_mail, is_repeated
from mailbot.steps.parking import leave_to_people, park
from mailbot.steps.redacting import redact
from mailbot.steps.sorting import file_machine_mail, take_up
from mailbot.store import leases, mails
from mailbot.store.mails import TakenMail
from mailbot.store.tables import MailRow
from mailbot.store.transaction import transaction

_AT_ONCE = 20

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """What one pass did.

    Attributes:
        busy: mailboxes that another process was at.
        failed: mailboxes or servers that could not be used, with why.
    """

    stored: int
    handled: int
    sent: int
    busy: tuple[str, ...]
    failed: tuple[str, ...]


def poll(app: App) -> Passed:
    """One pass: take in what is new, handle what is stored, look at the clocks, deliver what is due."""
    stored, busy, failed = 0, [], []
    for mailbox in app.mailboxes:
        try:
            new = receive(app, mailbox)
        except (RetryableError, PermanentError) as problem:
            failed.append(str(problem))
        else:
            stored += new or 0
            busy += [mailbox.name] if new is None else []
    posting = Posting(app)
    handled = handle_all(app, posting.go_on)
    look_after(app)
    watch_clocks(app)
    posting.end()
    tell_others(app)
    failed += [posting.problem] if posting.problem else []
    return Passed(stored=stored, handled=handled, sent=posting.sent, busy=tuple(busy), failed=tuple(failed))


class Posting:
    """What one pass sends: while mails are read, what was decided before; the rest at its end."""

    def __init__(self, app: App) -> None:
        self._app, self.sent = app, 0
        self.problem: str | None = None

    def go_on(self) -> None:
        """Send what is due, unless that failed before in this pass; mails that are being read must not wait for it."""
        if self.problem is None:
            try:
                self.end()
            except MailbotError as problem:  # the end of the pass meets it again
                self.problem = str(problem)

    def end(self) -> None:
        """Send what is due."""
        delivered = deliver(self._app)
        self.sent, self.problem = self.sent + delivered.sent, delivered.problem


def receive(app: App, mailbox: Mailbox) -> int | None:
    """Store everything new of one mailbox; ``None`` where another process is at it. May be killed at any moment."""
    return intake.take_in(app, mailbox)


def handle_all(app: App, meanwhile: Callable[[], object] = lambda: None) -> int:
    """Take every stored mail that is due to a recorded decision, oldest first.

    Args:
        app: the application.
        meanwhile: what to do after each some, while the next are read.

    Returns:
        How many were worked on.
    """
    with transaction(app.engine, "handle.claims_released") as session:
        mails.release_claims(session, leases.is_dead)
    handled, pending = 0, _take_some(app)
    while pending:
        following = _take_some(app, beside=pending)  # is read while these are decided
        handle_together(app, pending)
        app.progress("handled", len(pending))
        handled += len(pending)
        meanwhile()
        pending = following or _take_some(app)
    _park_exhausted(app)
    return handled


def handle_together(app: App, pending: Sequence[tuple[TakenMail, Future[Reading]]]) -> None:
    """Take some stored mails to recorded decisions in one commit; if one of them fails, each in a commit of its own.

    Safe to run twice; a bug parks its mail, and no other.
    """
    read = [(taken, reading) for taken, future in pending if (reading := _wait_for(app, taken, future)) is not None]
    try:
        with transaction(app.engine, "handle.decided") as session:
            _handle_each(app, session, read)
    except Exception as problem:  # noqa: BLE001 (whatever it is, each mail is handled again by itself, where it shows)
        log.info("mails_parted", handled=len(read), problem=type(problem).__name__)
        for taken, reading in read:
            with park_on_bug(app, taken), transaction(app.engine, "handle.decided") as session:
                _handle_each(app, session, [(taken, reading)])


def _handle_each(app: App, session: Session, read: Sequence[tuple[TakenMail, Reading]]) -> None:
    rows = mails.claimed(session, [taken for taken, _ in read])
    for taken, reading in read:
        if taken.id in rows:  # or another process has it by now
            with bound_contextvars(mail_id=taken.id):
                handle(app, session, rows[taken.id], taken, reading)


def handle(app: App, session: Session, mail: MailRow, taken: TakenMail, reading: Reading) -> None:
    """Take one stored mail that has been read to a recorded decision, in a transaction."""
    now = app.now()
    reading = redact(session, mail, taken, reading)  # card numbers are taken out
    if not take_up(app, session, mail, reading):
        return
    if mail.kind == MailKind.UNREADABLE:
        park(app, session, mail, "there is nothing in it to read")
        return
    if mail.kind != MailKind.CUSTOMER:
        file_machine_mail(app, session, mail, reading, now)
        return
    request = file_customer_mail(app, session, mail, reading, now)  # a later mail adds to the claim
    if request is None:
        return
    considered = consider(  # policy: decide, and plan what follows
        request.gathered,
        request.matter.booked,
        app.judgement.policy_for(request.matter.booked),
        given_number=request.given_number,
        requested_at=request.matter.case.requested_at,
        promised=request.promised,
        proof_used=request.proof_used,
    )
    if is_repeated(request, considered):
        leave_to_people(session, request.matter.case, FOLLOW_UP, now)
        return
    carry_out(request.matter, considered)  # act: queued in the same commit


def deliver(app: App) -> sending.Delivered:
    """Send every message that is due, each at most once but in the one case that P3 names."""
    return sending.send_due(app)


def watch_clocks(app: App) -> int:
    """Tell operators once of every promise that has become due or was broken; returns how many."""
    return watch.notify_fired(app)


def look_after(app: App) -> None:
    """See to the cases that no mail moves: letters found sent, refunds paid, no parcel comes, nobody writes."""
    adopting.adopt_sent(app)
    refunding.notice_book(app)
    paying.pay_due(app)
    returns.remind_and_expire(app)
    closing.close_quiet(app)


def guard(app: App) -> None:
    """Prove the invariants; where one does not hold, automatic mail and money stop until a person thaws them."""
    guarding.prove_invariants(app)


def tell_others(app: App) -> int:
    """Call the webhooks of other systems with what is new; returns how many calls were answered."""
    return hooks.tell_others(app)


def notice_silence(app: App) -> None:
    """Tell operators of what has not happened for too long (P7)."""
    guarding.notice_silence(app)


def sync_orders(app: App) -> int:
    """Bring the order book up to date from the shop's own system; returns how many orders had changed."""
    return order_sync.sync_orders(app).imported


@contextmanager
def park_on_bug(app: App, taken: TakenMail) -> Iterator[None]:
    """Let no mail stop the queue: a failed attempt is counted, and after three of them a person gets the mail (P2)."""
    try:
        yield
    except RetryableError as problem:
        log.warning("mail_postponed", mail_id=taken.id, problem=str(problem))
        with suppress(RetryableError), transaction(app.engine, "handle.given_back") as session:
            mails.give_back(session, taken, app.now())
    except Exception as bug:
        log.warning("mail_failed", mail_id=taken.id, attempt=taken.attempt, problem=type(bug).__name__, exc_info=True)
        _count_failure(app, taken, bug)


def _wait_for(app: App, taken: TakenMail, pending: Future[Reading]) -> Reading | None:
    """What the limited child reads out of a mail (inbound, understand); ``None`` where it fails, which is counted."""
    with park_on_bug(app, taken):
        reach("mail.read", BEFORE)
        reading = pending.result()
        reach("mail.read", AFTER)
        return reading
    return None


def _count_failure(app: App, taken: TakenMail, bug: Exception) -> None:
    with transaction(app.engine, "handle.failure_counted") as session:
        mail = mails.claimed(session, [taken]).get(taken.id)
        if mail is not None:
            problem = str(bug) if isinstance(bug, PermanentError) else type(bug).__name__
            if mails.record_failure(mail, problem):
                park(app, session, mail, problem)


def _take_some(
    app: App, beside: Sequence[tuple[TakenMail, Future[Reading]]] = ()
) -> list[tuple[TakenMail, Future[Reading]]]:
    """Take some mails, and have them read; one that was tried before stands beside no other, as it may end us all."""
    if any(taken.attempt > 1 for taken, _ in beside):
        return []
    with transaction(app.engine, "handle.taken") as session:
        taken = mails.take_fresh(session, app.holder, app.now(), _AT_ONCE)
        if not taken and not beside:
            taken = mails.take_tried(session, app.holder, app.now())
    return [(mail, app.judgement.sandbox.submit(mail.raw, mail.received_at)) for mail in taken]


def _park_exhausted(app: App) -> None:
    with transaction(app.engine, "handle.exhausted_parked") as session:
        for mail in mails.take_exhausted(session, app.now()):
            park(app, session, mail, mail.problem or "three attempts ended in a crash")
