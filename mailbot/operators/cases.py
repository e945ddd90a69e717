"""What operators do to a case: approve, decline, write, note, assign, close. Each is one transaction and one event."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from secrets import token_hex

from mailbot.act.plan import plan_approval
from mailbot.act.reply import Reply, write_reply
from mailbot.errors import InputError
from mailbot.model.case import CaseState, Deadline
from mailbot.model.decision import APPROVALS, Decision, Outcome, Proposal, Settlement
from mailbot.model.refund import RefundState
from mailbot.policy.decide import Answered
from mailbot.policy.rules import Row
from mailbot.steps.acting import (
    DRAFT,
    PROVEN_GRADES,
    Content,
    Matter,
    bring_about,
    open_matter,
    queue_letter,
    started_clock,
)
from mailbot.steps.app import App
from mailbot.steps.closing import put_away
from mailbot.steps.decided import Decided, find_decided
from mailbot.steps.drafting import draft_all, letter_about
from mailbot.store import cases, mails, outbox, refunds
from mailbot.store.transaction import transaction

_MOST_NAME = 120
MESSAGE = "message"
BY_A_PERSON = "by a person"


class NotPossibleError(InputError):
    """What an operator asked for does not fit the case; the text says what would."""


def approve(app: App, number: str, actor: str) -> str:
    """Approve what a case proposes, or send the drafts that wait for a yes.

    Returns:
        What happened, in one line.

    Raises:
        NotPossibleError: there is nothing to approve.
    """
    with opened(app, number) as matter:
        decided = decided_of(matter)
        if outbox.release_drafts(matter.session, matter.case.id, matter.now):
            return _approve_drafts(matter, decided, actor)
        return _approve_proposal(matter, decided, actor)


def decline(app: App, number: str, actor: str, rule: str) -> str:
    """Decline a case by one of the policy's declining rows; its template tells the customer.

    Raises:
        NotPossibleError: the policy has no such row, or the case has no address to write to.
    """
    with opened(app, number) as matter:
        row = declining_row(app, rule)
        write(matter, row.reply, actor, Content(decision=declining(matter, row)))
        outbox.withdraw_drafts(matter.session, matter.case.id)
        cases.move(matter.session, matter.case, CaseState.DECLINED, "declined", matter.now, why=rule, actor=actor)
        return f"{cases.number_of(matter.case.id)} is declined ({rule}); {row.reply} is queued"


def declining(matter: Matter, row: Row) -> Decision:
    """The decision of a person who declines a case by a row of the policy."""
    before = cases.latest_decision(matter.session, matter.case.id)
    received_on = None if before is None else before.decision["received_on"]
    return Decision(
        outcome=Outcome.DECLINE,
        rule=row.rule,
        clauses=row.clauses,
        escalation=None,
        missing=(),
        proposal=None,
        settlement=None,
        received_on=None if received_on is None else date.fromisoformat(received_on),
    )


def reply(app: App, number: str, actor: str, text: str) -> str:
    """Write to the customer in a person's own words, in the shop's frame. This keeps the promise of a reply.

    Raises:
        NotPossibleError: there are no words, or no address to write to.
    """
    if not text.strip():
        raise NotPossibleError("the reply is empty; give its text with --text or on standard input")
    with opened(app, number) as matter:
        write(matter, MESSAGE, actor, Content(text=text))
        cases.record_event(matter.session, matter.case, "replied", matter.now, actor=actor)
        stood = matter.case.stood
        if matter.case.state == CaseState.ESCALATED and stood and not _is_held(matter):
            cases.move(
                matter.session,
                matter.case,
                CaseState(stood),
                "answered",
                matter.now,
                why="a person replied",
                actor=actor,
            )
        return f"{cases.number_of(matter.case.id)}: the reply is queued"


def drafts(app: App, number: str) -> dict[str, str]:
    """The texts that a reply may begin with, by template: the shop's answers, and what is true of the case."""
    with opened(app, number) as matter:
        return draft_all(matter)


def preview(app: App, number: str, template: str, language: str) -> Reply:
    """Any template with what a real case knows, in a language; nothing is sent.

    Raises:
        TemplateError, LetterError: there is no such template, or it says something that the case does not know.
    """
    with opened(app, number) as matter:
        return write_reply(app.judgement.templates, letter_about(matter, template, language))


def draft(app: App, number: str, template: str) -> str:
    """One of ``drafts``.

    Raises:
        NotPossibleError: the case has no such one; the text names those that it has.
    """
    found = drafts(app, number)
    if template not in found:
        raise NotPossibleError(f"--template {template!r} does not fit this case; use {', '.join(found)}")
    return found[template]


def _is_held(matter: Matter) -> bool:
    return bool(refunds.of_case(matter.session, matter.case.id, (RefundState.HELD,)))


def note(app: App, number: str, actor: str, text: str) -> str:
    """Keep a note with a case; customers never see it."""
    with opened(app, number) as matter:
        cases.record_event(matter.session, matter.case, "noted", matter.now, actor=actor, text=text)
        return f"{cases.number_of(matter.case.id)}: noted"


def assign(app: App, number: str, actor: str, to: str) -> str:
    """Give a case to one person, or back to all where ``to`` is empty.

    Raises:
        NotPossibleError: the name cannot be one.
    """
    if not to.isprintable() or len(to) > _MOST_NAME:
        raise NotPossibleError(f"--to: {to[:_MOST_NAME]!r} is no name of at most {_MOST_NAME} characters")
    with opened(app, number) as matter:
        matter.case.assigned_to = to.strip() or None
        cases.record_event(matter.session, matter.case, "assigned", matter.now, actor=actor, to_person=to.strip())
        return f"{cases.number_of(matter.case.id)} is {to.strip() or 'nobody'}'s now"


def close(app: App, number: str, actor: str, reason: str) -> str:
    """Close a case; its clocks stop, and drafts that waited are taken back.

    Raises:
        NotPossibleError: a refund is still due.
    """
    with opened(app, number) as matter:
        name = cases.number_of(matter.case.id)
        if refunds.is_promised(matter.session, matter.case.id):
            confirm, cancel = f"mailbot refund confirm {name}", f"mailbot refund cancel {name}"
            raise NotPossibleError(
                f"{name}: a refund is due; confirm it first with {confirm}, or call it off: {cancel}"
            )
        put_away(matter, "closed", actor=actor, why=BY_A_PERSON, note=reason)
        return f"{name} is closed"


def reopen(app: App, number: str, actor: str, reason: str) -> str:
    """Open a closed case again, for a person to decide.

    Raises:
        IllegalTransitionError: it is not closed.
    """
    with opened(app, number) as matter:
        cases.move(
            matter.session,
            matter.case,
            CaseState.REOPENED,
            "reopened",
            matter.now,
            why=BY_A_PERSON,
            actor=actor,
            note=reason,
        )
        return f"{cases.number_of(matter.case.id)} is open again"


def requeue(app: App, number: str, actor: str) -> str:
    """Have a case's parked mail read again, as if it had just come; its new reading goes to a case of its own.

    Raises:
        NotPossibleError: the case has no parked mail.
    """
    with opened(app, number) as matter:
        name = cases.number_of(matter.case.id)
        if not mails.requeue(matter.session, matter.case.id):
            raise NotPossibleError(f"{name}: no mail of it is parked")
        put_away(matter, "requeued", actor=actor, why="its mail is read again")
        return f"{name}: its mail is read again at the next pass, and the case is closed"


@contextmanager
def opened(app: App, number: str) -> Iterator[Matter]:
    """A case that nobody else changes meanwhile, in one transaction.

    Raises:
        NotPossibleError: it is part of another one now.
    """
    with transaction(app.engine, "operators.opened") as session:
        case = cases.get(session, number, lock=True)
        if case.merged_into is not None:
            raise NotPossibleError(f"{cases.number_of(case.id)} is part of {cases.number_of(case.merged_into)} now")
        yield open_matter(app, session, case)


def decided_of(matter: Matter) -> Decided:
    """The case's present decision.

    Raises:
        NotPossibleError: the policy has decided nothing on it.
    """
    decided = find_decided(matter)
    if decided is None:
        name = cases.number_of(matter.case.id)
        raise NotPossibleError(f"{name}: nothing was decided on it; use case reply, decline or close")
    return decided


def _approve_drafts(matter: Matter, decided: Decided, actor: str) -> str:
    case, decision = matter.case, decided.decision
    undone = case.state == CaseState.ESCALATED and case.escalation == DRAFT
    if undone and case.grade in PROVEN_GRADES and decision.outcome is not Outcome.ESCALATE:
        _bring_about(matter, decided.row.id, decision.outcome, decision.settlement, actor=actor, why=decision.rule)
    else:
        cases.record_event(matter.session, case, "drafts_released", matter.now, actor=actor)
    return f"{cases.number_of(case.id)}: the waiting replies are queued"


def _approve_proposal(matter: Matter, decided: Decided, actor: str) -> str:
    name, answered = cases.number_of(matter.case.id), decided.answered
    proposal, template = offered(answered)
    undecided = matter.case.state in {CaseState.ESCALATED, CaseState.REOPENED} and matter.case.stood is None
    if proposal is None or template is None or not undecided:
        raise NotPossibleError(f"{name}: nothing is proposed; use case reply, decline or close")
    if proposal.settlement is None and proposal.outcome is not Outcome.DECLINE:
        why = f"{name}: its sums are not known ({answered.decision.rule})"
        raise NotPossibleError(f"{why}; complete the order with mailbot orders import, then use case reply")
    started = _bring_about(
        matter, decided.row.id, proposal.outcome, proposal.settlement, actor=actor, why=proposal.rule
    )
    content = Content(decision=answered.decision, settlement=proposal.settlement, started=started)
    write(matter, template, actor, content)
    return f"{name}: {proposal.outcome} is approved; {template} is queued"


def offered(answered: Answered) -> tuple[Proposal | None, str | None]:
    """What waits for a person's yes, and its letter: a row's or guard's proposal, or what was decided but not done."""
    made = answered.decision
    if made.outcome in {*APPROVALS, Outcome.DECLINE}:
        return Proposal(outcome=made.outcome, rule=made.rule, settlement=made.settlement), answered.reply
    return made.proposal, answered.proposal_reply


def _bring_about(
    matter: Matter, decision_id: int, outcome: Outcome, settlement: Settlement | None, *, actor: str, why: str
) -> Deadline | None:
    plan = plan_approval(outcome, settlement)
    bring_about(matter, plan, decision_id=decision_id, approved_by=actor, why=why)
    return started_clock(matter.app, plan, matter.now)


def declining_row(app: App, rule: str) -> Row:
    """A row of the policy that declines.

    Raises:
        NotPossibleError: there is none of that name.
    """
    rows = {row.rule: row for row in app.judgement.policy.rows if row.outcome is Outcome.DECLINE}
    if rule not in rows:
        raise NotPossibleError(f"--rule {rule!r} declines nothing; use {', '.join(rows)}")
    return rows[rule]


def write(matter: Matter, template: str, actor: str, content: Content) -> None:
    """Queue a person's letter to the order's customer, or to whom the case corresponds with where nobody is proven.

    Raises:
        NotPossibleError: the case has no address to write to.
    """
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
        content=content,
        person=actor,
    )
