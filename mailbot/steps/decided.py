"""What was decided on a case, made again from what was stored, by the policy that it was made by."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from mailbot.model.decision import Decision, Settlement
from mailbot.model.facts import Facts
from mailbot.model.forms import parse_facts, parse_settlement
from mailbot.policy.decide import Answered, decide
from mailbot.policy.table import Policy, parse_policy
from mailbot.steps.acting import Matter
from mailbot.store import cases
from mailbot.store.tables import DecisionRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A case's present decision.

    Attributes:
        row: as it was stored.
        facts: what it was made of, and ``policy`` by what.
    """

    row: DecisionRow
    facts: Facts
    policy: Policy
    answered: Answered

    @property
    def decision(self) -> Decision:
        """The decision itself."""
        return self.answered.decision

    @property
    def settlement(self) -> Settlement | None:
        """The sums of what it approves or proposes, as they were stored: a person may have changed them."""
        stored = self.row.decision
        form = (stored["proposal"] or {}).get("settlement") or stored["settlement"]
        return None if form is None else parse_settlement(form)


def find_decided(matter: Matter) -> Decided | None:
    """The case's present decision; ``None`` where the policy has decided nothing."""
    row = cases.latest_decision(matter.session, matter.case.id)
    if row is None:
        return None
    facts, policy = parse_facts(row.facts), _policy_of(matter, row)
    return Decided(row=row, facts=facts, policy=policy, answered=decide(facts, policy))


def _policy_of(matter: Matter, row: DecisionRow) -> Policy:
    policy = matter.app.judgement.policy
    if row.policy_version == policy.version:
        return policy
    kept = cases.get_policy(matter.session, row.policy_version)
    return parse_policy(kept.content, ZoneInfo(kept.timezone))
