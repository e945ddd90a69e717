"""The operators' queue: one page of it, the counts beside its views, and the values that it can be filtered by.

Open cases are sorted by the promise that ends next, late ones above; what is over by its number, newest first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Subquery, and_, case, false, func, or_, select, true
from sqlalchemy.orm import Session

from mailbot.model.case import CaseState, ClockLevel, Deadline
from mailbot.model.money import Money
from mailbot.store import clocks
from mailbot.store.cases import number_of
from mailbot.store.desk_tables import HeldRow, OrderState
from mailbot.store.tables import CaseRow, ClockRow, MailRow, MailState

PAGE = 50
SOON = timedelta(hours=2)
_OVER = (CaseState.DECLINED, CaseState.REFUNDED, CaseState.EXPIRED, CaseState.CLOSED)
_PEOPLE = (CaseState.NEW, CaseState.ESCALATED, CaseState.RECEIVED, CaseState.REFUND_DUE, CaseState.REOPENED)
_WAITING = tuple(state for state in CaseState if state not in {*_OVER, *_PEOPLE})
_LIVE = (*_PEOPLE, *_WAITING)
_ESCAPE = "\\"


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
        words: in the subject, the customer's address, the order's or the case's number.
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
    """One page of the queue; ``total`` counts all pages."""

    cases: tuple[Listed, ...]
    total: int
    number: int

    @property
    def pages(self) -> int:
        """How many pages there are; never none."""
        return max(1, -(-self.total // PAGE))


def page(session: Session, wanted: Filter, who: str, now: datetime) -> Page:
    """One page of the queue.

    Args:
        session: a reading one.
        wanted: view, filters and page.
        who: whose cases are ``mine``.
        now: what late is told by.
    """
    if wanted.view in _BY_NUMBER:
        return _by_number(session, wanted, who, now)
    running = _running()
    chosen = select(CaseRow.id, func.count().over()).outerjoin(running, running.c.case_id == CaseRow.id)
    ordered = chosen.where(*_where(wanted, running, who, now)).order_by(*_order(running, now)).limit(PAGE)
    number = max(1, wanted.page)
    found = session.execute(ordered.offset((number - 1) * PAGE)).all()
    if not found and number > 1:  # a page beyond the last one
        number, found = 1, session.execute(ordered).all()
    rows = {row.id: row for row in session.scalars(select(CaseRow).where(CaseRow.id.in_([one.id for one in found])))}
    return Page(
        cases=_listed(session, [rows[one.id] for one in found]), total=found[0][1] if found else 0, number=number
    )


def _by_number(session: Session, wanted: Filter, who: str, now: datetime) -> Page:
    """One page of a view that holds all that ever was: by number, without a look at every case's clocks."""
    where = _where(wanted, _running(), who, now)
    total = session.scalars(select(func.count()).select_from(CaseRow).where(*where)).one()
    number = min(max(1, wanted.page), max(1, -(-total // PAGE)))
    rows = select(CaseRow).where(*where).order_by(CaseRow.id.desc()).offset((number - 1) * PAGE).limit(PAGE)
    return Page(cases=_listed(session, session.scalars(rows).all()), total=total, number=number)


def counts(session: Session, who: str, now: datetime) -> dict[View, int]:
    """How many cases each view of open ones has; those of all that ever was are not counted for every look."""
    running = _running()
    columns = [
        func.count().filter(and_(*_view(view, running, who, now))).label(view.value)
        for view in View
        if view not in {*_BY_NUMBER, View.PARKED}
    ]
    open_ = select(*columns).select_from(CaseRow).outerjoin(running, running.c.case_id == CaseRow.id)
    found = session.execute(open_.where(CaseRow.state.in_(_LIVE))).one()._mapping  # noqa: SLF001 (SQLAlchemy's public name)
    parked = select(func.count(func.distinct(MailRow.case_id))).where(_PARKED)
    return {View(name): count for name, count in found.items()} | {View.PARKED: session.scalars(parked).one()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What the next hours bring."""

    breached: int
    soon: int
    today: int


def forecast(session: Session, now: datetime) -> Forecast:
    """How many promises are broken, and how many end within two hours and within a day."""
    limit = (ClockRow.met_at.is_(None), ClockRow.level == ClockLevel.LIMIT, ClockRow.due_at <= now + timedelta(days=1))
    ends = ClockRow.due_at
    found = session.execute(
        select(
            func.count().filter(ends <= now),
            func.count().filter(and_(ends > now, ends <= now + SOON)),
            func.count().filter(ends > now),
        ).where(*limit)
    ).one()
    return Forecast(breached=found[0], soon=found[1], today=found[2])


def choices(session: Session) -> Mapping[str, Sequence[str]]:
    """The escalation reasons and languages that open cases have, for the filters."""
    open_ = CaseRow.state.in_(_LIVE)
    return {
        name: [value for value in session.scalars(select(column).where(open_).distinct().order_by(column)) if value]
        for name, column in (("reasons", CaseRow.escalation), ("languages", CaseRow.language))
    }


def _running() -> Subquery:
    """The earliest due mark and the earliest limit of each case whose clocks run."""
    due = func.min(ClockRow.due_at).filter(ClockRow.level == ClockLevel.DUE)
    limit = func.min(ClockRow.due_at).filter(ClockRow.level == ClockLevel.LIMIT)
    marks = select(ClockRow.case_id, due.label("due_at"), limit.label("limit_at")).where(ClockRow.met_at.is_(None))
    return marks.group_by(ClockRow.case_id).subquery()


_BY_NUMBER = frozenset({View.ANSWERED, View.ALL})
_PARKED = and_(MailRow.state == MailState.PARKED, MailRow.case_id.is_not(None))


def _view(view: View, running: Subquery, who: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    late = running.c.due_at <= now
    awake = or_(CaseRow.snoozed_until.is_(None), CaseRow.snoozed_until <= now, late)
    people = or_(CaseRow.state.in_(_PEOPLE), late)
    return {
        View.PEOPLE: (CaseRow.state.in_(_LIVE), people, awake),
        View.LATE: (CaseRow.state.in_(_LIVE), late),
        View.MINE: (CaseRow.state.in_(_LIVE), CaseRow.assigned_to == who),
        View.UNASSIGNED: (CaseRow.state.in_(_LIVE), people, awake, CaseRow.assigned_to.is_(None)),
        View.REFUNDS: (CaseRow.state == CaseState.REFUND_DUE,),
        View.CUSTOMERS: (CaseRow.state.in_(_WAITING),),
        View.SNOOZED: (CaseRow.state.in_(_LIVE), CaseRow.snoozed_until > now),
        View.PARKED: (CaseRow.id.in_(select(MailRow.case_id).where(_PARKED)),),
        View.ANSWERED: (CaseRow.state.in_(_OVER),),
        View.ALL: (true(),),
    }[view]


def _where(wanted: Filter, running: Subquery, who: str, now: datetime) -> list[ColumnElement[bool]]:
    found = list(_view(wanted.view, running, who, now))
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
    found += [_has(word) for word in wanted.words.split()[:6]]
    return found


def _has(word: str) -> ColumnElement[bool]:
    pattern = "".join(_ESCAPE + sign if sign in "%_\\" else sign for sign in word.lower())
    number = word.upper().removeprefix("RF-").removeprefix("RF")
    texts = (CaseRow.subject, CaseRow.customer, CaseRow.order_number)
    alike = [func.lower(text).like(f"%{pattern}%", escape=_ESCAPE) for text in texts]
    is_number = number.isascii() and number.isdigit() and len(number) <= 12  # noqa: PLR2004 (as long as case numbers get)
    return or_(*alike, CaseRow.id == int(number) if is_number else false())


def _order(running: Subquery, now: datetime) -> list[Any]:
    late = case((running.c.due_at <= now, 0), else_=1)
    people = case((CaseRow.state.in_(_PEOPLE), 0), else_=1)
    return [late, people, running.c.limit_at.is_(None), running.c.limit_at, CaseRow.id]


def _listed(session: Session, rows: Sequence[CaseRow]) -> tuple[Listed, ...]:
    ids = [row.id for row in rows]
    deadlines = clocks.deadlines(session, ids)
    held = select(HeldRow.case_id).where(HeldRow.case_id.in_(ids), HeldRow.state == OrderState.HELD)
    sending = set(session.scalars(held))
    return tuple(
        Listed(
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
            deadline=_next(deadlines.get(row.id, [])),
            sending=row.id in sending,
        )
        for row in rows
    )


def sum_of(row: CaseRow) -> str | None:
    """The sum that a case's present decision is about, as people read it."""
    if row.sum_minor is None or row.sum_currency is None:
        return None
    return f"{Money.from_minor(row.sum_minor, row.sum_currency)} {row.sum_currency}"


def _next(deadlines: Sequence[Deadline]) -> Deadline | None:
    return min((one for one in deadlines if one.met_at is None), key=lambda one: one.limit_at, default=None)
