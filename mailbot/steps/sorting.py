"""Finding out what a stored mail is to us: a copy, a machine's, the next of a case, or the first of a new one."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from mailbot.act.message import is_own_message_id
from mailbot.act.plan import VERIFICATION
from mailbot.model.book import BookedOrder
from mailbot.model.case import ClockKind
from mailbot.model.mail import MailKind, SenderIdentity, Verdict
from mailbot.model.reading import HOLDING, ORDER_NUMBER_SLOW, OrderNumberCandidate, Reading
from mailbot.steps.acting import PROVEN_GRADES
from mailbot.steps.app import App
from mailbot.steps.codes import find_codes, hash_code
from mailbot.steps.parking import leave_to_people, start_reply_clock
from mailbot.steps.voice import is_customer
from mailbot.store import cases, clocks, mails, orders, outbox, proofs, readings, silenced
from mailbot.store.tables import CaseRow, MailRow, MailState, OutboxRow, OutboxState
from mailbot.understand.order_number import OrderChoice, choose_order

BOUNCED = "bounced"
LOOPED = "looped"
MESSAGE_ID_CONFLICT = "message_id_conflict"

_MAY_HAVE_ARRIVED = frozenset({OutboxState.AMBIGUOUS, OutboxState.FAILED, OutboxState.DRAFT})
"""States of a letter that a report of it, or an answer to it, shows to be wrong; a draft only in a restored copy."""

_WEAK_EVIDENCE = "A5"
_LOOP_LENGTH = 3
_LOOP_SPAN = timedelta(hours=1)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Where a person's mail belongs.

    Attributes:
        case: the case that it continues; ``None``: it begins one.
        third_party: it names a case of somebody else, who gets to know nothing of it.
        proven_order: the order whose address was sent the code that it brought: a proof for that order alone.
    """

    case: CaseRow | None
    third_party: bool = False
    proven_order: str | None = None


def take_up(app: App, session: Session, mail: MailRow, reading: Reading) -> bool:
    """Take up a mail that has been read: keep the reading, and tell the mail's kind.

    Returns:
        ``False`` where its content came before (I3), so that nothing more is to do.
    """
    twin, namesake = mails.find_relatives(session, mail, reading.content_key, reading.message_id)
    if twin is not None:
        mail.duplicate_of = twin
        mails.finish(mail, MailState.DUPLICATE)
        return False
    if namesake is not None:
        mail.held = mail.held or MESSAGE_ID_CONFLICT
    mail.held = mail.held or next((doubt for doubt in reading.doubts if doubt in HOLDING), None)
    if ORDER_NUMBER_SLOW in reading.doubts:
        log.warning("order_number_slow", mail_id=mail.id)
    mails.record_reading(
        mail,
        kind=_kind_of(app, reading),
        content_key=reading.content_key,
        message_id=reading.message_id,
        sender=reading.identity.address,
        form=readings.reading_form(reading),
    )
    return True


def _kind_of(app: App, reading: Reading) -> MailKind:
    """The mail's kind, where our own mail is known first, by what only we can sign (rule A0)."""
    own = reading.message_id is not None and is_own_message_id(app.instance.message_key, reading.message_id)
    return MailKind.LOOP if own else reading.kind


def file_machine_mail(app: App, session: Session, mail: MailRow, reading: Reading, now: datetime) -> None:
    """File a machine's mail unanswered: a bounce tells its case, a loop is stopped, all else is shown to people.

    An absence notice known by its subject alone may be a person's: the clocks of an open case run for it (rule A5).
    """
    case: CaseRow | None = None
    if mail.kind == MailKind.BOUNCE:
        case = _record_bounce(app, session, mail, reading, now)
    elif mail.kind == MailKind.LOOP:
        case = _stop_loop(app, session, mail, reading, now)
    elif reading.identity.address is not None:
        case = cases.find_open_of(session, reading.identity.address)
        if case is not None:
            cases.record_event(session, case, "machine_mail_filed", now, mail=mail.id, mail_kind=mail.kind)
            if reading.kind_rule == _WEAK_EVIDENCE:
                start_reply_clock(app, session, case, mail, running=True)
    mails.finish(mail, MailState.FILED, None if case is None else case.id)
    log.info("mail_filed", mail_id=mail.id, kind=mail.kind, rule=reading.kind_rule)


def _record_bounce(app: App, session: Session, mail: MailRow, reading: Reading, now: datetime) -> CaseRow | None:
    """Tie a bounce to the message that caused it (rule A1); if it failed for good, a person sees to its case."""
    named = outbox.find_by_message_ids(session, _named_ids(reading))
    returned = None if reading.bounced_to is None else outbox.find_by_sender(session, reading.bounced_to)
    row = returned or next((row for row in named if row.case_id is not None), None)
    if row is None or row.case_id is None:
        return None
    case = cases.lock_heir(session, row.case_id)
    if not reading.bounced_for_good and not reading.address_dead:
        if row.state in _MAY_HAVE_ARRIVED - {OutboxState.FAILED}:  # what is late has been sent
            _take_as_sent(session, row, now)
        cases.record_event(session, case, "delivery_reported", now, message=row.id)
        return case
    outbox.record_failed(session, row.id, "bounced for good")
    if reading.address_dead:
        silenced.silence(session, row.recipient, silenced.BOUNCED, now)
    leave_to_people(session, case, BOUNCED, now, message=row.id)
    start_reply_clock(app, session, case, mail, running=True)
    return case


def _take_as_sent(session: Session, row: OutboxRow, now: datetime) -> None:
    if outbox.record_sent(session, row.id, now) and row.case_id is not None and row.answers:
        clocks.meet(session, row.case_id, now, (ClockKind.REPLY,))


def _stop_loop(app: App, session: Session, mail: MailRow, reading: Reading, now: datetime) -> CaseRow | None:
    """Three mails of our own in an hour are a loop: whoever sends them back gets no more, a person is told (A0)."""
    named = outbox.find_by_message_ids(session, (*_named_ids(reading), *filter(None, [reading.message_id])))
    row = next((row for row in named if row.case_id is not None), None)
    case = None if row is None or row.case_id is None else cases.lock_heir(session, row.case_id)
    if case is not None:
        cases.record_event(session, case, "machine_mail_filed", now, mail=mail.id, mail_kind=mail.kind)
    if mails.count_of_kind(session, MailKind.LOOP, now - _LOOP_SPAN) < _LOOP_LENGTH:
        return case
    fresh = row is not None and silenced.silence(session, row.recipient, silenced.LOOPED, now)
    log.warning("mail_loop_found", mail_id=mail.id)
    if case is not None and fresh:
        leave_to_people(session, case, LOOPED, now, mail=mail.id)
        start_reply_clock(app, session, case, mail, running=True)
    return case


def _named_ids(reading: Reading) -> tuple[str, ...]:
    return tuple({*reading.enclosed_ids, *reading.in_reply_to, *reading.references})


def place(app: App, session: Session, reading: Reading, booked: BookedOrder | None, now: datetime) -> Placed:
    """Find the case that a person's mail belongs to: by our own Message-IDs in its thread, else by order and sender."""
    threaded = outbox.find_by_message_ids(session, (*reading.in_reply_to, *reading.references))
    of_case = next((row for row in threaded if row.case_id is not None), None)
    case = None if of_case is None or of_case.case_id is None else cases.lock_heir(session, of_case.case_id)
    for row in threaded:
        if row.state in _MAY_HAVE_ARRIVED:
            _take_as_sent(session, row, now)
    if case is None or of_case is None:
        return Placed(case=_open_case_of(session, reading.identity, booked))
    codes = frozenset(hash_code(app.instance.message_key, case.id, code) for code in find_codes(reading))
    asked = of_case.template == VERIFICATION
    proven_order = proofs.use_code(session, case.id, codes, now) if asked else None
    if proven_order is not None:
        return Placed(case=case, proven_order=proven_order)
    return Placed(case=case, third_party=not _may_write_to(session, reading.identity, case))


def _may_write_to(session: Session, identity: SenderIdentity, case: CaseRow) -> bool:
    """Whether a mail is the case's correspondent's: once the case is proven, only proven mails are."""
    if case.order_key is not None and is_customer(identity, orders.find(session, case.order_key)):
        return True
    return identity.address is not None and identity.address == case.customer and case.grade not in PROVEN_GRADES


def _open_case_of(session: Session, identity: SenderIdentity, booked: BookedOrder | None) -> CaseRow | None:
    """The open case that a customer's mail without a thread goes on with; one that a stranger opened it is not."""
    if booked is None or identity.address is None or not is_customer(identity, booked):
        return None
    case = cases.find_continued(session, booked.key, identity.address)
    if case is None or case.order_key is not None:
        return case
    said = readings.said_in(session, case.id)
    is_theirs = said is not None and all(each.reading.identity.verdict is Verdict.PASS for each in said)
    return case if is_theirs else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which order a mail is about: as chosen from its numbers, and as the book has it."""

    choice: OrderChoice
    booked: BookedOrder | None


def choose(session: Session, order_numbers: tuple[OrderNumberCandidate, ...], sender: str | None) -> Chosen:
    """Choose the order that a mail is about, and keep others from deciding about it meanwhile."""
    known = orders.find_all(session, {candidate.key for candidate in order_numbers}, lock=True)
    choice = choose_order(order_numbers, {key: found.customer_email for key, found in known.items()}, sender)
    return Chosen(choice=choice, booked=None if choice.key is None else known[choice.key])
