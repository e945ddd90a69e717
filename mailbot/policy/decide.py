"""Which row answers, what the guards make of it, and every question that was asked on the way."""

from dataclasses import dataclass
from typing import Any

from mailbot.errors import PermanentError
from mailbot.model.decision import APPROVALS, Answer, Asked, Decision, Outcome, Proposal, Settlement
from mailbot.model.facts import Facts
from mailbot.policy.conditions import Draft, Ground
from mailbot.policy.rules import Guard, Row, Subject, Test
from mailbot.policy.settlement import settle
from mailbot.policy.table import Policy


class NoRowMatchesError(PermanentError):
    """The table has a gap: no row answers these facts, so a person must."""

    def __init__(self) -> None:
        """Say which promise of the policy file is broken."""
        super().__init__("no row of the policy matches these facts; add a last row that answers always")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A decision with the questions that led to it.

    Attributes:
        steps: every test asked and its answer, in order; a row that was given up ends with the one it failed.
        reply: the template that tells a proven customer.
        proposal_reply: the template that tells them once a person has approved the proposal, if there is one.
    """

    decision: Decision
    steps: tuple[tuple[Test[Any], Answer], ...]
    reply: str
    proposal_reply: str | None

    @property
    def trace(self) -> tuple[Asked, ...]:
        """The steps as values to print, store and compare."""
        return tuple(Asked(test.rule, test.condition, test.wanted, got) for test, got in self.steps)


_NO_SUM = Guard(rule="settlement_unknown", tests=(), reply="received")
"""No file may approve money that nobody has worked out."""


class _Inquiry:
    """Asks conditions, each only once, and writes down every answer."""

    __slots__ = ("answers", "steps")

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.steps: list[tuple[Test[Any], Answer]] = []

    def meets(self, tests: tuple[Test[Subject], ...], subject: Subject) -> bool:
        answers = self.answers
        for test in tests:
            name = test.condition
            got = answers[name] if name in answers else answers.setdefault(name, test.ask(subject))
            self.steps.append((test, got))
            if got not in test.wanted:
                return False
        return True


def decide(facts: Facts, policy: Policy) -> Answered:
    """Give the first row that matches, held against the guards.

    Pure: the same facts and policy give the same answer, byte for byte.

    Raises:
        NoRowMatchesError: the table has a gap.

    Source: POLICY.md, the decision table and the three guards.
    """
    ground, inquiry = Ground(facts, policy.terms), _Inquiry()
    row = _first_match(ground, policy, inquiry)
    settlement = _settlement(row.proposal or row.outcome, ground, policy, inquiry)
    guard = _first_guard(row, settlement, ground, policy, inquiry) if row.guarded else None
    if guard is None and row.outcome in APPROVALS and settlement is None:
        guard = _NO_SUM
    return Answered(
        decision=_decision(ground, row, guard, settlement),
        steps=tuple(inquiry.steps),
        reply=row.reply if guard is None else guard.reply,
        proposal_reply=row.proposal_reply if guard is None else row.reply,
    )


def _first_match(ground: Ground, policy: Policy, inquiry: _Inquiry) -> Row:
    for row in policy.rows:
        if inquiry.meets(row.tests, ground):
            return row
    raise NoRowMatchesError


def settlement_for(outcome: Outcome, facts: Facts, policy: Policy) -> Settlement | None:
    """What an outcome that a person chose is worth, whichever row would have answered.

    Returns:
        ``None`` where the policy settles no such outcome, or the sums are not known.
    """
    return _settlement(outcome, Ground(facts, policy.terms), policy, _Inquiry())


def _settlement(outcome: Outcome, ground: Ground, policy: Policy, inquiry: _Inquiry) -> Settlement | None:
    for terms in policy.settlements:
        if terms.outcome is outcome and inquiry.meets(terms.tests, ground):
            buyer_bears_fee = inquiry.meets(policy.fee_borne_by_buyer, ground)
            return settle(ground, terms, buyer_bears_fee=buyer_bears_fee)
    return None


def _first_guard(
    row: Row, settlement: Settlement | None, ground: Ground, policy: Policy, inquiry: _Inquiry
) -> Guard | None:
    draft = Draft(ground=ground, outcome=row.outcome, settlement=settlement)
    for guard in policy.guards:
        if inquiry.meets(guard.tests, draft):
            return guard
    return None


def _decision(ground: Ground, row: Row, guard: Guard | None, settlement: Settlement | None) -> Decision:
    proposed = row.outcome if guard else row.proposal
    outcome = Outcome.ESCALATE if guard else row.outcome
    rule = guard.rule if guard else row.rule
    return Decision(
        outcome=outcome,
        rule=rule,
        clauses=row.clauses,
        escalation=rule if outcome is Outcome.ESCALATE else None,
        missing=ground.missing,
        proposal=Proposal(outcome=proposed, rule=row.rule, settlement=settlement) if proposed else None,
        settlement=settlement if outcome in APPROVALS else None,
        received_on=ground.received_on,
    )
