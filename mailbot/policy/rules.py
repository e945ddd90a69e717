"""Rows and guards as values: what each asks, and what it answers when all of that is met."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from mailbot.model.decision import Answer, Outcome
from mailbot.policy.conditions import Draft, Ground

Subject = TypeVar("Subject", Ground, Draft)


@dataclass(frozen=True, slots=True, kw_only=True)
class Test(Generic[Subject]):
    """One condition that a rule asks, and the answers that meet it.

    Attributes:
        rule: id of the row or guard that asks.
        wanted: any of these will do; ``None`` among them is the file's "unknown".
    """

    rule: str
    condition: str
    ask: Callable[[Subject], Answer]
    wanted: tuple[Answer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the decision table.

    Attributes:
        proposal: what an escalating row offers to the person who decides.
        reply: the template that tells a proven customer.
        proposal_reply: the template that tells them once a person has approved the proposal.
        guarded: whether the guards look at what it decided.
    """

    rule: str
    tests: tuple[Test[Ground], ...]
    outcome: Outcome
    proposal: Outcome | None
    clauses: tuple[str, ...]
    reply: str
    proposal_reply: str | None
    guarded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """A check over the table: when all of it is met, a person decides instead of the row."""

    rule: str
    tests: tuple[Test[Draft], ...]
    reply: str
