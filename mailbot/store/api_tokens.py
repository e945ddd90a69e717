"""Tokens for scripts: made once, kept hashed, ended at any time; each has the grants of one role."""

import hashlib
import secrets
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailbot.errors import InputError
from mailbot.model.people import Role
from mailbot.store.desk_tables import ApiTokenRow
from mailbot.store.sessions import SignedIn

_MARK = "mbt_"


def make(session: Session, name: str, role: Role, made_by: str, now: datetime) -> str:
    """A new token; it is shown this once.

    Raises:
        InputError: the name is taken or empty.
    """
    name = name.strip()[:60]
    if not name or session.scalar(select(ApiTokenRow.id).where(ApiTokenRow.name == name)) is not None:
        raise InputError(f"a token needs a name of its own; {name!r} is none or taken")
    token = _MARK + secrets.token_urlsafe(32)
    session.add(ApiTokenRow(name=name, role=role, token_hash=_hashed(token), made_by=made_by, made_at=now))
    return token


def all_tokens(session: Session) -> list[ApiTokenRow]:
    """Every token that was not ended, by name."""
    return list(session.scalars(select(ApiTokenRow).where(ApiTokenRow.ended_at.is_(None)).order_by(ApiTokenRow.name)))


def end(session: Session, token_id: int, now: datetime) -> None:
    """Let a token in no longer."""
    row = session.get(ApiTokenRow, token_id)
    if row is not None:
        row.ended_at = now


def find(session: Session, token: str, now: datetime) -> SignedIn | None:
    """Who a token stands for; ``None`` where nobody gave it out, or it was ended."""
    mine = select(ApiTokenRow).where(ApiTokenRow.token_hash == _hashed(token), ApiTokenRow.ended_at.is_(None))
    row = session.scalars(mine).one_or_none()
    if row is None:
        return None
    row.used_at = now
    return SignedIn(user_id=0, name=f"token {row.name}", role=Role(row.role), session=row.token_hash, enrolled=True)


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
