"""The proof of a policy: some row always answers, none is dead, every guard can apply, no sum is out of bounds.

Rules are asked about whole regions of facts, not samples of them, so that what holds here holds for all facts.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from mailbot.model.decision import APPROVALS, Answer, Outcome, Settlement
from mailbot.model.forms import facts_form, parse_facts
from mailbot.model.money import Money
from mailbot.policy.conditions import Draft, Ground
from mailbot.policy.decide import Inquiry, NoRowMatchesError, decide
from mailbot.policy.fields import UnknownConditionError
from mailbot.policy.plain import word
from mailbot.policy.regions import CONFIDENT, MONEY, Cut, Region, all_facts
from mailbot.policy.rules import Guard, Row, Test
from mailbot.policy.settlement import SettlementTerms, settle
from mailbot.policy.table import Policy, without


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something wrong with a policy.

    Attributes:
        place: the row, guard, settlement or example.
        facts: facts in JSON form that show it, ready for ``mailbot policy decide``; ``None`` where none can.
    """

    place: str
    problem: str
    facts: dict[str, Any] | None = None


def check_policy(policy: Policy) -> list[Finding]:
    """Prove a policy over all facts, and hold it to its own examples; nothing found is the proof.

    Source: POLICY.md, the decision table: "first matching row wins".
    """
    return [*_Proof(policy).findings(), *_broken_examples(policy)]


def misspelt(text: str, timezone: ZoneInfo, unknown: UnknownConditionError) -> Finding:
    """Say what a condition that does not exist is about: facts that its row would answer if nobody asked for it.

    Raises:
        PolicyError: the file is wrong elsewhere too.
    """
    policy = without(text, timezone, unknown)
    proof, left = _Proof(policy), all_facts(policy)
    for row in policy.rows:
        met, left = proof.narrow(row.tests, left)
        if met and unknown.place == f"row {row.rule!r}":
            return Finding(place=unknown.place, problem=unknown.problem, facts=met[0].example())
    return Finding(place=unknown.place, problem=unknown.problem)


def _broken_examples(policy: Policy) -> Iterator[Finding]:
    for example in policy.examples:
        try:
            differences = example.differences(decide(example.facts, policy).decision)
        except NoRowMatchesError:
            differences = ["no row answers"]
        if differences:
            place, told = f"example {example.name!r}", example.rule or example.outcome
            problem = f"{'; '.join(differences)}; it should show {told!r}"
            yield Finding(place=place, problem=problem, facts=facts_form(example.facts))


class _Proof:
    """Takes all facts through the rows, the settlements and the guards, and notes what every test was answered."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._seen: dict[int, set[Answer]] = {}
        self._used: set[int] = set()
        self._settled: dict[tuple[int, bool, Cut], Settlement | None] = {}

    def findings(self) -> Iterator[Finding]:
        """Everything that is wrong with the table, the settlements and the guards."""
        policy, everything = self._policy, all_facts(self._policy)
        left = everything
        for row in policy.rows:
            met, left = self.narrow(row.tests, left)
            yield from self._row_findings(row, met) if met else [_dead(row, everything, policy)]
        for region in left[:1]:
            yield Finding(place="table", problem="has a gap: no row answers these facts", facts=region.example())
        for terms in policy.settlements:
            if id(terms) not in self._used:
                place = f"settlement {terms.outcome.value!r}"
                yield Finding(place=place, problem="is dead: no row decides or proposes it under these conditions")
        for guard in policy.guards:
            if id(guard) not in self._used:
                yield Finding(place=f"guard {guard.rule!r}", problem="is dead: nothing that a row decides meets it")
        yield from self._answers_in_vain()

    def narrow(self, tests: Iterable[Test[Ground]], regions: Iterable[Region]) -> tuple[list[Region], list[Region]]:
        """The facts that meet all tests, and those that fail one of them."""
        met, unmet = [], []
        for region in regions:
            here: Region | None = region
            for test in tests:
                if here is not None:
                    here, fails = here.split(test)
                    unmet += [fails] if fails else []
            if here is not None:
                met.append(here)
                for test in tests:
                    self._note(test, here.answers(test.condition))
        return met, unmet

    def _note(self, test: Test[Any], answers: set[Answer]) -> None:
        """Remember with which answers a rule applies."""
        self._seen.setdefault(id(test), set()).update(answers)

    def _row_findings(self, row: Row, regions: list[Region]) -> Iterator[Finding]:
        """What is wrong with the sums of a row, and with what the guards leave of them; each fault once."""
        place, outcome, faults = f"row {row.rule!r}", row.proposal or row.outcome, _leaning(row, regions[0])
        for terms in self._policy.settlements:
            met, regions = self.narrow(terms.tests, regions) if terms.outcome is outcome else ([], regions)
            self._used |= {id(terms)} if met else set()
            for bears, some in zip((True, False), self.narrow(self._policy.fee.tests, met), strict=True):
                for region in some:
                    drafts = self._drafts(row, region, terms, bears=bears)
                    faults |= _out_of_bounds(region, drafts)
                    unstopped = self._past_guards(row, region, drafts)
                    if row.outcome in APPROVALS and any(draft.settlement is None for _, draft in unstopped):
                        faults["approves a sum that nobody has worked out, and no guard stops it"] = region
        if outcome in {*APPROVALS, Outcome.REFUND} and regions:
            faults[f"gives money back, but no [[settlement]] of {outcome.value!r} says how much"] = regions[0]
        elif regions:
            for region in regions:
                self._past_guards(row, region, [(cut, _draft(cut, row, None)) for cut in region.cuts[MONEY]])
        for problem, region in faults.items():
            yield Finding(place=place, problem=problem, facts=region.example())

    def _drafts(self, row: Row, region: Region, terms: SettlementTerms, *, bears: bool) -> list[tuple[Cut, Draft]]:
        drafts = []
        for cut in region.cuts[MONEY]:
            key = (id(terms), bears, cut)
            if key not in self._settled:
                self._settled[key] = settle(cut.ground, terms, buyer_bears_fee=bears)
            drafts.append((cut, _draft(cut, row, self._settled[key])))
        return drafts

    def _past_guards(self, row: Row, region: Region, drafts: list[tuple[Cut, Draft]]) -> list[tuple[Cut, Draft]]:
        """The drafts that some facts of the region bring past every guard."""
        if not row.guarded:
            return drafts
        left = [(region, drafts)]
        for guard in self._policy.guards:
            left = [rest for here, some in left for rest in self._past_guard(guard, here, some)]
        return [draft for _, some in left for draft in some]

    def _past_guard(
        self, guard: Guard, region: Region, drafts: list[tuple[Cut, Draft]]
    ) -> Iterator[tuple[Region, list[tuple[Cut, Draft]]]]:
        here: Region | None = region
        for test in guard.tests:
            if here is not None and test.condition == CONFIDENT:
                here, fails = here.split(test)
                if fails:
                    yield fails, drafts
            elif here is not None:
                past = [(cut, draft) for cut, draft in drafts if test.ask(draft) not in test.wanted]
                if past:
                    yield here, past
                drafts = [(cut, draft) for cut, draft in drafts if test.ask(draft) in test.wanted]
        if here is not None and drafts:
            self._used.add(id(guard))
            for test in guard.tests:
                sure = test.condition == CONFIDENT
                self._note(test, here.answers(CONFIDENT) if sure else {test.ask(draft) for _, draft in drafts})

    def _answers_in_vain(self) -> Iterator[Finding]:
        """Answers that a rule waits for and never applies with; rules that never apply at all are dead already."""
        policy = self._policy
        rules = [(f"row {row.rule!r}", row.tests) for row in policy.rows]
        rules += [(f"settlement {terms.outcome.value!r}", terms.tests) for terms in policy.settlements]
        rules += [("fee_borne_by_buyer", policy.fee.tests)]
        tests: list[tuple[str, Test[Any]]] = [(place, test) for place, some in rules for test in some]
        tests += [(f"guard {guard.rule!r}", test) for guard in policy.guards for test in guard.tests]
        for place, test in tests:
            seen = self._seen.get(id(test), set())
            for answer in test.wanted:
                if seen and answer not in seen:
                    problem = f"waits in vain for {test.condition} = {word(answer)}: what else it asks rules that out"
                    yield Finding(place=place, problem=f"{problem}; take that answer away")


_REASONS = {"reason", "returnable", "logistics"}
_TIMES = {"in_guarantee", "in_cancel_window", "in_return_window", "dispatched"}


def _leaning(row: Row, region: Region) -> dict[str, Region]:
    """What a row leaves to the rows before it, and would answer wrongly when one of them moves or a reason is added."""
    asked = {test.condition for test in row.tests}
    faults = {}
    if row.guarded and asked and not asked & _REASONS:
        faults["decides by the reason without asking for it; add reason, returnable or logistics"] = region
    if row.outcome in APPROVALS and not asked & _TIMES:
        faults["approves whenever it is asked; add a window, or dispatched"] = region
    return faults


def _draft(cut: Cut, row: Row, settlement: Settlement | None) -> Draft:
    return Draft(ground=cut.ground, outcome=row.outcome, settlement=settlement)


def _dead(row: Row, everything: list[Region], policy: Policy) -> Finding:
    """Say why a row never answers: who answers in its place, and about which facts."""
    place = f"row {row.rule!r}"
    for region in everything:
        here: Region | None = region
        for test in row.tests:
            here = here.split(test)[0] if here else None
        if here is not None:
            form = here.example()
            first = Inquiry().first_met(policy.rows, Ground(parse_facts(form), policy.terms))
            other = "an earlier row" if first is None else f"row {first.rule!r}"
            return Finding(place=place, problem=f"is dead: {other} answers whatever it could", facts=form)
    return Finding(place=place, problem="is dead: its conditions are never met together")


def _out_of_bounds(region: Region, drafts: list[tuple[Cut, Draft]]) -> dict[str, Region]:
    """A sum that does not add up, is below nothing or above what is left of the payment."""
    for cut, draft in drafts:
        order, bill = cut.ground.order, draft.settlement
        if bill is None or order is None:
            continue
        parts = bill.items + bill.outbound_shipping + bill.transaction_fee + bill.already_refunded + bill.cap_adjustment
        left, nothing = order.captured - order.refunded, Money.zero(order.currency)
        if parts != bill.refund or not nothing <= bill.refund or (bill.refund > left and bill.refund != nothing):
            return {f"settles {bill.refund} of {left} that is left": region.only(MONEY, (cut,)) or region}
    return {}
