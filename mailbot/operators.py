"""What operators do to a case: approve, decline, write, note, pay, close. Each is one transaction and one event."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from secrets import token_hex
from zoneinfo import ZoneInfo

from mailbot.act.plan import plan_approval
from mailbot.errors import InputError
from mailbot.model.case import CaseState, ClockKind, Deadline
from mailbot.model.decision import Decision, Outcome, Settlement
from mailbot.model.forms import parse_facts
from mailbot.policy.decide import Answered, decide
from mailbot.policy.rules import Row
from mailbot.policy.table import parse_policy
from mailbot.steps.acting import PROVEN_GRADES, Matter, bring_about, queue_letter, started_clock
from mailbot.steps.app import App
from mailbot.steps.letters import Thread
from mailbot.store import cases, clocks, mails, orders, outbox, readings, refunds
from mailbot.store.transaction import transaction

MESSAGE = "message"


class NotPossibleError(InputError):
    """What an operator asked for does not fit the case; the text says what would."""


def approve(app: App, number: str, actor: str) -> str:
    """Approve what a case proposes, or send the drafts that wait for a yes.

    Returns:
        What happened, in one line.

    Raises:
        NotPossibleError: there is nothing to approve.
    """
    with _case(app, number) as matter:
        decision_id, answered = _answered(matter)
        if outbox.release_drafts(matter.session, matter.case.id, matter.now):
            return _approve_drafts(matter, decision_id, answered, actor)
        return _approve_proposal(matter, decision_id, answered, actor)


def decline(app: App, number: str, actor: str, rule: str) -> str:
    """Decline a case by one of the policy's declining rows; its template tells the customer.

    Raises:
        NotPossibleError: the policy has no such row, or the case has no address to write to.
    """
    with _case(app, number) as matter:
        row = _declining_row(app, rule)
        before = cases.latest_decision(matter.session, matter.case.id)
        received_on = None if before is None else before.decision["received_on"]
        decision = Decision(
            outcome=Outcome.DECLINE,
            rule=row.rule,
            clauses=row.clauses,
            escalation=None,
            missing=(),
            proposal=None,
            settlement=None,
            received_on=None if received_on is None else date.fromisoformat(received_on),
        )
        outbox.withdraw_drafts(matter.session, matter.case.id)
        _write(matter, row.reply, actor, decision=decision)
        cases.move(matter.session, matter.case, CaseState.DECLINED, "declined", matter.now, actor=actor, rule=rule)
        return f"{cases.number_of(matter.case.id)} is declined ({rule}); {row.reply} is queued"


def reply(app: App, number: str, actor: str, text: str) -> str:
    """Write to the customer in a person's own words, in the shop's frame. This keeps the promise of a reply.

    Raises:
        NotPossibleError: there are no words, or no address to write to.
    """
    if not text.strip():
        raise NotPossibleError("the reply is empty; give its text with --text or on standard input")
    with _case(app, number) as matter:
        _write(matter, MESSAGE, actor, text=text)
        cases.record_event(matter.session, matter.case, "replied", matter.now, actor=actor)
        return f"{cases.number_of(matter.case.id)}: the reply is queued"


def note(app: App, number: str, actor: str, text: str) -> str:
    """Keep a note with a case; customers never see it."""
    with _case(app, number) as matter:
        cases.record_event(matter.session, matter.case, "noted", matter.now, actor=actor, text=text)
        return f"{cases.number_of(matter.case.id)}: noted"


def confirm_refund(app: App, number: str, actor: str, reference: str) -> str:
    """Confirm that a case's refund was paid; the payment's reference may be used only once.

    Raises:
        InputError: nothing is due, or the reference belongs to another refund.
    """
    with _case(app, number) as matter:
        paid = refunds.confirm(matter.session, matter.case.id, reference, matter.now)
        clocks.meet(matter.session, matter.case.id, matter.now, (ClockKind.REFUND,))
        cases.record_event(
            matter.session, matter.case, "refund_paid", matter.now, actor=actor, amount=str(paid), reference=reference
        )
        return f"{cases.number_of(matter.case.id)}: {paid} {paid.currency} confirmed as paid"


def close(app: App, number: str, actor: str, reason: str) -> str:
    """Close a case; its clocks stop, and drafts that waited are taken back.

    Raises:
        NotPossibleError: a refund is still due.
    """
    with _case(app, number) as matter:
        name = cases.number_of(matter.case.id)
        if refunds.is_due(matter.session, matter.case.id):
            raise NotPossibleError(f"{name}: a refund is due; confirm it first with mailbot refund confirm {name}")
        outbox.withdraw_drafts(matter.session, matter.case.id)
        cases.move(matter.session, matter.case, CaseState.CLOSED, "closed", matter.now, actor=actor, reason=reason)
        clocks.meet(matter.session, matter.case.id, matter.now)
        return f"{name} is closed"


def requeue(app: App, number: str, actor: str) -> str:
    """Have a case's parked mail read again, as if it had just come; its new reading goes to a case of its own.

    Raises:
        NotPossibleError: the case has no parked mail.
    """
    with _case(app, number) as matter:
        name = cases.number_of(matter.case.id)
        if not mails.requeue(matter.session, matter.case.id):
            raise NotPossibleError(f"{name}: no mail of it is parked")
        reason = "its mail is read again"
        cases.move(matter.session, matter.case, CaseState.CLOSED, "requeued", matter.now, actor=actor, reason=reason)
        clocks.meet(matter.session, matter.case.id, matter.now)
        return f"{name}: its mail is read again at the next pass, and the case is closed"


@contextmanager
def _case(app: App, number: str) -> Iterator[Matter]:
    with transaction(app.engine) as session:
        case = cases.get(session, number, lock=True)
        said = readings.of_case(session, case.id)
        last = said[-1] if said else None
        yield Matter(
            app=app,
            session=session,
            case=case,
            mail=mails.latest_of_case(session, case.id),
            thread=Thread(message_id=last.message_id, references=last.references) if last else Thread(),
            booked=None if case.order_key is None else orders.find(session, case.order_key, lock=True),
            reply_by=None,
            now=app.now(),
        )


def _answered(matter: Matter) -> tuple[int, Answered]:
    """The case's present decision, made again from what was stored, by the policy that it was made by."""
    row = cases.latest_decision(matter.session, matter.case.id)
    if row is None:
        name = cases.number_of(matter.case.id)
        raise NotPossibleError(f"{name}: nothing was decided on it; use case reply, decline or close")
    policy = matter.app.judgement.policy
    if row.policy_version != policy.version:
        kept = cases.get_policy(matter.session, row.policy_version)
        policy = parse_policy(kept.content, ZoneInfo(kept.timezone))
    return row.id, decide(parse_facts(row.facts), policy)


def _approve_drafts(matter: Matter, decision_id: int, answered: Answered, actor: str) -> str:
    decision = answered.decision
    if matter.case.grade in PROVEN_GRADES and decision.outcome is not Outcome.ESCALATE:
        _bring_about(matter, decision_id, decision.outcome, decision.settlement, actor)
    else:
        cases.record_event(matter.session, matter.case, "drafts_released", matter.now, actor=actor)
    return f"{cases.number_of(matter.case.id)}: the waiting replies are queued"


def _approve_proposal(matter: Matter, decision_id: int, answered: Answered, actor: str) -> str:
    name, proposal = cases.number_of(matter.case.id), answered.decision.proposal
    if proposal is None or answered.proposal_reply is None or matter.case.state != CaseState.ESCALATED:
        raise NotPossibleError(f"{name}: nothing is proposed; use case reply, decline or close")
    if proposal.settlement is None and proposal.outcome is not Outcome.DECLINE:
        why = f"{name}: its sums are not known ({answered.decision.rule})"
        raise NotPossibleError(f"{why}; complete the order with mailbot orders import, then use case reply")
    started = _bring_about(matter, decision_id, proposal.outcome, proposal.settlement, actor)
    _write(
        matter,
        answered.proposal_reply,
        actor,
        decision=answered.decision,
        settlement=proposal.settlement,
        started=started,
    )
    return f"{name}: {proposal.outcome} is approved; {answered.proposal_reply} is queued"


def _bring_about(
    matter: Matter, decision_id: int, outcome: Outcome, settlement: Settlement | None, actor: str
) -> Deadline | None:
    plan = plan_approval(outcome, settlement)
    if plan.refund is not None:
        _refuse_overpayment(matter, plan.refund)
    bring_about(matter, plan, decision_id=decision_id, approved_by=actor)
    return started_clock(matter.app, plan, matter.now)


def _refuse_overpayment(matter: Matter, settlement: Settlement) -> None:
    """What was left of the payment when the policy decided may have gone back meanwhile (I6)."""
    name, booked = cases.number_of(matter.case.id), matter.booked
    if booked is None:
        raise NotPossibleError(f"{name}: its order is no longer in the book; import it again first")
    promised = orders.promised_refunds(matter.session, booked.key, booked.order.currency)
    left = booked.order.captured - booked.order.refunded - promised
    if left < settlement.refund:
        raise NotPossibleError(f"{name}: {settlement.refund} is proposed, but only {left} of the payment is left")


def _declining_row(app: App, rule: str) -> Row:
    declining = {row.rule: row for row in app.judgement.policy.rows if row.outcome is Outcome.DECLINE}
    if rule not in declining:
        raise NotPossibleError(f"--rule {rule!r} declines nothing; use {', '.join(declining)}")
    return declining[rule]


def _write(
    matter: Matter,
    template: str,
    actor: str,
    *,
    decision: Decision | None = None,
    settlement: Settlement | None = None,
    started: Deadline | None = None,
    text: str | None = None,
) -> None:
    """Queue a person's letter to the order's customer, or to whom the case corresponds with where nobody is proven."""
    proven = matter.case.grade in PROVEN_GRADES and matter.booked is not None
    to = matter.booked.customer_email if proven and matter.booked else matter.case.customer
    if to is None:
        name = cases.number_of(matter.case.id)
        raise NotPossibleError(f"{name}: its sender's address is ambiguous; answer from the mailbox itself, then close")
    queue_letter(
        matter,
        template=template,
        to=to,
        purpose=f"person/{token_hex(8)}",
        answers=True,
        draft=False,
        decision=decision,
        settlement=settlement,
        started=started,
        text=text,
        person=actor,
    )
