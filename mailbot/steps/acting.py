"""Putting a plan into effect inside the deciding transaction: record, queue, start clocks; or leave it to people."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from mailbot.act.deadlines import start_clock
from mailbot.act.plan import GENERIC, VERIFICATION, Plan
from mailbot.model.book import BookedOrder
from mailbot.model.case import CaseState, Deadline
from mailbot.model.decision import Decision, Settlement
from mailbot.model.forms import decision_form, facts_form, trace_form
from mailbot.model.money import Money
from mailbot.settings import Mode
from mailbot.steps.app import App
from mailbot.steps.codes import hash_code, hash_token, new_code, new_token
from mailbot.steps.consider import Considered
from mailbot.steps.letters import Occasion, Thread, freeze, write_letter
from mailbot.steps.parking import leave_to_people
from mailbot.steps.pieces import claimed_pieces
from mailbot.store import cases, clocks, mails, orders, outbox, proofs, readings, refunds, silenced
from mailbot.store.tables import CaseRow, MailRow

RATE_LIMITED = "rate_limited"
DRAFT = "draft"
OFF = "off"
NOT_ANSWERED = "not_answered"
SILENCED = "address_silenced"

PROVEN_GRADES = cases.PROVEN_GRADES
_MOST_UNPROVEN_AN_HOUR = 50
PROOF_PATH = "/proof"
"""Where the console's public page for verification links lies."""
_CODE_LASTS = timedelta(hours=72)
log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """One mail of a case that is being acted on, and the order that it is about.

    Attributes:
        reply_by: the limit of the case's reply clock; ``None`` where none runs.
        proof: the question whose link was used, where that and no mail is what is acted on.
        no_auto_reply: no machine may answer the sender of the newest mail (rule A4).
    """

    app: App
    session: Session
    case: CaseRow
    mail: MailRow
    thread: Thread
    booked: BookedOrder | None
    reply_by: datetime | None
    now: datetime
    proof: int | None = None
    no_auto_reply: bool = False


def open_matter(app: App, session: Session, case: CaseRow) -> Matter:
    """A case to act on without a new mail: its newest mail is answered, its order is locked."""
    last = readings.newest(session, case.id)
    return Matter(
        app=app,
        session=session,
        case=case,
        mail=mails.latest_of_case(session, case.id),
        thread=Thread(message_id=last.message_id, references=last.references) if last else Thread(),
        booked=None if case.order_key is None else orders.find(session, case.order_key, lock=True),
        reply_by=None,
        now=app.now(),
        no_auto_reply=last is not None and last.no_auto_reply,
    )


def carry_out(matter: Matter, considered: Considered) -> None:
    """Record a decision and let what follows from it happen, all in the same commit.

    Mail and case are written once, in the end: nothing that is asked on the way depends on what changes in them.
    """
    with matter.session.no_autoflush:
        _carry_out(matter, considered)


def _carry_out(matter: Matter, considered: Considered) -> None:
    plan, decision = considered.plan, considered.answered.decision
    decision_id = _record(matter, considered)
    mode = matter.app.settings.worker.mode
    if mode is Mode.OFF:
        leave_to_people(matter.session, matter.case, OFF, matter.now)
        return
    replied = _queue_reply(matter, plan, decision, draft=mode is Mode.DRAFT)
    asked = _queue_verification(matter, plan, draft=mode is Mode.DRAFT)
    if mode is Mode.DRAFT:
        leave_to_people(matter.session, matter.case, decision.escalation or DRAFT, matter.now)
    elif plan.state is CaseState.ESCALATED:
        leave_to_people(matter.session, matter.case, decision.escalation or NOT_ANSWERED, matter.now)
    elif not (replied or asked):
        leave_to_people(matter.session, matter.case, _why_unsent(matter, plan), matter.now)
    else:
        bring_about(matter, plan, decision_id=decision_id, approved_by=refunds.BY_POLICY, why=decision.rule)


def bring_about(matter: Matter, plan: Plan, *, decision_id: int, approved_by: str, why: str) -> None:
    """Bring the case where the plan says, with the money that is due and the clock that starts now.

    Raises:
        OverpaymentError: more is to go back than is left of the payment (I6).
    """
    cases.move(matter.session, matter.case, plan.state, "decided", matter.now, why=why, actor=approved_by)
    if plan.refund is not None:
        _record_intent(matter, plan.refund, decision_id, approved_by)
    started = started_clock(matter.app, plan, matter.now)
    if started is not None:
        clocks.start(matter.session, matter.case.id, started, running=True)


def _record_intent(matter: Matter, settlement: Settlement, decision_id: int, approved_by: str) -> None:
    if matter.booked is None:
        name = cases.number_of(matter.case.id)
        raise refunds.RefundError(f"{name}: its order is no longer in the book; import it again first")
    approval = refunds.Approval(
        decision_id=decision_id,
        by=approved_by,
        needs_two=matter.app.settings.refunds.needs_two(settlement.refund),
    )
    provider = "manual" if matter.app.payments is None else matter.app.payments.name
    refunds.record_intent(
        matter.session, matter.case, settlement, matter.booked, approval, provider=provider, now=matter.now
    )


def started_clock(app: App, plan: Plan, now: datetime) -> Deadline | None:
    """The clock that a plan starts now."""
    if plan.clock is None:
        return None
    return start_clock(plan.clock, app.judgement.policy.clocks[plan.clock], now, app.settings.shop.zone)


def _record(matter: Matter, considered: Considered) -> int:
    decision = considered.answered.decision
    matter.case.grade = considered.proof.grade
    record = cases.Record(
        mail_id=matter.mail.id,
        policy_version=matter.app.judgement.policy_for(matter.booked).version,
        facts=facts_form(considered.facts),
        decision=decision_form(decision),
        trace=trace_form(considered.answered.trace),
        sender_why=considered.proof.why,
    )
    log.info(
        "mail_decided",
        case=cases.number_of(matter.case.id),
        outcome=decision.outcome,
        rule=decision.rule,
        grade=considered.proof.grade,
    )
    return cases.record_decision(matter.session, matter.case, record, matter.now)


def _queue_reply(matter: Matter, plan: Plan, decision: Decision, *, draft: bool) -> bool:
    if plan.reply is None or plan.reply_to is None:
        return False
    if plan.reply == GENERIC and outbox.was_sent(matter.session, matter.case.id, GENERIC):
        return False  # a second one would tell whether something changed, and so what the order book holds
    return queue_letter(
        matter,
        template=plan.reply,
        to=plan.reply_to,
        purpose=f"reply/{matter.mail.id}" if matter.proof is None else f"proof/{matter.proof}",
        answers=plan.answers,
        draft=draft,
        content=Content(
            decision=decision, settlement=decision.settlement, started=started_clock(matter.app, plan, matter.now)
        ),
    )


def _why_unsent(matter: Matter, plan: Plan) -> str:
    """Why no letter of a plan may go."""
    given = [to for to in (plan.reply_to, plan.verification_to) if to is not None]
    return SILENCED if any(silenced.is_silenced(matter.session, to) for to in given) else RATE_LIMITED


def _queue_verification(matter: Matter, plan: Plan, *, draft: bool) -> bool:
    """Ask the order's address on file whether the mail was its own: once an order and day, three times in all."""
    if plan.verification_to is None or matter.booked is None:
        return False
    if not proofs.may_ask(matter.session, matter.booked.key, matter.now):
        return False
    code, token = new_code(), new_token()
    public_url, key = matter.app.settings.console.public_url, matter.app.instance.message_key
    asked = queue_letter(
        matter,
        template=VERIFICATION,
        to=plan.verification_to,
        purpose=f"verification/{matter.mail.id}",
        answers=plan.answers,
        draft=draft,
        content=Content(code=code, proof_url=f"{public_url}{PROOF_PATH}?token={token}" if public_url else None),
    )
    if asked:
        proofs.record_asked(
            matter.session,
            matter.case.id,
            matter.booked.key,
            matter.now,
            code_hash=hash_code(key, matter.case.id, code),
            link_hash=hash_token(key, token) if public_url else None,
            expires_at=matter.now + _CODE_LASTS,
        )
    return asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a letter tells beside what the case knows.

    Attributes:
        decision: what it tells, with the clauses that it cites.
        settlement: the bill in it; ``refund`` the sum alone.
        started: the clock whose limit it names.
        status: of the case, for an answer about how it stands.
        inspection_note: what an operator found when returned goods came.
        code: of a verification; ``proof_url`` its link, ``None`` where the shop has no public page.
        text: a person's own words.
    """

    decision: Decision | None = None
    settlement: Settlement | None = None
    refund: Money | None = None
    paid_at: datetime | None = None
    started: Deadline | None = None
    status: CaseState | None = None
    inspection_note: str | None = None
    code: str | None = None
    proof_url: str | None = None
    text: str | None = None


def tell_customer(
    matter: Matter, template: str, *, purpose: str, answers: bool, content: Content, person: str | None = None
) -> bool:
    """Queue a letter to the case's proven customer, if anybody may write to them now.

    Returns:
        ``False`` where nobody is proven, or a machine may not write: in mode ``off``, by rule A4, beyond the rates.
    """
    to = None if matter.booked is None else matter.booked.customer_email
    mode = matter.app.settings.worker.mode
    if to is None or matter.case.grade not in PROVEN_GRADES:
        return False
    if person is None and (matter.no_auto_reply or mode is Mode.OFF):
        return False
    draft = person is None and mode is Mode.DRAFT
    return queue_letter(
        matter,
        template=template,
        to=to,
        purpose=purpose,
        answers=answers,
        draft=draft,
        content=content,
        person=person,
    )


def queue_letter(
    matter: Matter,
    *,
    template: str,
    to: str,
    purpose: str,
    answers: bool,
    draft: bool,
    content: Content,
    person: str | None = None,
) -> bool:
    """Write, freeze and queue one letter of a case, if the rates of I10 still allow it.

    Args:
        matter: the case and the mail that is answered.
        template: its name.
        to: the one recipient.
        purpose: what it is for; queueing the same purpose again changes nothing.
        answers: whether sending it keeps the promise of a reply.
        draft: it waits for a person's yes.
        content: what it tells.
        person: who sends it; rates are for machines only.

    Returns:
        Whether it may go; ``False`` where a rate is used up, so that a person must see to it.
    """
    if person is None and not _rate_allows(matter, template, to):
        return False
    app, number, occasion = matter.app, cases.number_of(matter.case.id), occasion_of(matter, content)
    judgement = app.judgement
    reply = write_letter(
        judgement.templates,
        app.settings,
        judgement.policy_for(matter.booked),
        template,
        occasion,
        code=content.code,
        proof_url=content.proof_url,
        text=content.text,
    )
    frozen = freeze(
        reply,
        app.settings,
        key=app.instance.message_key,
        instance=app.instance.name,
        case_number=number,
        to=to,
        thread=matter.thread if template != VERIFICATION else Thread(),
        now=matter.now,
        by_person=person is not None,
    )
    outgoing = outbox.Outgoing(
        purpose=purpose,
        case_id=matter.case.id,
        template=template,
        grade=matter.case.grade,
        recipient=to,
        sender=frozen.sender,
        message_id=frozen.message_id,
        content=frozen.content,
        answers=answers,
        automatic=person is None,
        draft=draft,
    )
    outbox.add(matter.session, outgoing, matter.now)
    return True


def occasion_of(matter: Matter, content: Content) -> Occasion:
    """What a letter of a case is about; of an order only what a proven customer may hear."""
    return Occasion(
        case_number=cases.number_of(matter.case.id),
        language=matter.case.language,
        subject=matter.case.subject,
        booked=matter.booked if matter.case.grade in PROVEN_GRADES else None,
        decision=content.decision,
        settlement=content.settlement,
        reply_by=matter.reply_by if matter.reply_by is not None and matter.reply_by > matter.now else None,
        started=content.started,
        now=matter.now,
        refund=content.refund,
        paid_at=content.paid_at,
        status=content.status,
        inspection_note=content.inspection_note,
        pieces=() if content.settlement is None else claimed_pieces(matter.session, matter.case.id, matter.mail),
    )


def _rate_allows(matter: Matter, template: str, to: str) -> bool:
    session, now = matter.session, matter.now
    proven = matter.case.grade in PROVEN_GRADES
    of_case, to_address, is_silenced = outbox.count_automatic(session, now, matter.case.id, to)
    if is_silenced or of_case >= outbox.MOST_A_CASE[proven] + (template == VERIFICATION):
        return False
    if to_address >= outbox.MOST_AN_ADDRESS[proven]:
        return False
    unproven = (GENERIC, VERIFICATION)
    return template not in unproven or outbox.count_unproven(session, unproven, now) < _MOST_UNPROVEN_AN_HOUR
