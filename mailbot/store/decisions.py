"""Decisions as they were stored, to be made again: of one case, or the present one of every case."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailbot.store.cases import number_of
from mailbot.store.tables import DecisionRow, PolicyRow

_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One decision with all that it was made of, in JSON forms; ``policy`` is the file that decided it."""

    case: str
    facts: dict[str, Any]
    decision: dict[str, Any]
    trace: list[Any]
    policy: str
    timezone: str


def of_case(session: Session, case_id: int) -> list[Stored]:
    """Every decision on a case, oldest first."""
    mine = select(DecisionRow, PolicyRow).join(PolicyRow, PolicyRow.version == DecisionRow.policy_version)
    found = session.execute(mine.where(DecisionRow.case_id == case_id).order_by(DecisionRow.id))
    return [_stored(decision, policy) for decision, policy in found]


def present(session: Session, since: datetime | None) -> Iterator[Stored]:
    """The present decision of every case, oldest case first; only what was decided since then, if given."""
    newest = select(func.max(DecisionRow.id)).group_by(DecisionRow.case_id)
    wanted = select(DecisionRow, PolicyRow).join(PolicyRow, PolicyRow.version == DecisionRow.policy_version)
    wanted = wanted.where(DecisionRow.id.in_(newest)).order_by(DecisionRow.case_id)
    if since is not None:
        wanted = wanted.where(DecisionRow.decided_at >= since)
    for decision, policy in session.execute(wanted.execution_options(yield_per=_AT_ONCE)):
        yield _stored(decision, policy)


def _stored(decision: DecisionRow, policy: PolicyRow) -> Stored:
    return Stored(
        case=number_of(decision.case_id),
        facts=decision.facts,
        decision=decision.decision,
        trace=decision.trace,
        policy=policy.content,
        timezone=policy.timezone,
    )
