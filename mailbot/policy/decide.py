"""Which row answers, what the guards make of it, and every question that was asked on the way."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from mailbot.errors import PermanentError
from mailbot.model.decision import APPROVALS, Asked, Decision, Outcome, Proposal, Settlement
from mailbot.model.facts import Facts
from mailbot.policy.conditions import Draft, Ground
from mailbot.policy.rules import Guard, Row, Test
from mailbot.policy.settlement import FeeRule, SettlementTerms, settle
from mailbot.policy.table import Policy


class NoRowMatchesError(PermanentError):
    """The table has a gap: no row answers these facts, so a person must."""

    def __init__(self) -> None:
        """Say which promise of the policy file is broken."""
        super().__init__("no row of the policy matches these facts; add a last row that answers always")


_NO_SUM = Guard(rule="settlement_unknown", tests=(), reply="received")
"""No file may approve money that nobody has worked out."""
_UNASKED = object()
Rule = TypeVar("Rule", Row, Guard, SettlementTerms, FeeRule)


class Inquiry:
    """Asks conditions, each only once, and remembers which rules asked and where each was given up."""

    __slots__ = ("_answers", "_rules")

    def __init__(self) -> None:
        """Nothing is asked yet."""
        self._answers: dict[str, Any] = {}
        self._rules: list[tuple[tuple[Test[Any], ...], Test[Any] | None]] = []

    def first_met(self, rules: Iterable[Rule], subject: Any) -> Rule | None:
        """The first rule whose every test is met; the first test that is not ends the asking of its rule."""
        answers, tried = self._answers, self._rules
        for rule in rules:
            tests = rule.tests
            for test in tests:
                got = answers.get(test.condition, _UNASKED)
                if got is _UNASKED:
                    got = answers[test.condition] = test.ask(subject)
                if got not in test.wanted:
                    tried.append((tests, test))
                    break
            else:
                tried.append((tests, None))
                return rule
        return None

    def trace(self) -> tuple[Asked, ...]:
        """What was asked, as values to print, store and compare."""
        return tuple(
            Asked(test.rule, test.condition, test.wanted, self._answers[test.condition])
            for tests, failed in self._rules
            for test in (tests if failed is None else tests[: tests.index(failed) + 1])
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A decision with the questions that led to it.

    Attributes:
        inquiry: every condition asked, and its answer.
        reply: the template that tells a proven customer.
        proposal_reply: the template that tells them once a person has approved the proposal, if there is one.
    """

    decision: Decision
    inquiry: Inquiry
    reply: str
    proposal_reply: str | None

    @property
    def trace(self) -> tuple[Asked, ...]:
        """Every test asked and its answer, in order; a rule that was given up ends with the one it failed."""
        return self.inquiry.trace()


def decide(facts: Facts, policy: Policy) -> Answered:
    """Give the first row that matches, held against the guards.

    Pure: the same facts and policy give the same answer, byte for byte.

    Raises:
        NoRowMatchesError: the table has a gap.

    Source: POLICY.md, the decision table and the three guards.
    """
    ground, inquiry = Ground(facts, policy.terms), Inquiry()
    row = inquiry.first_met(policy.rows, ground)
    if row is None:
        raise NoRowMatchesError
    settlement = _settlement(row.proposal or row.outcome, ground, policy, inquiry)
    draft = Draft(ground=ground, outcome=row.outcome, settlement=settlement)
    guard = inquiry.first_met(policy.guards, draft) if row.guarded else None
    if guard is None and row.outcome in APPROVALS and settlement is None:
        guard = _NO_SUM
    return Answered(
        decision=_decision(ground, row, guard, settlement),
        inquiry=inquiry,
        reply=row.reply if guard is None else guard.reply,
        proposal_reply=row.proposal_reply if guard is None else row.reply,
    )


def settlement_for(outcome: Outcome, facts: Facts, policy: Policy) -> Settlement | None:
    """What an outcome that a person chose is worth, whichever row would have answered.

    Returns:
        ``None`` where the policy settles no such outcome, or the sums are not known.
    """
    return _settlement(outcome, Ground(facts, policy.terms), policy, Inquiry())


def _settlement(outcome: Outcome, ground: Ground, policy: Policy, inquiry: Inquiry) -> Settlement | None:
    terms = inquiry.first_met((terms for terms in policy.settlements if terms.outcome is outcome), ground)
    if terms is None:
        return None
    return settle(ground, terms, buyer_bears_fee=inquiry.first_met((policy.fee,), ground) is not None)


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
