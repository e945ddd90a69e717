"""Figures for the shop's owner: promises kept, how fast, how much by itself, and where the money went back."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from sqlalchemy import ColumnElement, Text, func, select, type_coerce
from sqlalchemy.orm import Session

from mailbot.model.case import CaseState, ClockKind, ClockLevel
from mailbot.model.money import Money
from mailbot.model.refund import PAID, RefundState
from mailbot.store.tables import CaseEventRow, CaseRow, ClockRow, DecisionRow, RefundRow

PERIOD = timedelta(days=30)
_MOST_TIMED = 2_000
_MOST_BARS = 12
_MACHINES = ("mailbot", "customer", "policy")
_OVER = (CaseState.DECLINED, CaseState.REFUNDED, CaseState.EXPIRED, CaseState.CLOSED)
_AGES = (("under a day", 0, 1), ("1 to 2 days", 1, 2), ("2 to 7 days", 2, 7), ("over a week", 7, 36500))
_AHEAD = (3, 6, 12, 24, 48)


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """How one kind of promise was kept in the period.

    Attributes:
        hours: the median from start to kept; ``None`` where none was.
    """

    kind: str
    kept: int
    broken: int
    hours: float | None

    @property
    def percent(self) -> float | None:
        """The share that was kept; ``None`` where nothing was promised."""
        total = self.kept + self.broken
        return 100 * self.kept / total if total else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refunded:
    """What went back, or will, by one name of one kind."""

    name: str
    count: int
    sum: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """Everything on the dashboard.

    Attributes:
        cases: opened in the period; ``by_itself``: those that no person touched.
        ages: open cases by how long ago they asked.
        ahead: promises that end within so many hours.
    """

    promises: list[Promise]
    cases: int
    by_itself: int
    refunds: dict[str, list[Refunded]]
    ages: list[tuple[str, int]]
    ahead: list[tuple[str, int]]


def gather(session: Session, now: datetime) -> Stats:
    """All figures of the last 30 days, in a handful of statements."""
    since = now - PERIOD
    opened = select(CaseRow.id).where(CaseRow.opened_at > since)
    touched = select(func.count(func.distinct(CaseEventRow.case_id))).where(
        CaseEventRow.case_id.in_(opened), CaseEventRow.actor.not_in(_MACHINES)
    )
    total = session.scalars(select(func.count()).select_from(opened.subquery())).one()
    return Stats(
        promises=_promises(session, since, now),
        cases=total,
        by_itself=total - session.scalars(touched).one(),
        refunds={
            "reason": _refunded(session, DecisionRow.facts["claim", "reason"].as_string(), since),
            "rule": _refunded(session, DecisionRow.decision["rule"].as_string(), since),
            "language": _refunded(session, type_coerce(CaseRow.language, Text), since),
        },
        ages=_ages(session, now),
        ahead=_ahead(session, now),
    )


def _promises(session: Session, since: datetime, now: datetime) -> list[Promise]:
    """Every promise of the period is counted; the median is that of the newest kept ones, a few thousand tell it."""
    mine = (ClockRow.level == ClockLevel.LIMIT, ClockRow.started_at > since)
    counting = select(
        ClockRow.kind,
        func.count().filter(ClockRow.met_at <= ClockRow.due_at).label("kept"),
        func.count().filter(ClockRow.due_at < func.coalesce(ClockRow.met_at, now)).label("broken"),
    )
    counted = {row.kind: row for row in session.execute(counting.where(*mine).group_by(ClockRow.kind))}
    promises = []
    for kind in (ClockKind.REPLY, ClockKind.REFUND):
        times = select(ClockRow.started_at, ClockRow.met_at).where(*mine, ClockRow.kind == kind)
        newest = times.where(ClockRow.met_at.is_not(None)).order_by(ClockRow.id.desc()).limit(_MOST_TIMED)
        hours = [
            (met_at - started_at).total_seconds() / 3600 for started_at, met_at in session.execute(newest) if met_at
        ]
        row = counted.get(kind)
        promises.append(
            Promise(
                kind=kind.value,
                kept=row.kept if row else 0,
                broken=row.broken if row else 0,
                hours=median(hours) if hours else None,
            )
        )
    return promises


def _refunded(session: Session, by: ColumnElement[Any], since: datetime) -> list[Refunded]:
    name, count = by.label("name"), func.count().label("count")
    total = func.sum(RefundRow.amount_minor).label("minor")
    sums = select(name, RefundRow.currency, count, total).join(CaseRow, CaseRow.id == RefundRow.case_id)
    sums = sums.join(DecisionRow, DecisionRow.id == RefundRow.decision_id)
    sums = sums.where(RefundRow.approved_at > since, RefundRow.state != RefundState.CANCELLED)
    rows = session.execute(sums.group_by(name, RefundRow.currency).order_by(count.desc()).limit(_MOST_BARS))
    return [
        Refunded(
            name=row.name or "none",
            count=row[2],
            sum=f"{Money.from_minor(int(row.minor), row.currency)} {row.currency}",
        )
        for row in rows
    ]


def _ages(session: Session, now: datetime) -> list[tuple[str, int]]:
    columns = [
        func.count().filter(
            CaseRow.requested_at <= now - timedelta(days=least), CaseRow.requested_at > now - timedelta(days=most)
        )
        for _, least, most in _AGES
    ]
    row = session.execute(select(*columns).where(CaseRow.state.not_in(_OVER))).one()
    return [(name, count) for (name, _, _), count in zip(_AGES, row, strict=True)]


def _ahead(session: Session, now: datetime) -> list[tuple[str, int]]:
    running = (ClockRow.met_at.is_(None), ClockRow.level == ClockLevel.LIMIT)
    columns = [func.count().filter(ClockRow.due_at <= now)]
    earlier = 0
    for hours in _AHEAD:
        after, until = now + timedelta(hours=earlier), now + timedelta(hours=hours)
        columns.append(func.count().filter(ClockRow.due_at > after, ClockRow.due_at <= until))
        earlier = hours
    row = session.execute(select(*columns).where(*running)).one()
    names = ["broken", *(f"within {hours} h" for hours in _AHEAD)]
    return list(zip(names, row, strict=True))


def refund_totals(session: Session) -> list[tuple[str, int, str]]:
    """How many refunds stand how, and their sums by currency."""
    sums = select(RefundRow.state, RefundRow.currency, func.count(), func.sum(RefundRow.amount_minor))
    sums = sums.where(RefundRow.state.not_in(PAID)).group_by(RefundRow.state, RefundRow.currency)
    return [
        (state, count, f"{Money.from_minor(int(minor), currency)} {currency}")
        for state, currency, count, minor in session.execute(sums.order_by(RefundRow.state))
    ]
