"""A case's life: its states, what may follow what, and the clocks that run on it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from mailbot.errors import PermanentError


class CaseState(StrEnum):
    """Where a case stands."""

    NEW = "new"
    WAITING_FOR_INFORMATION = "waiting_for_information"
    WAITING_FOR_PROOF = "waiting_for_proof"
    ESCALATED = "escalated"
    RETURN_APPROVED = "return_approved"
    GOODS_ON_THE_WAY = "goods_on_the_way"
    RECEIVED = "received"
    REFUND_DUE = "refund_due"
    REFUNDED = "refunded"
    DECLINED = "declined"
    EXPIRED = "expired"
    CLOSED = "closed"
    REOPENED = "reopened"


_S = CaseState
_DECIDED = frozenset({_S.RETURN_APPROVED, _S.REFUND_DUE, _S.DECLINED})
_WAITING = frozenset({_S.WAITING_FOR_INFORMATION, _S.WAITING_FOR_PROOF})
_LATER = frozenset({_S.GOODS_ON_THE_WAY, _S.RECEIVED, _S.REFUNDED, _S.EXPIRED})
_ALWAYS = frozenset({_S.ESCALATED, _S.CLOSED})

UNDECIDED = frozenset({_S.NEW, *_WAITING})
"""States in which a further mail makes the policy decide, not a person."""

TRANSITIONS: dict[CaseState, frozenset[CaseState]] = {
    _S.NEW: _WAITING | _DECIDED | _ALWAYS,
    _S.WAITING_FOR_INFORMATION: _WAITING - {_S.WAITING_FOR_INFORMATION} | _DECIDED | _ALWAYS,
    _S.WAITING_FOR_PROOF: _WAITING - {_S.WAITING_FOR_PROOF} | _DECIDED | _ALWAYS,
    _S.ESCALATED: _WAITING | _DECIDED | _LATER | {_S.CLOSED},
    _S.RETURN_APPROVED: _ALWAYS | {_S.GOODS_ON_THE_WAY, _S.RECEIVED, _S.EXPIRED},
    _S.GOODS_ON_THE_WAY: _ALWAYS | {_S.RECEIVED},
    _S.RECEIVED: _ALWAYS | {_S.REFUND_DUE, _S.DECLINED},
    _S.REFUND_DUE: _ALWAYS | {_S.REFUNDED},
    _S.REFUNDED: _ALWAYS,
    _S.DECLINED: _ALWAYS,
    _S.EXPIRED: _ALWAYS | {_S.RECEIVED},
    _S.CLOSED: frozenset({_S.REOPENED}),
    _S.REOPENED: _WAITING | _DECIDED | _LATER | _ALWAYS,
}
"""What may follow each state; a case may always stay where it is."""


def draw_transitions() -> str:
    """``TRANSITIONS`` as a Mermaid diagram, the one in ``docs/case-life.md``."""
    arrows = [f"    {state} --> {to}" for state in CaseState for to in CaseState if to in TRANSITIONS[state]]
    return "\n".join(["stateDiagram-v2", f"    [*] --> {_S.NEW}", *arrows, f"    {_S.CLOSED} --> [*]"])


class IllegalTransitionError(PermanentError):
    """A case was asked to go where its state does not lead."""

    def __init__(self, number: str, state: CaseState, to: CaseState) -> None:
        """Keep case and states apart."""
        self.number, self.state, self.to = number, state, to
        allowed = ", ".join(sorted(TRANSITIONS[state]))
        super().__init__(f"case {number} is {state} and cannot become {to}; it can become {allowed}")


def next_state(number: str, state: CaseState, to: CaseState) -> CaseState:
    """The state ``to``, if it may follow ``state``.

    Raises:
        IllegalTransitionError: it may not.
    """
    if to is not state and to not in TRANSITIONS[state]:
        raise IllegalTransitionError(number, state, to)
    return to


class ClockKind(StrEnum):
    """What the shop has promised to do by a time (C8, C14)."""

    REPLY = "reply"
    REFUND = "refund"
    DISPATCH = "dispatch"


class ClockLevel(StrEnum):
    """The two marks of a clock: when mailbot means to, and when the shop must."""

    DUE = "due"
    LIMIT = "limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockTerms:
    """How long after its start a clock is due, and past its limit; plain hours but for dispatch (whole days)."""

    due: timedelta
    limit: timedelta


class DeadlineState(StrEnum):
    """How a deadline stands. Source: POLICY.md, Deadlines."""

    OPEN = "open"
    DUE_SOON = "due_soon"
    BREACHED = "breached"
    MET = "met"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """One clock of a case.

    Attributes:
        met_at: when the promise was kept; ``None`` while it is open.
    """

    kind: ClockKind
    started_at: datetime
    due_at: datetime
    limit_at: datetime
    met_at: datetime | None = None

    def state(self, now: datetime) -> DeadlineState:
        """How the deadline stands at ``now``."""
        if self.met_at is not None:
            return DeadlineState.MET
        if now >= self.limit_at:
            return DeadlineState.BREACHED
        return DeadlineState.DUE_SOON if now >= self.due_at else DeadlineState.OPEN
