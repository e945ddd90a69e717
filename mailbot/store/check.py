"""Proving the invariants of RELIABILITY.md on what is stored, as far as one database can show them."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.parser import BytesHeaderParser
from functools import cache
from typing import Any

import zstandard
from sqlalchemy import Select, func, or_, select, text
from sqlalchemy.orm import Session

from mailbot.act.plan import VERIFICATION
from mailbot.store import audit, history
from mailbot.store.cases import PROVEN_GRADES
from mailbot.store.invariants import INVARIANTS
from mailbot.store.outbox import MOST_A_CASE, MOST_AN_ADDRESS
from mailbot.store.privacy import ERASED
from mailbot.store.tables import MailRow, MailState, OutboxRow, OutboxState, RawMailRow

_PAGE = 200
_A_DAY = timedelta(hours=24)
_PROMISES = {"sqlite": {"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1"}}
_PROMISES["postgresql"] = {"synchronous_commit": "on", "fsync": "on", "full_page_writes": "on"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One invariant, how many things it was checked on, and on how many it does not hold."""

    invariant: str
    what: str
    checked: int
    broken: int


def check(session: Session, since: datetime | None = None) -> Iterator[Finding]:
    """Check every invariant that this database can show, in order.

    Args:
        session: a reading one.
        since: of mails and letters only those that are newer; ``None``: all, which takes a while with many.
    """
    found = [_raw_bytes(session, since), _letters(session, since), _rates(session, since), _histories(session)]
    found += [_trail(session), _durability(session)]
    counts = session.execute(_counts()).one()
    found += [
        Finding(invariant=each.name, what=each.what, checked=counts[2 * at], broken=counts[2 * at + 1])
        for at, each in enumerate(INVARIANTS)
    ]
    yield from sorted(found, key=lambda finding: int(finding.invariant[1:]))


@cache
def _counts() -> Select[Any]:
    """One statement that counts what every invariant is about, and what breaks it, in pairs."""
    rows = [asked for each in INVARIANTS for asked in (each.subjects(), each.offenders())]
    return select(*(select(func.count()).select_from(asked.subquery()).scalar_subquery() for asked in rows))


def _raw_bytes(session: Session, since: datetime | None) -> Finding:
    """I1: raw bytes match their SHA-256, and each mail has them or says why not."""
    checked = broken = 0
    unpack = zstandard.ZstdDecompressor()
    kept = select(RawMailRow.sha256, RawMailRow.size, RawMailRow.content)
    if since is not None:
        fresh = select(MailRow.sha256).where(MailRow.stored_at >= since)
        kept = kept.where(RawMailRow.sha256.in_(fresh))
    for sha256, size, content in session.execute(kept.execution_options(yield_per=_PAGE)):
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
    broken += len(session.scalars(unexplained).all())
    return Finding(
        invariant="I1", what="every mail has its bytes, and they are unchanged", checked=checked, broken=broken
    )


def _letters(session: Session, since: datetime | None) -> Finding:
    """I4: each letter's bytes name its one recipient and its Message-ID, and nobody in copy."""
    checked = broken = 0
    parser = BytesHeaderParser()
    kept = select(OutboxRow.recipient, OutboxRow.message_id, OutboxRow.content)
    if since is not None:
        kept = kept.where(OutboxRow.created_at >= since)
    for recipient, message_id, content in session.execute(kept.execution_options(yield_per=_PAGE)):
        checked += 1
        if not content and recipient.endswith("@erased.invalid"):
            continue  # a person's data that were erased
        header = parser.parsebytes(content)
        named = [*header.get_all("To", []), *header.get_all("Cc", []), *header.get_all("Bcc", [])]
        broken += named != [recipient] or header.get_all("Message-ID", []) != [message_id]
    return Finding(
        invariant="I4",
        what="every letter is frozen for its one recipient, nobody in copy",
        checked=checked,
        broken=broken,
    )


def _rates(session: Session, since: datetime | None) -> Finding:
    """I10: how many automatic letters a case, and an address, had been sent in 24 hours when each was allowed.

    In the order in which they were queued, which a clock that was put back does not change.
    """
    automatic = select(
        OutboxRow.case_id, OutboxRow.recipient, OutboxRow.grade, OutboxRow.template, OutboxRow.created_at
    ).where(OutboxRow.automatic, OutboxRow.case_id.is_not(None), OutboxRow.state != OutboxState.WITHDRAWN)
    if since is not None:
        automatic = automatic.where(OutboxRow.created_at >= since - _A_DAY)
    checked = broken = 0
    of_case: dict[int, list[datetime]] = defaultdict(list)
    to_address: dict[str, list[datetime]] = defaultdict(list)
    for case_id, recipient, grade, template, at in session.execute(
        automatic.order_by(OutboxRow.id).execution_options(yield_per=_PAGE)
    ):
        checked += 1
        proven = grade in PROVEN_GRADES
        counts = []
        for lately in (of_case[case_id or 0], to_address[recipient]):
            lately[:] = [*(sent for sent in lately if sent > at - _A_DAY), at]
            counts.append(len(lately))
        broken += counts[0] > MOST_A_CASE[proven] + (template == VERIFICATION) or counts[1] > MOST_AN_ADDRESS[proven]
    return Finding(
        invariant="I10", what="automatic letters stay within their rates a day", checked=checked, broken=broken
    )


def _histories(session: Session) -> Finding:
    checked = broken = 0
    for _, is_broken in history.broken_links(session):
        checked, broken = checked + 1, broken + is_broken
    return Finding(
        invariant="I11", what="the history of every case is whole and unchanged", checked=checked, broken=broken
    )


def _trail(session: Session) -> Finding:
    checked, broken = audit.count_broken(session)
    return Finding(
        invariant="I11", what="the trail of what people did is whole and unchanged", checked=checked, broken=broken
    )


def _durability(session: Session) -> Finding:
    """I14: the database makes durable what it says it has committed."""
    dialect = session.get_bind().dialect.name
    ask = "PRAGMA {}" if dialect == "sqlite" else "SHOW {}"
    wanted = _PROMISES[dialect]
    found = {name: str(session.execute(text(ask.format(name))).scalar()) for name in wanted}
    broken = sum(found[name] != wanted[name] for name in wanted)
    return Finding(invariant="I14", what="what is committed outlives a power cut", checked=len(wanted), broken=broken)
