"""The operators' queue: one page of it, the counts beside its views, and the values that it can be filtered by.

Open cases are sorted by the promise that ends next, late ones above; what is over by its number, newest first.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    String,
    Subquery,
    and_,
    bindparam,
    case,
    exists,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session

from mailbot.model.case import CaseState, ClockLevel, Deadline
from mailbot.model.money import Money
from mailbot.store import clocks, search
from mailbot.store.cases import number_of
from mailbot.store.desk_tables import HeldRow, OrderState
from mailbot.store.prepared import Prepared
from mailbot.store.tables import CaseRow, ClockRow, MailRow, MailState

PAGE = 50
MOST_COUNTED = 1_000
"""Beyond so many cases a list says that there are more; to count them all would read them all."""
SOON = timedelta(hours=2)
_OVER = (CaseState.DECLINED, CaseState.REFUNDED, CaseState.EXPIRED, CaseState.CLOSED)
_PEOPLE = (CaseState.NEW, CaseState.ESCALATED, CaseState.RECEIVED, CaseState.REFUND_DUE, CaseState.REOPENED)
_WAITING = tuple(state for state in CaseState if state not in {*_OVER, *_PEOPLE})
_WHO, _NOW = bindparam("who", type_=String), bindparam("now", type_=CaseRow.snoozed_until.type)
_IS_LIVE = CaseRow.state.not_in(bindparam("over", [*_OVER], expanding=True, literal_execute=True))
"""As the partial index says it, word for word; values that come apart from the statement would not be known to fit."""


class View(StrEnum):
    """The parts of the queue, in the order that they are shown."""

    PEOPLE = "people"
    LATE = "late"
    MINE = "mine"
    UNASSIGNED = "unassigned"
    REFUNDS = "refunds"
    CUSTOMERS = "customers"
    SNOOZED = "snoozed"
    PARKED = "parked"
    ANSWERED = "answered"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What a page of the queue is asked for; ``None`` and empty: no matter.

    Attributes:
        least, most: bounds of the sum, in whole units of ``currency``.
        words: in the subject, the customer's address, the order's or the case's number, or the mails' text.
    """

    view: View = View.PEOPLE
    state: CaseState | None = None
    reason: str = ""
    language: str = ""
    assignee: str = ""
    currency: str = ""
    least: int | None = None
    most: int | None = None
    words: str = ""
    page: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One case as the queue shows it.

    Attributes:
        deadline: the promise that ends next; ``None`` where none runs.
        sending: somebody's action on it is held back just now.
    """

    number: str
    subject: str
    customer: str | None
    order_number: str | None
    state: str
    why: str
    amount: str | None
    language: str | None
    assignee: str | None
    snoozed_until: datetime | None
    deadline: Deadline | None
    sending: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of the queue.

    Attributes:
        total: how many cases all pages have; ``None``: more than ``MOST_COUNTED``.
        more: whether another page follows.
    """

    cases: tuple[Listed, ...]
    total: int | None
    number: int
    more: bool

    @property
    def pages(self) -> int | None:
        """How many pages there are, never none; ``None`` where nobody has counted."""
        return None if self.total is None else max(1, -(-self.total // PAGE))


_due_at, _SOON = ClockRow.due_at, bindparam("soon", type_=ClockRow.due_at.type)
_FORECAST = Prepared(
    select(
        func.count().filter(_due_at <= _NOW).label("breached"),
        func.count().filter(and_(_due_at > _NOW, _due_at <= _SOON)).label("soon"),
        func.count().filter(_due_at > _NOW).label("today"),
    ).where(
        ClockRow.met_at.is_(None),
        ClockRow.level == ClockLevel.LIMIT,
        _due_at <= bindparam("tomorrow", type_=ClockRow.due_at.type),
    )
)
_CHOICES = Prepared(select(CaseRow.escalation, CaseRow.language).where(_IS_LIVE).distinct())


def page(session: Session, wanted: Filter, who: str, now: datetime, counted: Mapping[View, int] | None = None) -> Page:
    """One page of the queue; a page beyond the last one is the first.

    Args:
        session: a reading one.
        wanted: view, filters and page.
        who: whose cases are ``mine``.
        now: what late is told by.
        counted: what ``counts`` has found, where it was asked for anyway.
    """
    if wanted.words:
        return _found(session, wanted, who, now)
    is_whole = replace(wanted, page=1) == Filter(view=wanted.view)
    total = (counted or {}).get(wanted.view) if is_whole else None
    if total is None:
        counting = _chosen(wanted).order_by(None).limit(MOST_COUNTED + 1).subquery()
        total = session.scalars(select(func.count()).select_from(counting), {"who": who, "now": now}).one()
    number = max(1, wanted.page)
    ids = _ids(session, wanted, is_whole, {"who": who, "now": now, "most": PAGE + 1, "skip": (number - 1) * PAGE})
    if not ids and number > 1:
        number, ids = 1, _ids(session, wanted, is_whole, {"who": who, "now": now, "most": PAGE + 1, "skip": 0})
    return Page(
        cases=_listed(session, ids[:PAGE]),
        total=None if total > MOST_COUNTED and not (is_whole and counted) else total,
        number=number,
        more=len(ids) > PAGE,
    )


def _found(session: Session, wanted: Filter, who: str, now: datetime) -> Page:
    """A page of a search, which is looked through to its end anyway."""
    words = CaseRow.id.in_(bindparam("words", search.find(session, wanted.words), expanding=True, literal_execute=True))
    ids = session.scalars(_chosen(wanted).where(words), {"who": who, "now": now}).all()
    number = wanted.page if 0 < wanted.page <= -(-len(ids) // PAGE) else 1
    return Page(
        cases=_listed(session, ids[(number - 1) * PAGE : number * PAGE]),
        total=len(ids) if len(ids) <= MOST_COUNTED else None,
        number=number,
        more=len(ids) > number * PAGE,
    )


def _chosen(wanted: Filter) -> Select[int]:
    """Ids of the cases that fit, in order; a view that holds all that ever was goes by number, and by no clock."""
    if wanted.view in _BY_NUMBER:
        return select(CaseRow.id).where(*_where(wanted, None)).order_by(CaseRow.id.desc())
    running = _running()
    chosen = select(CaseRow.id).outerjoin(running, running.c.case_id == CaseRow.id)
    return chosen.where(*_where(wanted, running)).order_by(*_order(running))


def _ids(session: Session, wanted: Filter, is_whole: bool, values: Mapping[str, Any]) -> Sequence[int]:  # noqa: FBT001 (a fact, no switch)
    if is_whole:
        return [row.id for row in _whole(wanted.view).all(session, **values)]
    return session.scalars(_paged(_chosen(wanted)), values).all()


@cache
def _whole(view: View) -> Prepared:
    """A page of a view without filters, as it is mostly asked for."""
    return Prepared(_paged(_chosen(Filter(view=view))))


def _paged(chosen: Select[int]) -> Select[int]:
    return chosen.offset(bindparam("skip", type_=Integer)).limit(bindparam("most", type_=Integer))


def counts(session: Session, who: str, now: datetime) -> dict[View, int]:
    """How many cases each view of open ones has; those of all that ever was are not counted for every look."""
    found = _counting().first(session, who=who, now=now)
    return {View(name): count for name, count in found._asdict().items()}


@cache
def _counting() -> Prepared:
    running = _running()
    columns = [
        func.count().filter(and_(*_view(view, running))).label(view.value)
        for view in View
        if view not in {*_BY_NUMBER, View.PARKED}
    ]
    parked = select(func.count(func.distinct(MailRow.case_id))).where(_PARKED).scalar_subquery()
    asked = select(*columns, parked.label(View.PARKED.value)).select_from(CaseRow)
    return Prepared(asked.outerjoin(running, running.c.case_id == CaseRow.id).where(_IS_LIVE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What the next hours bring."""

    breached: int
    soon: int
    today: int


def forecast(session: Session, now: datetime) -> Forecast:
    """How many promises are broken, and how many end within two hours and within a day."""
    found = _FORECAST.first(session, now=now, soon=now + SOON, tomorrow=now + timedelta(days=1))
    return Forecast(breached=found.breached, soon=found.soon, today=found.today)


def choices(session: Session) -> Mapping[str, Sequence[str]]:
    """The escalation reasons and languages that open cases have, for the filters."""
    found = _CHOICES.all(session)
    return {
        "reasons": sorted({row.escalation for row in found if row.escalation}),
        "languages": sorted({row.language for row in found if row.language}),
    }


def _running() -> Subquery:
    """The earliest due mark and the earliest limit of each case whose clocks run."""
    due = func.min(ClockRow.due_at).filter(ClockRow.level == ClockLevel.DUE)
    limit = func.min(ClockRow.due_at).filter(ClockRow.level == ClockLevel.LIMIT)
    marks = select(ClockRow.case_id, due.label("due_at"), limit.label("limit_at")).where(ClockRow.met_at.is_(None))
    return marks.group_by(ClockRow.case_id).subquery()


_BY_NUMBER = frozenset({View.ANSWERED, View.ALL})
_PARKED = and_(MailRow.state == MailState.PARKED, MailRow.case_id.is_not(None))


def _view(view: View, running: Subquery | None) -> tuple[ColumnElement[bool], ...]:
    if running is None:
        return (CaseRow.state.in_(_OVER) if view is View.ANSWERED else true(),)
    late = running.c.due_at <= _NOW
    awake = or_(CaseRow.snoozed_until.is_(None), CaseRow.snoozed_until <= _NOW, late)
    people = (_IS_LIVE, or_(CaseRow.state.in_(_PEOPLE), late), awake)
    asked: dict[View, Callable[[], tuple[ColumnElement[bool], ...]]] = {
        View.PEOPLE: lambda: people,
        View.LATE: lambda: (_IS_LIVE, late),
        View.MINE: lambda: (_IS_LIVE, CaseRow.assigned_to == _WHO),
        View.UNASSIGNED: lambda: (*people, CaseRow.assigned_to.is_(None)),
        View.REFUNDS: lambda: (_IS_LIVE, CaseRow.state == CaseState.REFUND_DUE),
        View.CUSTOMERS: lambda: (_IS_LIVE, CaseRow.state.in_(_WAITING)),
        View.SNOOZED: lambda: (_IS_LIVE, CaseRow.snoozed_until > _NOW),
        View.PARKED: lambda: (CaseRow.id.in_(select(MailRow.case_id).where(_PARKED)),),
    }
    return asked[view]()


def _where(wanted: Filter, running: Subquery | None) -> list[ColumnElement[bool]]:
    found = list(_view(wanted.view, running))
    if wanted.state:
        found.append(CaseRow.state == wanted.state)
    if wanted.reason:
        found.append(or_(CaseRow.escalation == wanted.reason, CaseRow.rule == wanted.reason))
    if wanted.language:
        found.append(CaseRow.language == wanted.language)
    if wanted.assignee:
        found.append(CaseRow.assigned_to == wanted.assignee)
    if wanted.currency:
        found.append(CaseRow.sum_currency == wanted.currency)
        if wanted.least is not None:
            found.append(CaseRow.sum_minor >= Money.parse(str(wanted.least), wanted.currency).minor)
        if wanted.most is not None:
            found.append(CaseRow.sum_minor <= Money.parse(str(wanted.most), wanted.currency).minor)
    return found


def _order(running: Subquery) -> list[Any]:
    late = case((running.c.due_at <= _NOW, 0), else_=1)
    people = case((CaseRow.state.in_(_PEOPLE), 0), else_=1)
    return [late, people, running.c.limit_at.is_(None), running.c.limit_at, CaseRow.id]


def _listed(session: Session, ids: Sequence[int]) -> tuple[Listed, ...]:
    deadlines = clocks.deadlines(session, ids)
    sending = exists().where(HeldRow.case_id == CaseRow.id, HeldRow.state == OrderState.HELD)
    found = session.execute(select(*_COLUMNS, sending.label("sending")).where(CaseRow.id.in_(ids)))
    rows = {row.id: _as_listed(row, deadlines.get(row.id, [])) for row in found}
    return tuple(rows[case_id] for case_id in ids)


_COLUMNS = (
    *(CaseRow.id, CaseRow.subject, CaseRow.customer, CaseRow.order_number, CaseRow.state, CaseRow.escalation),
    *(CaseRow.rule, CaseRow.sum_minor, CaseRow.sum_currency, CaseRow.language, CaseRow.assigned_to),
    CaseRow.snoozed_until,
)


def _as_listed(row: Any, deadlines: Sequence[Deadline]) -> Listed:
    return Listed(
        number=number_of(row.id),
        subject=row.subject,
        customer=row.customer,
        order_number=row.order_number,
        state=row.state,
        why=(row.escalation if row.state == CaseState.ESCALATED else None) or row.rule or "",
        amount=sum_of(row),
        language=row.language,
        assignee=row.assigned_to,
        snoozed_until=row.snoozed_until,
        deadline=_next(deadlines),
        sending=row.sending,
    )


def sum_of(row: Any) -> str | None:
    """The sum that a case's present decision is about, as people read it."""
    if row.sum_minor is None or row.sum_currency is None:
        return None
    return f"{Money.from_minor(row.sum_minor, row.sum_currency)} {row.sum_currency}"


def _next(deadlines: Sequence[Deadline]) -> Deadline | None:
    return min((one for one in deadlines if one.met_at is None), key=lambda one: one.limit_at, default=None)
