"""The campaign of kills at named places: which places there are, and what one kill and its aftermath are."""

import ast
import random
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mailbot
from mailbot.store.tables import CaseRow, OutboxRow, OutboxState
from tests.faults.stories import NAMES, Books
from tests.faults.zygote import Zygote
from tests.journey.shop import Shop

IN_DOUBT = frozenset({"journal.dot:after", "journal.taken:before"})
"""Where a kill leaves nobody knowing whether the final dot was taken: P3 allows one more copy."""


KILLED = -9
_NEEDED = {
    "intake.fetched_again": ["withheld"],
    "handle.failure_counted": ["poison"],
    "send.doubt_settled": ["silent"],
    "send.failed": ["dead"],
    "send.in_doubt": ["silent"],
    "send.postponed": ["busy"],
}
"""Customers without whom nobody comes to a place."""


def named_places() -> list[str]:
    """Every place that the code names, by reading the code."""
    found = set()
    for path in Path(mailbot.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and (name := _place(node)) is not None:
                found.add(name)
    return sorted(found)


def listed_places() -> dict[str, list[str]]:
    """Every place that ``places.toml`` lists: those at which T1 kills, and the others."""
    listed: dict[str, list[str]] = tomllib.loads(Path(__file__).with_name("places.toml").read_text(encoding="utf-8"))
    return listed


def _place(call: ast.Call) -> str | None:
    callee = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    at = {"reach": 0, "transaction": 1, "partial": 1}.get(callee)
    if callee == "transaction" and isinstance(call.func, ast.Attribute):
        at = 0  # of an object that brings its database
    if at is None or len(call.args) <= at:
        return None
    name = call.args[at]
    is_name = isinstance(name, ast.Constant) and isinstance(name.value, str) and "." in name.value
    return str(name.value) if is_name and isinstance(name, ast.Constant) else None


@dataclass(slots=True, kw_only=True)
class Campaign:
    """Kills, each in the middle of fresh stories, on one shop whose books grow all the while."""

    shop: Shop
    zygote: Zygote
    chance: random.Random
    stories: int = 4
    kills: int = 0
    missed: list[str] = field(default_factory=list)
    books: Books = field(init=False)
    turns: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Open the books."""
        self.books = Books(shop=self.shop)

    def kill_at(self, place: str) -> None:
        """Let customers write, kill the pass at the place, and let later passes mend what it left."""
        needed = _NEEDED.get(place.partition(":")[0], ["cancels", "returns"])
        turn = self.chance.randint(1, min(self.turns[place], len(needed)))
        if not self._strike(f"{place}:{turn}", needed) and not self._strike(f"{place}:1", needed):
            self.missed.append(place)
        self.mend()

    def _strike(self, place: str, needed: list[str]) -> bool:
        self.books.tell(needed + self.chance.sample(NAMES, self.stories - len(needed)))
        for minutes in (0, 3, 17):
            self.shop.clock.forward(minutes=minutes)
            answer = self.zygote.poll(self.shop.config, self.shop.clock.now, place=place, late=minutes == 0)
            if answer["code"] == KILLED:
                self.kills += 1
                self.books.doubtful += place.rpartition(":")[0] in IN_DOUBT
                return True
        return False

    def mend(self) -> None:
        """Make undisturbed passes until nothing is left to do: what was postponed, and what was left in doubt."""
        for minutes in (2, 20):
            self.shop.clock.forward(minutes=minutes)
            answer = self.clean_pass()
            assert answer["code"] == 0, answer

    def clean_pass(self, *, late: bool = False) -> dict[str, Any]:
        """Make one undisturbed pass."""
        return self.zygote.poll(self.shop.config, self.shop.clock.now, late=late)

    def faults(self) -> list[str]:
        """What the books show."""
        return [*self.books.faults(), *self._left_to_nobody()]

    def _left_to_nobody(self) -> Iterator[str]:
        """Each letter that was given up has left its case to a person."""
        states = {row.id: row.state for row in self.shop.rows(CaseRow)}
        for row in self.shop.rows(OutboxRow):
            if row.state == OutboxState.FAILED and row.case_id is not None and states[row.case_id] != "escalated":
                yield f"letter {row.id} to {row.recipient} was given up, and its case is {states[row.case_id]}"


def reached_places(campaign: Campaign) -> list[str]:
    """Every place that the stories come to, with how often; found by passes in which nothing happens to anybody."""
    campaign.books.tell(NAMES)
    for minutes in (0, 3, 17, 20):
        campaign.shop.clock.forward(minutes=minutes)
        for place, times in campaign.clean_pass(late=minutes == 0).get("reached", {}).items():
            campaign.turns[place] = max(times, campaign.turns.get(place, 0))
    return sorted(campaign.turns)
