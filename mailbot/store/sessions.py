"""Browsers that are signed in, and one-time links that sign one in; only hashes of tokens are kept."""

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from mailbot.store.tables import SessionRow

_LINK, _BROWSER = "link", "browser"
_LINK_LASTS = timedelta(hours=1)
_IDLE = timedelta(minutes=30)
_AT_MOST = timedelta(hours=12)


def make_link(session: Session, now: datetime) -> str:
    """A token that signs one browser in, once, within the hour."""
    return _add(session, _LINK, now, _LINK_LASTS)


def use_link(session: Session, token: str, now: datetime) -> str | None:
    """Trade a link's token for a browser's; ``None`` where it was used before, has expired or never was."""
    used = delete(SessionRow).where(
        SessionRow.token_hash == _hashed(token), SessionRow.kind == _LINK, SessionRow.expires_at > now
    )
    if session.scalar(used.returning(SessionRow.token_hash)) is None:
        return None
    return _add(session, _BROWSER, now, _AT_MOST)


def is_signed_in(session: Session, token: str, now: datetime) -> bool:
    """Whether a browser's token is good: 12 hours at most, and never 30 minutes unused."""
    seen = update(SessionRow).where(
        SessionRow.token_hash == _hashed(token),
        SessionRow.kind == _BROWSER,
        SessionRow.expires_at > now,
        SessionRow.seen_at > now - _IDLE,
    )
    return session.scalar(seen.values(seen_at=now).returning(SessionRow.token_hash)) is not None


def _add(session: Session, kind: str, now: datetime, lasts: timedelta) -> str:
    session.execute(delete(SessionRow).where(SessionRow.expires_at <= now))
    token = secrets.token_urlsafe(32)
    session.add(SessionRow(token_hash=_hashed(token), kind=kind, created_at=now, seen_at=now, expires_at=now + lasts))
    return token


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
