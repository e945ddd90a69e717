"""Invariants that one statement can show: what each is about, and the rows that break it. Source: RELIABILITY.md."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, func, not_, or_, select
from sqlalchemy.orm import aliased

from mailbot.act.plan import GENERIC, VERIFICATION
from mailbot.model.case import CaseState, ClockLevel
from mailbot.model.refund import RefundState
from mailbot.store.mails import MOST_ATTEMPTS, MOST_FETCHES
from mailbot.store.tables import (
    CaseRow,
    ClockRow,
    DecisionRow,
    MailRow,
    MailState,
    OrderRow,
    OutboxRow,
    OutboxState,
    PolicyRow,
    ProofRow,
    RefundRow,
)

_HASH_LENGTH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant:
    """One invariant as two questions.

    Attributes:
        subjects: all that it is about.
        offenders: what breaks it.
    """

    name: str
    what: str
    subjects: Callable[[], Select[Any]]
    offenders: Callable[[], Select[Any]]


def _unended() -> Select[int]:
    with_case = (MailState.HANDLED, MailState.PARKED)
    in_work = (MailState.STORED, MailState.PROCESSING)
    lost = and_(MailRow.state.in_(with_case), MailRow.case_id.is_(None))
    endless = or_(
        and_(MailRow.state.in_(in_work), MailRow.attempts > MOST_ATTEMPTS),
        and_(MailRow.state == MailState.FETCH_FAILED, MailRow.attempts > MOST_FETCHES),
    )
    forgotten = and_(MailRow.state.in_((MailState.FETCH_FAILED, MailState.PROCESSING)), MailRow.next_try_at.is_(None))
    return select(MailRow.id).where(or_(lost, endless, forgotten))


def _equal_content() -> Select[int]:
    """Copies that count as a case's mail, that copy nothing, or whose equal is a copy itself."""
    first = aliased(MailRow)
    copies = select(MailRow.id).outerjoin(first, first.id == MailRow.duplicate_of)
    astray = or_(MailRow.case_id.is_not(None), first.id.is_(None), first.duplicate_of.is_not(None))
    return copies.where(MailRow.duplicate_of.is_not(None), astray)


def _told_unproven() -> Select[int]:
    """Automatic letters of a case that the sender table does not allow for the grade stored with them."""
    allowed = or_(
        OutboxRow.grade.in_(("V2", "V3")),
        and_(OutboxRow.grade.in_(("V0", "V1", "VX")), OutboxRow.template == VERIFICATION),
        and_(OutboxRow.grade == "V0", OutboxRow.template == GENERIC),
    )
    mine = and_(OutboxRow.automatic, OutboxRow.case_id.is_not(None), OutboxRow.state != OutboxState.WITHDRAWN)
    return select(OutboxRow.id).where(mine, or_(OutboxRow.grade.is_(None), not_(allowed)))


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
        .outerjoin(PolicyRow, PolicyRow.version == DecisionRow.policy_version)
        .where(
            or_(
                DecisionRow.id.is_(None),
                PolicyRow.version.is_(None),
                RefundRow.approved_by == "",
                RefundRow.approved_by == RefundRow.second_approver,
            )
        )
    )


def _astray() -> Select[int]:
    """Refunds by another case's decision, in another currency than the order's, or of nothing."""
    return (
        select(RefundRow.id)
        .join(DecisionRow, DecisionRow.id == RefundRow.decision_id)
        .outerjoin(OrderRow, OrderRow.key == RefundRow.order_key)
        .where(
            or_(
                DecisionRow.case_id != RefundRow.case_id,
                OrderRow.currency != RefundRow.currency,
                RefundRow.amount_minor < 0,
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
    """Cases that wait for a person and that no clock has ever watched."""
    clocked = select(ClockRow.case_id)
    return select(CaseRow.id).where(CaseRow.state == CaseState.ESCALATED, CaseRow.id.not_in(clocked))


def _open_secrets() -> Select[int]:
    return select(ProofRow.id).where(
        or_(func.length(ProofRow.code_hash) != _HASH_LENGTH, func.length(ProofRow.link_hash) != _HASH_LENGTH)
    )


def _broken_lines() -> Select[int]:
    """Letters whose envelope or Message-ID could end a line of SMTP or of a header."""
    fields = (OutboxRow.recipient, OutboxRow.sender, OutboxRow.message_id)
    return select(OutboxRow.id).where(or_(*(each.contains(sign) for each in fields for sign in ("\r", "\n"))))


INVARIANTS: tuple[Invariant, ...] = (
    Invariant(
        name="I2",
        what="every mail has come to an end, has a next attempt, or is a person's",
        subjects=lambda: select(MailRow.id),
        offenders=_unended,
    ),
    Invariant(
        name="I3",
        what="equal content makes no second case",
        subjects=lambda: select(MailRow.id).where(MailRow.duplicate_of.is_not(None)),
        offenders=_equal_content,
    ),
    Invariant(
        name="I5",
        what="every automatic letter is one that the sender table allows for its grade",
        subjects=lambda: select(OutboxRow.id).where(OutboxRow.automatic),
        offenders=_told_unproven,
    ),
    Invariant(
        name="I6",
        what="refunds of an order stay within what was captured",
        subjects=lambda: select(RefundRow.id),
        offenders=_overpaid,
    ),
    Invariant(
        name="I7",
        what="every refund has a decision, its policy and an approver",
        subjects=lambda: select(RefundRow.id),
        offenders=_unapproved,
    ),
    Invariant(
        name="I8",
        what="every refund is its own case's, in its order's currency",
        subjects=lambda: select(RefundRow.id),
        offenders=_astray,
    ),
    Invariant(
        name="I9",
        what="every clock has its two levels, fired in their time",
        subjects=lambda: select(ClockRow.id),
        offenders=_lame_clocks,
    ),
    Invariant(
        name="I9",
        what="every case that waits for a person has a clock",
        subjects=lambda: select(CaseRow.id),
        offenders=_silent_cases,
    ),
    Invariant(
        name="I12",
        what="codes and links that prove a sender are kept as hashes only",
        subjects=lambda: select(ProofRow.id),
        offenders=_open_secrets,
    ),
    Invariant(
        name="I13",
        what="no letter's envelope or Message-ID can end a line",
        subjects=lambda: select(OutboxRow.id),
        offenders=_broken_lines,
    ),
)
