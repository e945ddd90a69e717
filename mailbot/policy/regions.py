"""Sets of facts that a policy's tests cut smaller and smaller: one choice of cut points for every part of the facts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mailbot.model.decision import Answer, Outcome
from mailbot.model.forms import parse_facts
from mailbot.policy.conditions import OF_DRAFTS, OF_FACTS, Draft, Ground
from mailbot.policy.cutpoints import Part, Point, form_of, parts_of
from mailbot.policy.rules import Test
from mailbot.policy.table import Policy

CONFIDENT = "confident"
MONEY = "money"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cut:
    """One cut point of one part: what its conditions answer there, and the facts around it, all else ordinary."""

    point: Point
    answers: Mapping[str, Answer]
    ground: Ground


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """All facts that take one of ``cuts`` in each part; ``in_book`` tells whether the book has the order."""

    policy: Policy
    in_book: bool
    part_of: Mapping[str, str]
    cuts: Mapping[str, tuple[Cut, ...]]

    def split(self, test: Test[Any]) -> "tuple[Region | None, Region | None]":
        """The facts that meet a test, and those that do not; ``None`` where there are none."""
        part = self.part_of[test.condition]
        met = tuple(cut for cut in self.cuts[part] if cut.answers[test.condition] in test.wanted)
        unmet = tuple(cut for cut in self.cuts[part] if cut.answers[test.condition] not in test.wanted)
        return self.only(part, met), self.only(part, unmet)

    def only(self, part: str, cuts: tuple[Cut, ...]) -> "Region | None":
        """The facts that take one of these cuts in this part."""
        return replace(self, cuts={**self.cuts, part: cuts}) if cuts else None

    def answers(self, condition: str) -> set[Answer]:
        """All that a condition answers here."""
        return {cut.answers[condition] for cut in self.cuts[self.part_of[condition]]}

    def example(self) -> dict[str, Any]:
        """One of these facts, in JSON form."""
        points = [cuts[0].point for cuts in self.cuts.values()]
        return form_of(points, self.policy, in_book=self.in_book)


def all_facts(policy: Policy) -> list[Region]:
    """Everything that a policy may be asked: about an order that the book has, and about none."""
    return [_world(policy, in_book=True), _world(policy, in_book=False)]


def _world(policy: Policy, *, in_book: bool) -> Region:
    parts = parts_of(policy, in_book=in_book)
    ordinary = [part.points[0] for part in parts]
    return Region(
        policy=policy,
        in_book=in_book,
        part_of={condition: part.name for part in parts for condition in part.conditions},
        cuts={part.name: tuple(_cuts(part, ordinary, policy, in_book=in_book)) for part in parts},
    )


def _cuts(part: Part, ordinary: list[Point], policy: Policy, *, in_book: bool) -> Iterator[Cut]:
    """The cut points of a part; of those that no condition tells apart the first, but every sum of money."""
    seen = set()
    for point in part.points:
        facts = parse_facts(form_of([*ordinary, point], policy, in_book=in_book))
        ground = Ground(facts, policy.terms)
        answers = {name: OF_FACTS[name][0](ground) for name in part.conditions & OF_FACTS.keys()}
        if CONFIDENT in part.conditions:
            draft = Draft(ground=ground, outcome=Outcome.ESCALATE, settlement=None)
            answers[CONFIDENT] = OF_DRAFTS[CONFIDENT][0](draft)
        told = tuple(answers.items())
        if part.name == MONEY or told not in seen:
            seen.add(told)
            yield Cut(point=point, answers=answers, ground=ground)
