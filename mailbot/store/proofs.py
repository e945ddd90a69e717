"""Questions to orders' addresses on file, whether a mail was their own; codes are kept hashed. Source: sender table."""

from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from mailbot.store.tables import ProofRow

_MOST_TRIES = 5
_MOST_AN_ORDER = 3
_A_DAY = timedelta(hours=24)


def may_ask(session: Session, order_key: str, now: datetime) -> bool:
    """Whether an order's address may be asked again: once in 24 hours, three times in all."""
    asked = select(func.count(), func.max(ProofRow.asked_at)).where(ProofRow.order_key == order_key)
    times, last = session.execute(asked).one()
    return times == 0 or (times < _MOST_AN_ORDER and last + _A_DAY <= now)


def record_asked(
    session: Session,
    case_id: int,
    order_key: str,
    now: datetime,
    *,
    code_hash: str,
    link_hash: str | None,
    expires_at: datetime,
) -> None:
    """Note that the address was sent a code, and a link where there is a page for it to lead to."""
    session.add(
        ProofRow(
            case_id=case_id,
            order_key=order_key,
            code_hash=code_hash,
            link_hash=link_hash,
            asked_at=now,
            expires_at=expires_at,
            tries=0,
        )
    )


def proven_until(session: Session, case_id: int) -> datetime | None:
    """When a code of this case was last given back; ``None``: never."""
    return session.scalar(select(func.max(ProofRow.used_at)).where(ProofRow.case_id == case_id))


def find_case(session: Session, link_hash: str) -> int | None:
    """The id of the case that a link was made for; ``None`` where it is none of ours."""
    return session.scalar(select(ProofRow.case_id).where(ProofRow.link_hash == link_hash))


def use_link(session: Session, link_hash: str, now: datetime) -> ProofRow | None:
    """Use up a link, once and in time; ``None`` where it is none of ours, was used, or has expired."""
    used = update(ProofRow).where(
        ProofRow.link_hash == link_hash, ProofRow.used_at.is_(None), ProofRow.expires_at > now
    )
    return session.scalar(used.values(used_at=now).returning(ProofRow))


def use_code(session: Session, case_id: int, code_hashes: frozenset[str], now: datetime) -> str | None:
    """Use up the case's code if it is among these; a wrong try counts, and after five the code is worth nothing.

    Returns:
        The key of the order whose mail the sender has now proved to read; ``None``: of none.
    """
    if not code_hashes:
        return None
    live = select(ProofRow).where(
        ProofRow.case_id == case_id,
        ProofRow.used_at.is_(None),
        ProofRow.expires_at > now,
        ProofRow.tries < _MOST_TRIES,
    )
    for row in session.scalars(live.with_for_update()):
        if row.code_hash in code_hashes:
            row.used_at = now
            return row.order_key
        row.tries += 1
    return None
