"""Cases as people and scripts see them: the JSON forms of ``case list`` and ``case show``, soonest deadline first."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from operator import attrgetter, itemgetter
from typing import Any

from sqlalchemy import BigInteger, bindparam, func, or_, select
from sqlalchemy.orm import Session

from mailbot.model.case import CaseState, Deadline, DeadlineState
from mailbot.model.money import Money
from mailbot.model.reading import Reading
from mailbot.store import clocks, mails, readings
from mailbot.store.cases import number_of
from mailbot.store.prepared import Prepared
from mailbot.store.tables import (
    CaseEventRow,
    CaseRow,
    DecisionRow,
    MailRow,
    OutboxRow,
    OutboxState,
    RefundRow,
)

_PAGE = 500
_MOST_RELATIVES = 20
_NEVER = datetime.max.replace(tzinfo=UTC)
_MESSAGE_STATES = {OutboxState.SENT: "sent", OutboxState.FAILED: "failed", OutboxState.WITHDRAWN: "failed"}


_OF_CASE = bindparam("of_case", type_=BigInteger)
_MERGED = Prepared(select(CaseRow.id).where(CaseRow.merged_into == _OF_CASE).order_by(CaseRow.id))
_REFUNDS = Prepared(
    select(RefundRow.amount_minor, RefundRow.currency, RefundRow.state)
    .where(RefundRow.case_id == _OF_CASE)
    .order_by(RefundRow.id)
)
_EVENTS = Prepared(
    select(
        *(CaseEventRow.id, CaseEventRow.case_id, CaseEventRow.at, CaseEventRow.actor, CaseEventRow.kind),
        *(CaseEventRow.from_state, CaseEventRow.to_state, CaseEventRow.detail),
    ).where(CaseEventRow.case_id == _OF_CASE)
)
_DECISIONS = Prepared(
    select(
        *(DecisionRow.decided_at, DecisionRow.policy_version, DecisionRow.sender_why),
        *(DecisionRow.facts, DecisionRow.decision, DecisionRow.trace),
    )
    .where(DecisionRow.case_id == _OF_CASE)
    .order_by(DecisionRow.id)
)
_MAILS = Prepared(
    select(MailRow.id, MailRow.received_at, MailRow.state, MailRow.problem, MailRow.reading)
    .where(MailRow.case_id == _OF_CASE)
    .order_by(MailRow.received_at, MailRow.id)
)
_LETTERS = Prepared(
    select(
        *(OutboxRow.id, OutboxRow.template, OutboxRow.recipient, OutboxRow.state),
        *(OutboxRow.created_at, OutboxRow.sent_at, OutboxRow.content),
    ).where(OutboxRow.case_id == _OF_CASE)
)
_LAST_EVENT = Prepared(select(func.max(CaseEventRow.id).label("newest")).where(CaseEventRow.case_id == _OF_CASE))
_NEWEST_EVENT = Prepared(select(func.max(CaseEventRow.id).label("newest")))


def list_cases(session: Session, now: datetime, states: Sequence[CaseState] = ()) -> Iterator[dict[str, Any]]:
    """Cases in the form of CONTRACT.md, the one whose promise is due next first, closed ones last.

    Args:
        session: a reading one.
        now: what deadlines' states are told by.
        states: only cases in these; none: all.
    """
    wanted = select(CaseRow).order_by(CaseRow.id)
    if states:
        wanted = wanted.where(CaseRow.state.in_(states))
    rows = session.scalars(wanted).all()
    running: dict[int, list[Deadline]] = {}
    for page in _pages([row.id for row in rows]):
        running |= clocks.deadlines(session, page)
    ordered = sorted(rows, key=lambda row: (_next_limit(running.get(row.id, ())), row.id))
    for some in _pages(ordered):
        yield from _forms(session, some, running, now)


def show_case(session: Session, case: CaseRow, now: datetime) -> dict[str, Any]:
    """One case with its messages, its history, its decisions and the cases that became part of it."""
    merged = merged_into(session, case.id)
    form = show_without_messages(session, case, merged, clocks.deadlines(session, [case.id]).get(case.id, ()), now)
    found = _messages(session, [case.id, *merged])
    form["messages"] = sorted((message for some in found.values() for message in some), key=itemgetter("at"))
    return form


def show_without_messages(
    session: Session, case: CaseRow, merged: Sequence[int], deadlines: Sequence[Deadline], now: datetime
) -> dict[str, Any]:
    """The same for a page that shows mails and letters whole anyway, and has looked at clocks and merged cases."""
    refunds = _REFUNDS.all(session, of_case=case.id)
    form = _form(case, refunds[-1] if refunds else None, deadlines, now)
    form["merged_into"] = None if case.merged_into is None else number_of(case.merged_into)
    form["merged"] = [number_of(case_id) for case_id in merged]
    events = [event for case_id in (case.id, *merged) for event in _EVENTS.all(session, of_case=case_id)]
    form["history"] = [
        {
            "at": event.at.isoformat(),
            "actor": event.actor,
            "event": event.kind,
            "from": event.from_state,
            "to": event.to_state,
            **event.detail,
            **({} if event.case_id == case.id else {"case": number_of(event.case_id)}),
        }
        for event in sorted(events, key=attrgetter("id"))
    ]
    form["decisions"] = [
        {
            "at": decision.decided_at.isoformat(),
            "policy_version": decision.policy_version,
            "sender_why": decision.sender_why,
            "facts": decision.facts,
            "decision": decision.decision,
            "trace": decision.trace,
        }
        for decision in _DECISIONS.all(session, of_case=case.id)
    ]
    return form


def merged_into(session: Session, case_id: int) -> list[int]:
    """The cases that became part of this one."""
    return [row.id for row in _MERGED.all(session, of_case=case_id)]


@dataclass(frozen=True, slots=True, kw_only=True)
class MailOfCase:
    """One mail of a case as stored; ``reading`` is JSON text, ``None`` where it could not be read."""

    id: int
    received_at: datetime
    state: str
    problem: str | None
    reading: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterOfCase:
    """One letter of a case, with its final bytes."""

    id: int
    template: str
    recipient: str
    state: str
    created_at: datetime
    sent_at: datetime | None
    content: bytes


def mails_of(session: Session, case_id: int) -> list[MailOfCase]:
    """The mails of a case, oldest first."""
    return [MailOfCase(**row._asdict()) for row in _MAILS.all(session, of_case=case_id)]


def letters_of(session: Session, *case_ids: int) -> list[LetterOfCase]:
    """The letters of these cases, oldest first."""
    rows = [row for case_id in case_ids for row in _LETTERS.all(session, of_case=case_id)]
    return [LetterOfCase(**row._asdict()) for row in sorted(rows, key=attrgetter("id"))]


def relatives_of(session: Session, case: CaseRow) -> list[CaseRow]:
    """Other cases of the same customer or of the same order, newest first."""
    ties = [CaseRow.customer == case.customer] if case.customer is not None else []
    ties += [CaseRow.order_key == case.order_key] if case.order_key is not None else []
    if not ties:
        return []
    others = select(CaseRow).where(or_(*ties), CaseRow.id != case.id)
    return list(session.scalars(others.order_by(CaseRow.id.desc()).limit(_MOST_RELATIVES)))


def newest_decided(session: Session, most: int) -> list[CaseRow]:
    """The newest cases that something was decided on."""
    decided = select(CaseRow).where(CaseRow.rule.is_not(None)).order_by(CaseRow.id.desc()).limit(most)
    return list(session.scalars(decided))


def last_event(session: Session, case_id: int) -> int:
    """The newest event of a case; 0 where there is none."""
    return _LAST_EVENT.first(session, of_case=case_id).newest or 0


def newest_event(session: Session) -> int:
    """The newest event of all cases; it grows with every change."""
    return _NEWEST_EVENT.first(session).newest or 0


def events_since(session: Session, case_id: int, seen: int) -> list[CaseEventRow]:
    """What happened to a case after an event, oldest first."""
    later = select(CaseEventRow).where(CaseEventRow.case_id == case_id, CaseEventRow.id > seen)
    return list(session.scalars(later.order_by(CaseEventRow.id)))


def raw_of(session: Session, case_id: int, mail_id: int) -> bytes | None:
    """The bytes of one mail of a case; ``None`` where the case has no such mail."""
    row = session.scalars(select(MailRow).where(MailRow.id == mail_id, MailRow.case_id == case_id)).one_or_none()
    return None if row is None else mails.raw_bytes(session, row.sha256)


def reading_of(session: Session, case_id: int, mail_id: int) -> Reading | None:
    """One mail of a case as it was read; ``None`` where the case has no such mail, or it could not be read."""
    mine = select(MailRow.reading).where(MailRow.id == mail_id, MailRow.case_id == case_id)
    form = session.scalars(mine).one_or_none()
    return None if form is None else readings.parse_reading(form)


def letter(session: Session, case_id: int, letter_id: int) -> bytes | None:
    """The bytes of one letter of a case; ``None`` where the case has no such letter."""
    of_it = [case_id, *merged_into(session, case_id)]
    mine = select(OutboxRow.content).where(OutboxRow.id == letter_id, OutboxRow.case_id.in_(of_it))
    return session.scalars(mine).one_or_none()


def latest_facts(session: Session, most: int) -> list[tuple[str, dict[str, Any]]]:
    """The facts of the newest decisions, one a case, with the case's number."""
    newest = select(func.max(DecisionRow.id)).group_by(DecisionRow.case_id)
    rows = select(DecisionRow.case_id, DecisionRow.facts).where(DecisionRow.id.in_(newest))
    return [
        (number_of(case_id), facts)
        for case_id, facts in session.execute(rows.order_by(DecisionRow.id.desc()).limit(most))
    ]


def newest_raw(session: Session, case: CaseRow) -> bytes:
    """The newest mail of a case, byte for byte; empty where the server never gave it."""
    return mails.raw_bytes(session, mails.latest_of_case(session, case.id).sha256)


def _pages(items: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(items)
    while page := list(islice(rest, _PAGE)):
        yield page


def _next_limit(deadlines: Iterable[Deadline]) -> datetime:
    return min((deadline.limit_at for deadline in deadlines if deadline.met_at is None), default=_NEVER)


def _forms(
    session: Session, rows: Sequence[CaseRow], running: dict[int, list[Deadline]], now: datetime
) -> Iterator[dict[str, Any]]:
    ids = [row.id for row in rows]
    messages = _messages(session, ids)
    refunds = {
        row.case_id: row
        for row in session.scalars(select(RefundRow).where(RefundRow.case_id.in_(ids)).order_by(RefundRow.id))
    }
    for row in rows:
        form = _form(row, refunds.get(row.id), running.get(row.id, ()), now)
        yield form | {"messages": messages.get(row.id, [])}


def _form(row: CaseRow, refund: Any, deadlines: Sequence[Deadline], now: datetime) -> dict[str, Any]:
    return {
        "case": number_of(row.id),
        "state": row.state,
        "order_number": row.order_number,
        "customer": row.customer,
        "requested_at": row.requested_at.isoformat(),
        "outcome": row.outcome,
        "rule": row.rule,
        "escalation": row.escalation if row.state == CaseState.ESCALATED else None,
        "refund": _refund_form(refund),
        "deadlines": [_deadline_form(deadline, now) for deadline in deadlines],
        "subject": row.subject,
        "language": row.language,
        "sender_grade": row.grade,
        "assigned_to": row.assigned_to,
        "tracking": row.tracking,
        "version": row.version,
    }


def _refund_form(row: Any) -> dict[str, Any] | None:
    if row is None:
        return None
    amount = Money.from_minor(row.amount_minor, row.currency)
    return {"amount": str(amount), "currency": row.currency, "state": row.state}


def _deadline_form(deadline: Deadline, now: datetime) -> dict[str, Any]:
    state: DeadlineState = deadline.state(now)
    return {
        "kind": deadline.kind.value,
        "due": deadline.due_at.isoformat(),
        "limit": deadline.limit_at.isoformat(),
        "state": state.value,
    }


def _messages(session: Session, ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """Messages of these cases, in and out, in order of time."""
    received = select(MailRow.case_id, MailRow.message_id, MailRow.received_at).where(MailRow.case_id.in_(ids))
    queued = select(
        OutboxRow.case_id, OutboxRow.message_id, OutboxRow.created_at, OutboxRow.sent_at, OutboxRow.state
    ).where(OutboxRow.case_id.in_(ids))
    found = [
        (case_id or 0, at, _message_form("in", message_id, at, "received"))
        for case_id, message_id, at in session.execute(received)
    ]
    found += [
        (case_id or 0, sent_at or created_at, _message_form("out", message_id, sent_at or created_at, _told(state)))
        for case_id, message_id, created_at, sent_at, state in session.execute(queued)
    ]
    messages: dict[int, list[dict[str, Any]]] = {}
    for case_id, _, form in sorted(found, key=itemgetter(0, 1)):
        messages.setdefault(case_id, []).append(form)
    return messages


def _told(state: str) -> str:
    """A message's state in the words of CONTRACT.md."""
    return _MESSAGE_STATES.get(OutboxState(state), "queued")


def _message_form(direction: str, message_id: str | None, at: datetime, state: str) -> dict[str, Any]:
    return {"direction": direction, "message_id": message_id, "at": at.isoformat(), "state": state}
