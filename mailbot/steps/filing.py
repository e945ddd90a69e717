"""Filing a person's mail with its case, and telling whether the case is now a request that the policy can decide."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from mailbot.act.deadlines import clock_start
from mailbot.model.book import BookedOrder
from mailbot.model.case import CaseState
from mailbot.model.decision import Outcome
from mailbot.model.money import Money
from mailbot.model.reading import Reading, Topic
from mailbot.steps.acting import Matter
from mailbot.steps.app import App
from mailbot.steps.consider import Considered, Gathered, gather
from mailbot.steps.follow_ups import follow_up, merely_thanks
from mailbot.steps.letters import Thread
from mailbot.steps.parking import leave_to_people, start_reply_clock
from mailbot.steps.sorting import Placed, choose, place
from mailbot.steps.voice import first_asked_at, own_words
from mailbot.store import cases, mails, orders, proofs, readings
from mailbot.store.readings import Said
from mailbot.store.tables import CaseRow, MailRow, MailState
from mailbot.understand.order_number import OrderChoice

OTHER_TOPIC = "other_topic"
FOLLOW_UP = "follow_up"
THIRD_PARTY = "third_party"
_WAITING = frozenset({CaseState.NEW, CaseState.WAITING_FOR_INFORMATION, CaseState.WAITING_FOR_PROOF})


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A case that the policy can decide, with all that its mails say.

    Attributes:
        given_number: the order number as the customer gave it, known to the book or not.
        promised: what other cases have promised of the order.
        proof_used: the sender gave back the code that only the order's address was sent.
        first: no decision was made on the case before.
    """

    matter: Matter
    gathered: Gathered
    given_number: str | None
    promised: Money | None
    proof_used: bool
    first: bool


def file_customer_mail(app: App, session: Session, mail: MailRow, reading: Reading, now: datetime) -> Request | None:
    """File a mail with the case that it opens or continues.

    Returns:
        The request that the case now is; ``None`` where it is people's matter, and stands in their queue.
    """
    chosen = choose(session, reading.order_numbers, reading.identity.address)
    with session.no_autoflush:  # where a mail belongs does not depend on what it is
        placed = place(app, session, reading, chosen.booked, now)
    if placed.case is not None and placed.third_party:
        _file_third_party(app, session, mail, placed.case, now)
        return None
    case = placed.case or _open_case(session, mail, reading, now)
    case.language = case.language or reading.language
    mails.finish(mail, MailState.HANDLED, case.id)
    if placed.case is not None:
        says = sorted({span.fact for span in reading.follow_ups})
        cases.record_event(session, case, "customer_wrote", now, actor="customer", mail=mail.id, says=says)
        session.flush()
        if mail.held is None and placed.proven_order is None and merely_thanks(reading):
            return None
    reply_by = start_reply_clock(app, session, case, mail, running=placed.case is not None)
    if (
        placed.case is not None
        and mail.held is None
        and _goes_on(app, session, placed, mail, reading, reply_by=reply_by)
    ):
        return None
    if case.state == CaseState.ESCALATED and not _is_late_proof(case, placed):
        return None  # people have it, whatever it says
    own = _weighed(session, case, placed, mail, reading)
    gathered = gather([each.reading for each in own], reading)
    why = _why_people(mail, case, placed, gathered) if own else FOLLOW_UP
    if gathered is None or why is not None:
        if case.state != CaseState.ESCALATED:
            leave_to_people(session, case, why or OTHER_TOPIC, now)
        return None
    case.topic, case.requested_at = Topic.REFUND_REQUEST, first_asked_at(own)
    if placed.case is not None:
        chosen = choose(session, gathered.order_numbers, gathered.identity.address)
    matter = _matter(app, session, case, mail, reading, booked=chosen.booked, reply_by=reply_by)
    return _request(matter, gathered, placed, chosen.choice)


def _goes_on(
    app: App, session: Session, placed: Placed, mail: MailRow, reading: Reading, *, reply_by: datetime
) -> bool:
    """Whether a mail on a running case asks for no decision of the policy, and was seen to."""
    case = placed.case
    if case is None or placed.proven_order is not None:
        return False
    booked = None if case.order_key is None else orders.find(session, case.order_key, lock=True)
    return follow_up(_matter(app, session, case, mail, reading, booked=booked, reply_by=reply_by), reading)


def _matter(
    app: App,
    session: Session,
    case: CaseRow,
    mail: MailRow,
    reading: Reading,
    *,
    booked: BookedOrder | None,
    reply_by: datetime,
) -> Matter:
    return Matter(
        app=app,
        session=session,
        case=case,
        mail=mail,
        thread=Thread(message_id=reading.message_id, references=reading.references or reading.in_reply_to),
        booked=booked,
        reply_by=reply_by,
        now=app.now(),
        no_auto_reply=reading.no_auto_reply,
    )


def is_repeated(request: Request, considered: Considered) -> bool:
    """Whether a later mail changed nothing, so that a person reads it and the customer is not told the same again."""
    if request.first:
        return False
    case, decision = request.matter.case, considered.answered.decision
    same = (decision.outcome, decision.rule, considered.proof.grade) == (case.outcome, case.rule, case.grade)
    before = cases.latest_decision(request.matter.session, case.id)
    return same and before is not None and tuple(before.decision["missing"]) == decision.missing


def _open_case(session: Session, mail: MailRow, reading: Reading, now: datetime) -> CaseRow:
    return cases.open_case(
        session,
        subject=reading.subject,
        customer=reading.identity.address,
        language=reading.language,
        requested_at=clock_start(mail.received_at, mail.stored_at),
        now=now,
    )


def _file_third_party(app: App, session: Session, mail: MailRow, case: CaseRow, now: datetime) -> None:
    mails.finish(mail, MailState.FILED, case.id)
    start_reply_clock(app, session, case, mail, running=True)
    cases.record_event(session, case, "third_party_wrote", now, mail=mail.id)
    if case.state != CaseState.ESCALATED:
        leave_to_people(session, case, THIRD_PARTY, now)


def _why_people(mail: MailRow, case: CaseRow, placed: Placed, gathered: Gathered | None) -> str | None:
    if mail.held:
        return mail.held
    if gathered is None or gathered.topic is not Topic.REFUND_REQUEST:
        return OTHER_TOPIC
    return None if case.state in _WAITING or _is_late_proof(case, placed) else FOLLOW_UP


def _is_late_proof(case: CaseRow, placed: Placed) -> bool:
    return placed.proven_order is not None and case.outcome == Outcome.VERIFY_SENDER and case.escalation == FOLLOW_UP


def _weighed(session: Session, case: CaseRow, placed: Placed, mail: MailRow, reading: Reading) -> list[Said]:
    """The mails that a decision rests on, oldest first; none where they are more than a machine weighs."""
    if placed.case is None:
        return [Said(received_at=mail.received_at, stored_at=mail.stored_at, reading=reading)]
    said = readings.said_in(session, case.id) or []
    return own_words(said, reading.identity, proven_until=proofs.proven_until(session, case.id))


def _request(matter: Matter, gathered: Gathered, placed: Placed, choice: OrderChoice) -> Request:
    session, case, booked = matter.session, matter.case, matter.booked
    with session.no_autoflush:  # nothing here is about refunds
        promised = _promised(session, booked)
    case.order_number = choice.given if booked is None else booked.order.number
    case.order_key = choice.key
    return Request(
        matter=matter,
        gathered=gathered,
        given_number=choice.given,
        promised=promised,
        proof_used=booked is not None and booked.key == placed.proven_order,
        first=placed.case is None,
    )


def _promised(session: Session, booked: BookedOrder | None) -> Money | None:
    return None if booked is None else orders.promised_refunds(session, booked.key, booked.order.currency)
