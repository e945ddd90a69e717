"""Proving the invariants of RELIABILITY.md on what is stored, as far as one database can show them."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import zstandard
from sqlalchemy import Select, and_, func, not_, or_, select
from sqlalchemy.orm import Session

from mailbot.act.plan import GENERIC, VERIFICATION
from mailbot.model.case import CaseState, ClockLevel
from mailbot.model.refund import RefundState
from mailbot.store.mails import MOST_FETCHES
from mailbot.store.privacy import ERASED
from mailbot.store.tables import (
    CaseRow,
    ClockRow,
    DecisionRow,
    MailRow,
    MailState,
    OrderRow,
    OutboxRow,
    RawMailRow,
    RefundRow,
)

_PAGE = 200
Query = Callable[[], Select[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One invariant, how many things it was checked on, and on how many it does not hold."""

    invariant: str
    what: str
    checked: int
    broken: int


def check(session: Session) -> Iterator[Finding]:
    """Check every invariant that this database can show."""
    yield _raw_bytes(session)
    for invariant, what, subjects, offenders in _COUNTS:
        yield Finding(
            invariant=invariant, what=what, checked=_count(session, subjects()), broken=_count(session, offenders())
        )


def _raw_bytes(session: Session) -> Finding:
    """I1: raw bytes match their SHA-256, and each mail has them or says why not."""
    checked = broken = 0
    unpack = zstandard.ZstdDecompressor()
    rows = session.execute(
        select(RawMailRow.sha256, RawMailRow.size, RawMailRow.content).execution_options(yield_per=_PAGE)
    )
    for sha256, size, content in rows:
        checked += 1
        try:
            whole = unpack.decompress(content, max_output_size=size)
        except zstandard.ZstdError:
            whole = b""
        broken += hashlib.sha256(whole).hexdigest() != sha256
    unexplained = select(MailRow.id).where(
        MailRow.sha256.is_(None),
        MailRow.state.not_in([MailState.FETCH_FAILED, MailState.PARKED]),
        or_(MailRow.problem.is_(None), MailRow.problem != ERASED),
    )
    broken += _count(session, unexplained)
    return Finding(
        invariant="I1", what="every mail has its bytes, and they are unchanged", checked=checked, broken=broken
    )


def _count(session: Session, rows: Select[Any]) -> int:
    return session.scalars(select(func.count()).select_from(rows.subquery())).one()


def _unended() -> Select[int]:
    with_case = (MailState.HANDLED, MailState.PARKED)
    to_do = (MailState.FETCH_FAILED, MailState.STORED, MailState.PROCESSING)
    lost = and_(MailRow.state.in_(with_case), MailRow.case_id.is_(None))
    endless = and_(MailRow.state.in_(to_do), MailRow.attempts > MOST_FETCHES)
    return select(MailRow.id).where(or_(lost, endless))


def _equal_content() -> Select[int]:
    copy = and_(MailRow.duplicate_of.is_not(None), MailRow.case_id.is_not(None))
    return select(MailRow.id).where(copy)


def _told_unproven() -> Select[int]:
    """Automatic letters of a case that tell of an order, though their recipient was not proven."""
    proven = OutboxRow.grade.in_(("V2", "V3"))
    tells = OutboxRow.template.not_in((GENERIC, VERIFICATION))
    return select(OutboxRow.id).where(OutboxRow.automatic, OutboxRow.case_id.is_not(None), not_(proven), tells)


def _overpaid() -> Select[str]:
    return (
        select(RefundRow.order_key)
        .join(OrderRow, OrderRow.key == RefundRow.order_key)
        .where(RefundRow.state != RefundState.CANCELLED)
        .group_by(RefundRow.order_key, OrderRow.captured_minor)
        .having(func.sum(RefundRow.amount_minor) > OrderRow.captured_minor)
    )


def _unapproved() -> Select[int]:
    return (
        select(RefundRow.id)
        .outerjoin(DecisionRow, DecisionRow.id == RefundRow.decision_id)
        .where(
            or_(
                DecisionRow.id.is_(None),
                RefundRow.approved_by == "",
                RefundRow.approved_by == RefundRow.second_approver,
            )
        )
    )


def _lame_clocks() -> Select[int]:
    """Clocks without both levels, and levels that fired before their time."""
    return (
        select(ClockRow.case_id)
        .group_by(ClockRow.case_id, ClockRow.kind, ClockRow.round)
        .having(or_(func.count() != len(ClockLevel), func.count().filter(ClockRow.fired_at < ClockRow.due_at) > 0))
    )


def _silent_cases() -> Select[int]:
    """Cases that wait for a person and that no clock watches."""
    clocked = select(ClockRow.case_id)
    return select(CaseRow.id).where(CaseRow.state == CaseState.ESCALATED, CaseRow.id.not_in(clocked))


_COUNTS: tuple[tuple[str, str, Query, Query], ...] = (
    ("I2", "every mail has come to an end, has a next attempt, or is a person's", lambda: select(MailRow.id), _unended),
    ("I3", "equal content makes no second case", lambda: select(MailRow.id), _equal_content),
    ("I5", "automatic letters about orders went to proven senders only", lambda: select(OutboxRow.id), _told_unproven),
    ("I6", "refunds of an order stay within what was captured", lambda: select(RefundRow.id), _overpaid),
    ("I7", "every refund has a decision and an approver", lambda: select(RefundRow.id), _unapproved),
    ("I9", "every clock has its two levels, fired in their time", lambda: select(ClockRow.id), _lame_clocks),
    ("I9", "every case that waits for a person has a clock", lambda: select(CaseRow.id), _silent_cases),
)
