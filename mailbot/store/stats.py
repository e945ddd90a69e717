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
_MOST = 20_000
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
        promises=[_promise(session, kind, since, now) for kind in (ClockKind.REPLY, ClockKind.REFUND)],
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


def _promise(session: Session, kind: ClockKind, since: datetime, now: datetime) -> Promise:
    mine = (ClockRow.kind == kind, ClockRow.level == ClockLevel.LIMIT, ClockRow.started_at > since)
    rows = session.execute(
        select(ClockRow.started_at, ClockRow.due_at, ClockRow.met_at)
        .where(*mine)
        .order_by(ClockRow.id.desc())
        .limit(_MOST)
    ).all()
    kept = [row.met_at - row.started_at for row in rows if row.met_at is not None and row.met_at <= row.due_at]
    broken = sum(row.due_at < (row.met_at or now) for row in rows)
    met = [(row.met_at - row.started_at).total_seconds() / 3600 for row in rows if row.met_at is not None]
    return Promise(kind=kind.value, kept=len(kept), broken=broken, hours=median(met) if met else None)


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
