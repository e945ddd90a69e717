"""What a person changes before deciding: what was read in a mail, and what a proposal is worth."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from mailbot.act.plan import plan_approval
from mailbot.model.case import CaseState
from mailbot.model.decision import Decision, Outcome, Proposal, Settlement
from mailbot.model.facts import ClaimLine, Facts
from mailbot.model.forms import decision_form, facts_form, parse_facts, trace_form
from mailbot.model.money import Money
from mailbot.operators.cases import NotPossibleError, decided_of, offered, opened, write
from mailbot.policy.decide import decide, settlement_for
from mailbot.policy.settlement import resettled
from mailbot.policy.table import Policy
from mailbot.steps.acting import Content, Matter, bring_about, started_clock
from mailbot.steps.app import App
from mailbot.steps.consider import less_promised
from mailbot.steps.decided import Decided
from mailbot.steps.drafting import INFORMATION_NEEDED, asking
from mailbot.steps.parking import leave_to_people
from mailbot.store import cases, orders
from mailbot.store.corrections import CORRECTED
from mailbot.store.tables import DecisionRow

_UNDECIDED = frozenset({CaseState.ESCALATED, CaseState.REOPENED})
_OPEN = frozenset({CaseState.WAITING_FOR_INFORMATION, CaseState.WAITING_FOR_PROOF, *_UNDECIDED})
_EVIDENCE = ("invoice",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How a person changes what is proposed.

    Attributes:
        lines: what of the order the money is for; empty: as proposed.
        outbound_shipping: given back; ``None``: as the policy says.
        transaction_fee: what the buyer bears, as a sum above zero; ``None``: as the policy says.
        reason: why; stands in the history.
    """

    lines: tuple[ClaimLine, ...] = ()
    outbound_shipping: str | None = None
    transaction_fee: str | None = None
    reason: str = ""


def approve_changed(app: App, number: str, actor: str, change: Change) -> str:
    """Approve what a case proposes, with other lines, shipping or fee.

    Raises:
        NotPossibleError: nothing is proposed that gives money back, or no reason is given.
        MoneyError: a sum is none, or not of the order's currency.
    """
    with opened(app, number) as matter:
        name, decided = cases.number_of(matter.case.id), decided_of(matter)
        proposal, template = _payable(matter, decided)
        if not change.reason.strip():
            raise NotPossibleError(f"{name}: say why it differs from what the policy proposes")
        if matter.booked is None:
            raise NotPossibleError(f"{name}: its order is not in the book; import it first")
        promised = orders.promised_refunds(matter.session, matter.booked.key, matter.booked.order.currency)
        facts = _with_lines(decided.facts, change.lines)
        facts = replace(facts, order=less_promised(matter.booked, promised))
        before, settlement = _settled(name, proposal.outcome, facts, decided.policy, change)
        decision = replace(
            decided.decision,
            outcome=proposal.outcome,
            rule=proposal.rule,
            escalation=None,
            proposal=None,
            settlement=settlement,
        )
        decision_id = _record(matter, decided.row, facts, decision, trace=decided.row.trace)
        plan = plan_approval(proposal.outcome, settlement)
        detail = {"note": change.reason.strip(), "proposed": str(before.refund), "approved": str(settlement.refund)}
        cases.record_event(matter.session, matter.case, "changed", matter.now, actor=actor, **detail)
        bring_about(matter, plan, decision_id=decision_id, approved_by=actor, why="changed by a person")
        started = started_clock(app, plan, matter.now)
        write(matter, template, actor, Content(decision=decision, settlement=settlement, started=started))
        return f"{name}: {proposal.outcome} of {settlement.refund} {settlement.refund.currency} is approved"


def correct(app: App, number: str, actor: str, corrections: Mapping[str, Any]) -> str:
    """Correct what was read, and decide again; a person approves what comes out.

    Args:
        app: the shop's.
        number: of the case.
        actor: who corrects.
        corrections: claim fields, and ``invoice``, by name; values as in the JSON form, ``None`` is "nobody knows".

    Raises:
        NotPossibleError: nothing was decided on the case, it is decided already, or nothing differs.
        FactsError: a value is none that the fact can have.
    """
    with opened(app, number) as matter:
        name, row = cases.number_of(matter.case.id), cases.latest_decision(matter.session, matter.case.id)
        if row is None or matter.case.state not in _OPEN:
            raise NotPossibleError(f"{name}: there is nothing to decide again; it is {matter.case.state}")
        form = copy.deepcopy(row.facts)
        changed = _apply(form, corrections)
        if not changed:
            raise NotPossibleError(f"{name}: nothing differs from what was read")
        form["claim"]["reason_confidence"] = 1.0  # a person has read it
        facts = parse_facts(form)
        answered = decide(facts, app.judgement.policy)
        _record(matter, row, facts, answered.decision, trace=trace_form(answered.trace), now_policy=True)
        cases.record_event(
            matter.session, matter.case, CORRECTED, matter.now, actor=actor, facts=changed, mail=matter.mail.id
        )
        leave_to_people(matter.session, matter.case, answered.decision.escalation or CORRECTED, matter.now)
        return f"{name}: decided again, {answered.decision.outcome} by {answered.decision.rule}"


def ask(app: App, number: str, actor: str, missing: Sequence[str]) -> str:
    """Ask the customer for what is missing; the case then waits for them.

    Raises:
        NotPossibleError: nothing is asked for, or the case does not wait for anything any more.
    """
    with opened(app, number) as matter:
        name, state = cases.number_of(matter.case.id), matter.case.state
        if state not in _OPEN or not missing:
            raise NotPossibleError(f"{name} is {state}: name what is missing, or use reply")
        row, decision = app.judgement.policy.row("evidence_missing"), asking(app, missing)
        write(matter, INFORMATION_NEEDED if row is None else row.reply, actor, Content(decision=decision))
        why = ", ".join(missing)
        cases.move(
            matter.session, matter.case, CaseState.WAITING_FOR_INFORMATION, "asked", matter.now, why=why, actor=actor
        )
        return f"{name}: the customer is asked for {why.replace('_', ' ')}"


def snooze(app: App, number: str, actor: str, until: datetime) -> str:
    """Keep a case out of sight until a time, or until one of its promises is due.

    Raises:
        NotPossibleError: the time has passed.
    """
    with opened(app, number) as matter:
        name = cases.number_of(matter.case.id)
        if until <= matter.now:
            raise NotPossibleError(f"{name}: that time has passed")
        matter.case.snoozed_until = until
        cases.record_event(matter.session, matter.case, "snoozed", matter.now, actor=actor, until=until.isoformat())
        return f"{name} is out of sight until {until:%Y-%m-%d %H:%M} UTC"


def _payable(matter: Matter, decided: Decided) -> tuple[Proposal, str]:
    """What the case offers that gives money back, and its letter."""
    proposal, template = offered(decided.answered)
    undecided = matter.case.state in _UNDECIDED and matter.case.stood is None
    if proposal is None or template is None or proposal.outcome is Outcome.DECLINE or not undecided:
        raise NotPossibleError(f"{cases.number_of(matter.case.id)}: nothing is proposed that gives money back")
    return proposal, template


def _with_lines(facts: Facts, lines: tuple[ClaimLine, ...]) -> Facts:
    return replace(facts, claim=replace(facts.claim, lines=lines)) if lines else facts


def _settled(
    name: str, outcome: Outcome, facts: Facts, policy: Policy, change: Change
) -> tuple[Settlement, Settlement]:
    """What the policy would give for these lines, and what the person gives."""
    proposed, order = settlement_for(outcome, facts, policy), facts.order
    if proposed is None or order is None:
        raise NotPossibleError(f"{name}: its sums are not known; complete the order first")
    if outcome is Outcome.APPROVE_RETURN and (change.outbound_shipping, change.transaction_fee) != (None, None):
        raise NotPossibleError(f"{name}: a return is paid when the goods have come; here only its lines can be changed")
    shipping = proposed.outbound_shipping
    if change.outbound_shipping is not None:
        shipping = Money.parse(change.outbound_shipping, order.currency)
    fee = proposed.transaction_fee
    if change.transaction_fee is not None:
        fee = -Money.parse(change.transaction_fee, order.currency)
    if order.shipping < shipping:
        raise NotPossibleError(f"the customer paid {order.shipping} for shipping, not {shipping}")
    return proposed, resettled(proposed, order, outbound_shipping=shipping, transaction_fee=fee)


def _apply(form: dict[str, Any], corrections: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Put the corrections into a form of facts; returns what changed, as [was, is] by fact."""
    changed = {}
    for fact, value in corrections.items():
        part = form["evidence"] if fact in _EVIDENCE else form["claim"]
        if fact not in part:
            raise NotPossibleError(f"{fact!r} is no fact that can be corrected")
        if part[fact] != value:
            changed[fact] = [part[fact], value]
            part[fact] = value
    return changed


def _record(
    matter: Matter, row: DecisionRow, facts: Facts, decision: Decision, *, trace: list[Any], now_policy: bool = False
) -> int:
    record = cases.Record(
        mail_id=matter.mail.id,
        policy_version=matter.app.judgement.policy.version if now_policy else row.policy_version,
        facts=facts_form(facts),
        decision=decision_form(decision),
        trace=trace,
        sender_why=row.sender_why,
    )
    return cases.record_decision(matter.session, matter.case, record, matter.now)
