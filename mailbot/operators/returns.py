"""Goods that came back: arrived, inspected, and accepted whole, in part, or not at all (C6, C12, C13)."""

from dataclasses import dataclass, replace
from enum import StrEnum

from mailbot.act.deadlines import start_clock
from mailbot.act.plan import plan_inspected
from mailbot.model.book import BookedOrder
from mailbot.model.case import CaseState, ClockKind
from mailbot.model.decision import Decision, Outcome, Settlement
from mailbot.model.facts import ClaimLine, Facts
from mailbot.model.forms import decision_form, facts_form
from mailbot.model.money import Money
from mailbot.operators.cases import NotPossibleError, declining, declining_row, opened, write
from mailbot.policy.decide import settlement_for
from mailbot.steps.acting import Content, Matter, bring_about, started_clock
from mailbot.steps.app import App
from mailbot.steps.consider import less_promised
from mailbot.steps.decided import Decided, find_decided
from mailbot.store import cases, clocks, orders, outbox

RETURN_ACCEPTED, RETURN_PARTLY_ACCEPTED = "return_accepted", "return_partly_accepted"
REFUSALS = ("used_or_altered", "no_original_box")
_ON_RETURN = frozenset({CaseState.RETURN_APPROVED, CaseState.GOODS_ON_THE_WAY, CaseState.RECEIVED, CaseState.EXPIRED})


class Verdict(StrEnum):
    """What an inspection finds; ``later`` only notes that the parcel has arrived."""

    LATER = "later"
    ACCEPTED = "accepted"
    PARTLY = "partly"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """One inspection of a parcel.

    Attributes:
        lines: what is accepted, where it is a part.
        rule: the declining row whose reply goes out, where nothing is.
        note: what was found, in the operator's words; the customer reads it.
        photos: how many pictures were taken.
    """

    verdict: Verdict
    lines: tuple[ClaimLine, ...] = ()
    rule: str = REFUSALS[0]
    note: str = ""
    photos: int = 0


def receive(app: App, number: str, actor: str, inspection: Inspection) -> str:
    """Take returned goods in; accepted ones start the refund clock, refused ones send the matching decline.

    Raises:
        NotPossibleError: no return was approved, nothing is left to refund, or the inspection is half told.
        FactsError: the lines are not the order's.
    """
    with opened(app, number) as matter:
        approved = _approved_return(matter)
        _arrive(matter, actor, inspection)
        match inspection.verdict:
            case Verdict.LATER:
                return f"{cases.number_of(matter.case.id)}: the parcel has arrived; inspect it, then receive it again"
            case Verdict.REFUSED:
                return _refuse(matter, actor, inspection)
            case _:
                return _accept(matter, actor, inspection, approved)


def _approved_return(matter: Matter) -> Decided:
    name, decided = cases.number_of(matter.case.id), find_decided(matter)
    if decided is None or not {matter.case.state, matter.case.stood} & _ON_RETURN:
        raise NotPossibleError(f"{name} is {matter.case.state}: no return is under way; see mailbot case show {name}")
    return decided


def _arrive(matter: Matter, actor: str, inspection: Inspection) -> None:
    session, case, now = matter.session, matter.case, matter.now
    detail = {"verdict": inspection.verdict, "photos": inspection.photos, "note": inspection.note}
    if case.state == CaseState.RECEIVED:
        cases.record_event(session, case, "inspected", now, actor=actor, **detail)
        return
    cases.move(session, case, CaseState.RECEIVED, "goods_received", now, why="the parcel came", actor=actor, **detail)
    clocks.meet(session, case.id, now, (ClockKind.DISPATCH,))
    if inspection.verdict is Verdict.LATER:
        _promise_an_answer(matter)


def _promise_an_answer(matter: Matter) -> None:
    """A parcel wants an answer as a mail does: operators are told when its inspection is due, and when it is late."""
    app, terms = matter.app, matter.app.judgement.policy.clocks[ClockKind.REPLY]
    deadline = start_clock(ClockKind.REPLY, terms, matter.now, app.settings.shop.zone)
    clocks.start(matter.session, matter.case.id, deadline, running=True)


def _refuse(matter: Matter, actor: str, inspection: Inspection) -> str:
    name, row = cases.number_of(matter.case.id), declining_row(matter.app, inspection.rule)
    write(
        matter,
        row.reply,
        actor,
        Content(decision=declining(matter, row), inspection_note=inspection.note or None),
    )
    outbox.withdraw_drafts(matter.session, matter.case.id)
    cases.move(matter.session, matter.case, CaseState.DECLINED, "declined", matter.now, why=row.rule, actor=actor)
    return f"{name}: the return is refused ({row.rule}); {row.reply} is queued"


def _accept(matter: Matter, actor: str, inspection: Inspection, approved: Decided) -> str:
    name, partly = cases.number_of(matter.case.id), inspection.verdict is Verdict.PARTLY
    if partly != bool(inspection.lines):
        raise NotPossibleError(
            f"{name}: name what is accepted with --line SKU=QUANTITY, and only with --verdict partly"
        )
    if partly and not inspection.note.strip():
        raise NotPossibleError(f"{name}: tell the customer with --note why the rest is not accepted")
    if matter.booked is None:
        raise NotPossibleError(f"{name}: its order is no longer in the book; import it again first")
    facts = _accepted(matter, matter.booked, approved, inspection.lines)
    settlement = _worth(approved, facts, partly=partly)
    if settlement is None:
        raise NotPossibleError(f"{name}: its sums are not known; complete the order with mailbot orders import")
    if not settlement.refund.minor:
        number = matter.booked.order.number
        raise NotPossibleError(f"{name}: nothing is left of the payment; see mailbot orders show {number}")
    decision_id, decision = _record(matter, approved, facts, settlement)
    plan = plan_inspected(decision)
    started = started_clock(matter.app, plan, matter.now)
    bring_about(matter, plan, decision_id=decision_id, approved_by=actor, why=inspection.verdict)
    template = RETURN_PARTLY_ACCEPTED if partly else RETURN_ACCEPTED
    note = inspection.note or None
    write(
        matter,
        template,
        actor,
        Content(decision=decision, settlement=settlement, started=started, inspection_note=note),
    )
    return f"{name}: {settlement.refund} is due; {template} is queued"


def _worth(approved: Decided, facts: Facts, *, partly: bool) -> Settlement | None:
    """What was accepted is worth: the sums that the customer was told, for a part those of the policy; I6 caps both."""
    if partly or approved.settlement is None or facts.order is None:
        return settlement_for(Outcome.APPROVE_RETURN, facts, approved.policy)
    told, left = approved.settlement, facts.order.captured - facts.order.refunded
    if told.refund <= left:
        return told
    capped = max(left, Money.zero(left.currency))
    return replace(told, refund=capped, cap_adjustment=told.cap_adjustment + capped - told.refund)


def _record(matter: Matter, approved: Decided, facts: Facts, settlement: Settlement) -> tuple[int, Decision]:
    """Keep what a person decided at the inspection as a decision of its own (I7)."""
    first = approved.decision
    decision = Decision(
        outcome=Outcome.APPROVE_RETURN,
        rule=first.proposal.rule if first.proposal else first.rule,
        clauses=first.clauses,
        escalation=None,
        missing=(),
        proposal=None,
        settlement=settlement,
        received_on=first.received_on,
    )
    record = cases.Record(
        mail_id=matter.mail.id,
        policy_version=approved.row.policy_version,
        facts=facts_form(facts),
        decision=decision_form(decision),
        trace=approved.row.trace,
        sender_why=approved.row.sender_why,
    )
    return cases.record_decision(matter.session, matter.case, record, matter.now), decision


def _accepted(matter: Matter, booked: BookedOrder, approved: Decided, lines: tuple[ClaimLine, ...]) -> Facts:
    """The facts of the approval, for what was accepted, with the order as the book and our promises have it today."""
    before = approved.facts
    claimed = {line.sku: line.quantity for line in before.claim.lines}
    beyond = next((line for line in lines if claimed and line.quantity > claimed.get(line.sku, 0)), None)
    if beyond is not None:
        name = cases.number_of(matter.case.id)
        raise NotPossibleError(f"{name}: {beyond.quantity} of {beyond.sku} is more than the return was approved for")
    promised = orders.promised_refunds(matter.session, booked.key, booked.order.currency)
    claim = replace(before.claim, lines=lines or before.claim.lines)
    return replace(before, order=less_promised(booked, promised), claim=claim)
