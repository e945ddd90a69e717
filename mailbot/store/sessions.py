"""Browsers that are signed in, and one-time links that let one in; only hashes of tokens are kept."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from mailbot.model.people import Role
from mailbot.store.desk_tables import SessionRow, UserRow

_IDLE = timedelta(minutes=30)
_SEEN_EVERY = timedelta(minutes=1)
AT_MOST = timedelta(hours=12)
_MOST_AGENT = 200


class Link(StrEnum):
    """What a one-time link is for."""

    SIGN_IN = "link"
    INVITATION = "invitation"
    FIRST_ADMIN = "first_admin"
    PROVIDER = "provider"


class By(StrEnum):
    """What a browser was signed in by: a password or link of ours, or the word of the shop's identity provider."""

    OURSELVES = "browser"
    PROVIDER = "vouched"


_LASTS = {
    Link.SIGN_IN: timedelta(hours=1),
    Link.INVITATION: timedelta(hours=72),
    Link.FIRST_ADMIN: timedelta(hours=1),
    Link.PROVIDER: timedelta(minutes=10),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Somebody who is signed in.

    Attributes:
        enrolled: the authenticator is set up, or not needed: the person came by a link and has no password, or the
            shop's identity provider vouches for them.
    """

    user_id: int
    name: str
    role: Role
    session: str
    enrolled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Browser:
    """One browser that somebody is signed in with, as the page of sessions shows it."""

    session: str
    name: str
    agent: str
    created_at: datetime
    seen_at: datetime
    by: By


def make_link(session: Session, link: Link, user_id: int | None, now: datetime) -> str:
    """A token that lets one browser in, once, within its time."""
    return _add(session, link, user_id, now, lasts=_LASTS[link])


def find_link(session: Session, token: str, link: Link, now: datetime) -> SessionRow | None:
    """A link that could still be used."""
    mine = select(SessionRow).where(
        SessionRow.token_hash == _hashed(token), SessionRow.kind == link, SessionRow.expires_at > now
    )
    return session.scalars(mine).one_or_none()


def use_link(session: Session, token: str, link: Link, now: datetime) -> SessionRow | None:
    """Use a link up; ``None`` where it was used before, has expired or never was."""
    used = delete(SessionRow).where(
        SessionRow.token_hash == _hashed(token), SessionRow.kind == link, SessionRow.expires_at > now
    )
    row: SessionRow | None = session.scalar(used.returning(SessionRow))
    return row


def sign_in(session: Session, user_id: int, agent: str, now: datetime, by: By) -> str:
    """A new token for a browser that somebody signs in with."""
    return _add(session, by, user_id, now, lasts=AT_MOST, agent=agent)


def find_signed_in(session: Session, token: str, now: datetime) -> SignedIn | None:
    """Who a browser's token stands for: 12 hours at most, never 30 minutes unused, nobody who is disabled."""
    mine = (SessionRow.token_hash == _hashed(token), SessionRow.kind.in_(By))
    fresh = (SessionRow.expires_at > now, SessionRow.seen_at > now - _IDLE, UserRow.disabled_at.is_(None))
    found = session.execute(
        select(UserRow, SessionRow.seen_at, SessionRow.kind)
        .join(SessionRow, SessionRow.user_id == UserRow.id)
        .where(*mine, *fresh)
    ).one_or_none()
    if found is None:
        return None
    user, seen_at, kind = found
    if seen_at <= now - _SEEN_EVERY:  # a page need not wait for the disk to be looked at
        session.execute(update(SessionRow).where(*mine).values(seen_at=now))
    return SignedIn(
        user_id=user.id,
        name=user.name,
        role=Role(user.role),
        session=_hashed(token),
        enrolled=kind == By.PROVIDER or user.password_hash is None or user.has_code,
    )


def browsers(session: Session, user_id: int | None, now: datetime) -> list[Browser]:
    """The browsers that somebody is signed in with; ``None``: everybody's."""
    open_ = select(SessionRow, UserRow.name).join(UserRow, UserRow.id == SessionRow.user_id)
    open_ = open_.where(SessionRow.kind.in_(By), SessionRow.expires_at > now, SessionRow.seen_at > now - _IDLE)
    if user_id is not None:
        open_ = open_.where(SessionRow.user_id == user_id)
    return [
        Browser(
            session=row.token_hash,
            name=name,
            agent=row.agent or "",
            created_at=row.created_at,
            seen_at=row.seen_at,
            by=By(row.kind),
        )
        for row, name in session.execute(open_.order_by(SessionRow.seen_at.desc()))
    ]


def end(session: Session, token_hash: str, user_id: int | None) -> None:
    """End one session of somebody's; ``None``: whoever's it is."""
    mine = delete(SessionRow).where(SessionRow.token_hash == token_hash, SessionRow.kind.in_(By))
    session.execute(mine if user_id is None else mine.where(SessionRow.user_id == user_id))


def end_all_of(session: Session, user_id: int) -> None:
    """End every session and link of somebody's."""
    session.execute(delete(SessionRow).where(SessionRow.user_id == user_id))


def _add(
    session: Session, kind: str, user_id: int | None, now: datetime, *, lasts: timedelta, agent: str | None = None
) -> str:
    session.execute(delete(SessionRow).where(SessionRow.expires_at <= now))
    token = secrets.token_urlsafe(32)
    session.add(
        SessionRow(
            token_hash=_hashed(token),
            kind=kind,
            user_id=user_id,
            agent=None if agent is None else "".join(sign for sign in agent if sign.isprintable())[:_MOST_AGENT],
            created_at=now,
            seen_at=now,
            expires_at=now + lasts,
        )
    )
    return token


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
