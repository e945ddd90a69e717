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
from mailbot.settings import Mode
from mailbot.steps.app import App
from mailbot.steps.codes import hash_code, hash_token, new_code, new_token
from mailbot.steps.consider import Considered
from mailbot.steps.letters import Occasion, Thread, freeze, write_letter
from mailbot.steps.parking import leave_to_people
from mailbot.store import cases, clocks, outbox, proofs, refunds, silenced
from mailbot.store.tables import CaseRow, MailRow

RATE_LIMITED = "rate_limited"
DRAFT = "draft"
OFF = "off"
NOT_ANSWERED = "not_answered"
SILENCED = "address_silenced"

PROVEN_GRADES = frozenset({"V2", "V3"})
_MOST_A_CASE = {True: 5, False: 1}
_MOST_AN_ADDRESS = {True: 10, False: 2}
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


def carry_out(matter: Matter, considered: Considered) -> None:
    """Record a decision and let what follows from it happen, all in the same commit."""
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
        bring_about(matter, plan, decision_id=decision_id, approved_by="policy")


def bring_about(matter: Matter, plan: Plan, *, decision_id: int, approved_by: str) -> None:
    """Bring the case where the plan says, with the money that is due and the clock that starts now."""
    cases.move(matter.session, matter.case, plan.state, "decided", matter.now, actor=approved_by)
    if plan.refund is not None:
        refunds.record_due(
            matter.session, matter.case, plan.refund, matter.now, decision_id=decision_id, approved_by=approved_by
        )
    started = started_clock(matter.app, plan, matter.now)
    if started is not None:
        clocks.start(matter.session, matter.case.id, started, running=True)


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
        policy_version=matter.app.judgement.policy.version,
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
        decision=decision,
        settlement=decision.settlement,
        started=started_clock(matter.app, plan, matter.now),
        answers=plan.answers,
        draft=draft,
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
        code=code,
        proof_url=f"{public_url}{PROOF_PATH}?token={token}" if public_url else None,
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


def queue_letter(
    matter: Matter,
    *,
    template: str,
    to: str,
    purpose: str,
    answers: bool,
    draft: bool,
    decision: Decision | None = None,
    settlement: Settlement | None = None,
    started: Deadline | None = None,
    code: str | None = None,
    proof_url: str | None = None,
    text: str | None = None,
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
        decision: what it tells, with the clauses that it cites.
        settlement: the bill in it.
        started: the clock whose limit it names.
        code: of a verification.
        proof_url: the link of a verification; ``None`` where the shop has no public page.
        text: a person's own words.
        person: who sends it; rates are for machines only.

    Returns:
        Whether it may go; ``False`` where a rate is used up, so that a person must see to it.
    """
    if person is None and not _rate_allows(matter, template, to):
        return False
    app, number = matter.app, cases.number_of(matter.case.id)
    occasion = Occasion(
        case_number=number,
        subject=matter.case.subject,
        booked=matter.booked if matter.case.grade in PROVEN_GRADES else None,
        decision=decision,
        settlement=settlement,
        reply_by=matter.reply_by if matter.reply_by is not None and matter.reply_by > matter.now else None,
        started=started,
        now=matter.now,
    )
    judgement = app.judgement
    reply = write_letter(
        judgement.templates,
        app.settings,
        judgement.policy,
        template,
        occasion,
        code=code,
        proof_url=proof_url,
        text=text,
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


def _rate_allows(matter: Matter, template: str, to: str) -> bool:
    session, now = matter.session, matter.now
    if silenced.is_silenced(session, to):
        return False
    proven = matter.case.grade in PROVEN_GRADES
    of_case, to_address = outbox.count_automatic(session, now, matter.case.id, to)
    if of_case >= _MOST_A_CASE[proven] + (template == VERIFICATION) or to_address >= _MOST_AN_ADDRESS[proven]:
        return False
    unproven = (GENERIC, VERIFICATION)
    return template not in unproven or outbox.count_unproven(session, unproven, now) < _MOST_UNPROVEN_AN_HOUR
