"""Cases and what happened to them: every change is an event, and every decision keeps all that it was made of."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, bindparam, insert, or_, select
from sqlalchemy.orm import Session, make_transient_to_detached

from mailbot.errors import InputError
from mailbot.model.case import UNDECIDED, CaseState, next_state
from mailbot.model.money import Money
from mailbot.store import history
from mailbot.store.prepared import Prepared
from mailbot.store.tables import CaseEventRow, CaseRow, DecisionRow, OrderRow, PolicyRow, table_of
from mailbot.store.upsert import insert_if_absent

PROVEN_GRADES = frozenset({"V2", "V3"})
"""Grades of senders who have proved to be an order's customer."""

_NUMBER = re.compile(r"\s*(?:RF-?)?0*(\d{1,12})\s*", re.ASCII | re.IGNORECASE)
_MOST_SUBJECT = 250


class CaseNotFoundError(InputError):
    """No case has this number."""

    def __init__(self, number: str) -> None:
        """Name the number as it was given."""
        super().__init__(f"there is no case {number!r}; mailbot case list shows them all")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One decision to keep, in JSON forms."""

    mail_id: int
    policy_version: str
    facts: dict[str, Any]
    decision: dict[str, Any]
    trace: list[Any]
    sender_why: str


def number_of(case_id: int) -> str:
    """A case's number as people see it: ``RF-000123``."""
    return f"RF-{case_id:06d}"


def get(session: Session, number: str, *, lock: bool = False) -> CaseRow:
    """A case by its number; ``RF-000123``, ``rf-123`` and ``123`` are the same.

    Raises:
        CaseNotFoundError: there is none.
    """
    match = _NUMBER.fullmatch(number)
    case_id = int(match[1]) if match else -1
    if lock:
        _lock_order(session, case_id)
    wanted = select(CaseRow).where(CaseRow.id == case_id)
    row = session.scalars(_locked(wanted) if lock else wanted).one_or_none()
    if row is None:
        raise CaseNotFoundError(number)
    return row


def open_case(
    session: Session, *, subject: str, customer: str | None, language: str | None, requested_at: datetime, now: datetime
) -> CaseRow:
    """A new case, in the state ``new``."""
    row = {
        "version": 1,
        "state": CaseState.NEW,
        "customer": customer,
        "language": language,
        "subject": subject[:_MOST_SUBJECT],
        "requested_at": requested_at,
        "opened_at": now,
        "changed_at": now,
        "history_head": history.BEGINNING,
    }
    with session.no_autoflush:  # no other row says anything about one that is not there yet
        case = CaseRow(**_EMPTY | row | {"id": _OPEN.first(session, **row).id})
    make_transient_to_detached(case)  # it is in the table already
    session.add(case)
    return case


def lock(session: Session, case_id: int) -> CaseRow:
    """A case that nobody else changes until this transaction ends.

    Everybody locks an order, then its cases, then their refunds, proofs and letters, so that nobody waits for one who
    waits for them.
    """
    _lock_order(session, case_id)
    return session.scalars(_locked(select(CaseRow).where(CaseRow.id == case_id))).one()


def lock_heir(session: Session, case_id: int) -> CaseRow:
    """The same, or the case that it became part of."""
    case = lock(session, case_id)
    return case if case.merged_into is None else lock_heir(session, case.merged_into)


def _lock_order(session: Session, case_id: int) -> None:
    """Lock a case's order before the case; SQLite has one writer at a time, and nothing to lock."""
    if session.get_bind().dialect.name != "sqlite":
        session.execute(_ORDER_OF, {"of_case": case_id})


def _locked(wanted: Select[CaseRow]) -> Select[CaseRow]:
    """As it is when the lock is had, and not as this session may have seen it before."""
    return wanted.with_for_update().execution_options(populate_existing=True)


_ORDER_OF = (
    select(OrderRow.key)
    .where(OrderRow.key == select(CaseRow.order_key).where(CaseRow.id == bindparam("of_case")).scalar_subquery())
    .with_for_update()
)
_CONTINUED = Prepared(
    select(CaseRow.id)
    .where(
        CaseRow.customer == bindparam("of_customer"),
        or_(
            and_(
                CaseRow.order_key == bindparam("of_order"),
                CaseRow.state != CaseState.CLOSED,
                CaseRow.grade.in_(sorted(PROVEN_GRADES)),
            ),
            and_(CaseRow.order_key.is_(None), CaseRow.state == CaseState.WAITING_FOR_INFORMATION),
        ),
    )
    .order_by(CaseRow.order_key.is_(None), CaseRow.id.desc())
    .limit(1)
    .with_for_update()
)
_EMPTY: dict[str, Any] = dict.fromkeys(column.key for column in table_of(CaseRow).c)
_OPEN = Prepared(
    insert(table_of(CaseRow)).returning(table_of(CaseRow).c.id),
    (
        *("version", "state", "customer", "language", "subject"),
        *("requested_at", "opened_at", "changed_at", "history_head"),
    ),
)
_ADD_EVENT = Prepared(
    insert(table_of(CaseEventRow)).inline(),
    ("case_id", "at", "actor", "kind", "from_state", "to_state", "detail", "hash"),
)
_ADD_DECISION = Prepared(
    insert(table_of(DecisionRow)).returning(table_of(DecisionRow).c.id),
    ("case_id", "mail_id", "decided_at", "policy_version", "facts", "decision", "trace", "sender_why"),
)


def find_continued(session: Session, order_key: str, customer: str) -> CaseRow | None:
    """The newest open case of this customer about this order whose writer is proven.

    Where there is none: their newest case that waits to be told which order it is about.
    """
    found = _CONTINUED.first(session, of_order=order_key, of_customer=customer)
    return None if found is None else lock(session, found.id)


def find_open_of(session: Session, customer: str) -> CaseRow | None:
    """The newest open case that corresponds with this address."""
    mine = select(CaseRow).where(CaseRow.customer == customer, CaseRow.state != CaseState.CLOSED)
    return session.scalars(_locked(mine.order_by(CaseRow.id.desc()).limit(1))).one_or_none()


def quiet_since(session: Session, state: CaseState, moment: datetime) -> list[int]:
    """Ids of the cases in a state to which nothing has happened since then."""
    quiet = select(CaseRow.id).where(CaseRow.state == state, CaseRow.changed_at <= moment)
    return list(session.scalars(quiet.order_by(CaseRow.id)))


def record_event(
    session: Session, case: CaseRow, kind: str, now: datetime, *, actor: str = "mailbot", **detail: Any
) -> None:
    """Add to a case's history what happened without changing its state."""
    _add_event(session, case, kind, now, actor=actor, detail=detail)


def has_event(session: Session, case_id: int, kind: str) -> bool:
    """Whether something of this kind has happened to a case."""
    found = select(CaseEventRow.id).where(CaseEventRow.case_id == case_id, CaseEventRow.kind == kind)
    return session.scalar(found.limit(1)) is not None


def move(
    session: Session,
    case: CaseRow,
    to: CaseState,
    kind: str,
    now: datetime,
    *,
    why: str,
    actor: str = "mailbot",
    **detail: Any,
) -> None:
    """Bring a case to another state, with who and why; a case that a person gets keeps in mind where it stood.

    Raises:
        IllegalTransitionError: its state does not lead there.
    """
    before = CaseState(case.state)
    case.state = next_state(number_of(case.id), before, to)
    if to is not CaseState.ESCALATED:
        case.stood = None
    elif before not in {CaseState.ESCALATED, CaseState.REOPENED, *UNDECIDED}:
        case.stood = before
    _add_event(session, case, kind, now, actor=actor, detail={"why": why, **detail}, from_state=before, to_state=to)


def _add_event(
    session: Session,
    case: CaseRow,
    kind: str,
    now: datetime,
    *,
    actor: str,
    detail: dict[str, Any],
    from_state: CaseState | None = None,
    to_state: CaseState | None = None,
) -> None:
    case.version, case.changed_at = case.version + 1, now
    event = {
        "case_id": case.id,
        "at": now,
        "actor": actor,
        "kind": kind,
        "from_state": from_state,
        "to_state": to_state,
        "detail": detail,
    }
    case.history_head = history.link(case.history_head, event)
    _ADD_EVENT.run(session, event | {"hash": case.history_head})


def record_policy(session: Session, version: str, content: str, timezone: str, now: datetime) -> None:
    """Keep a policy whole before it decides anything."""
    row = {"version": version, "content": content, "timezone": timezone, "first_used_at": now}
    insert_if_absent(session, PolicyRow, row)


def get_policy(session: Session, version: str) -> PolicyRow:
    """A policy that decided something, as it stood then."""
    return session.get_one(PolicyRow, version)


def record_decision(session: Session, case: CaseRow, record: Record, now: datetime) -> int:
    """Keep a decision with all that it was made of, and make it the case's present one.

    Returns:
        The decision's id.
    """
    decision = record.decision
    case.outcome, case.rule, case.escalation = decision["outcome"], decision["rule"], decision["escalation"]
    _note_sum(case, decision["settlement"] or (decision["proposal"] or {}).get("settlement"))
    row = {
        "case_id": case.id,
        "mail_id": record.mail_id,
        "decided_at": now,
        "policy_version": record.policy_version,
        "facts": record.facts,
        "decision": decision,
        "trace": record.trace,
        "sender_why": record.sender_why,
    }
    return int(_ADD_DECISION.first(session, **row).id)


def _note_sum(case: CaseRow, settlement: dict[str, str] | None) -> None:
    """Keep the sum that the present decision is about with the case, for lists that sort and filter by it."""
    refund = None if settlement is None else Money.parse(settlement["refund"], settlement["currency"])
    case.sum_minor, case.sum_currency = (None, None) if refund is None else (refund.minor, refund.currency)


def latest_decision(session: Session, case_id: int) -> DecisionRow | None:
    """The case's present decision."""
    mine = select(DecisionRow).where(DecisionRow.case_id == case_id)
    return session.scalars(mine.order_by(DecisionRow.id.desc()).limit(1)).one_or_none()
