"""People of the console: added, found, given a role, disabled; and how often somebody failed to sign in."""

import hashlib
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from mailbot.errors import InputError
from mailbot.model.people import Role
from mailbot.store import sealing, sessions
from mailbot.store.desk_tables import SignInFailureRow, UserRow
from mailbot.store.prepared import Prepared

_MOST_FAILURES = 5
_FAILURES_COUNT = timedelta(minutes=15)
_MOST_NAME = 120
_NAMES = Prepared(select(UserRow.name).where(UserRow.disabled_at.is_(None)).order_by(UserRow.name))


class UserError(InputError):
    """An account that is not there, is there already, or has no possible name."""


def add(session: Session, name: str, role: Role, now: datetime) -> UserRow:
    """Add a person who has no password yet.

    Raises:
        UserError: the name is taken or no name.
    """
    name = clean_name(name)
    if find(session, name) is not None:
        raise UserError(f"user {name!r} is there already; mailbot user list shows all")
    row = UserRow(name=name, role=role, code_step=0, created_at=now)
    session.add(row)
    session.flush()
    return row


def invite(session: Session, name: str, role: Role, now: datetime) -> UserRow:
    """Somebody who is invited, for the first time or anew; who was known by the identity provider is no longer.

    Raises:
        UserError: the name is no name, or that of somebody who is disabled.
    """
    row = find(session, name) or add(session, name, role, now)
    if row.disabled_at is not None:
        raise UserError(f"{row.name} is disabled; choose another name")
    row.provider_subject = None
    return row


def vouched_for(session: Session, name: str, subject: str) -> UserRow:
    """The person whom the shop's identity provider vouches for: invited by that name, and always the same account.

    Names are given again, accounts are not: the account that first came in is kept until the person is invited anew.

    Raises:
        UserError: nobody of that name was invited, or another account came in by it.
    """
    row = session.scalars(select(UserRow).where(UserRow.name == name).with_for_update()).one_or_none()
    if row is None or row.disabled_at is not None:
        raise UserError("nobody was invited to this console by the name of that account; ask an admin for it")
    if row.provider_subject not in {None, subject}:
        raise UserError("another account has come in by that name before; ask an admin for a new invitation")
    row.provider_subject = subject
    return row


def clean_name(name: str) -> str:
    """A name as it is compared: without outer spaces, in lower case.

    Raises:
        UserError: it is empty, too long, or holds characters that do not print.
    """
    name = name.strip().lower()
    if not 0 < len(name) <= _MOST_NAME or not name.isprintable():
        raise UserError("the name is empty, longer than 120 characters, or does not print; use an e-mail address")
    return name


def find(session: Session, name: str) -> UserRow | None:
    """A person by the name that they sign in with."""
    return session.scalars(select(UserRow).where(UserRow.name == name.strip().lower())).one_or_none()


def get(session: Session, name: str) -> UserRow:
    """A person by name.

    Raises:
        UserError: there is none.
    """
    row = find(session, name)
    if row is None:
        raise UserError(f"there is no user {name!r}; mailbot user list shows all")
    return row


def all_users(session: Session) -> list[UserRow]:
    """Everybody, by name."""
    return list(session.scalars(select(UserRow).order_by(UserRow.name)))


def names(session: Session) -> list[str]:
    """The names of everybody who can be given work."""
    return [row.name for row in _NAMES.all(session)]


def is_empty(session: Session) -> bool:
    """Whether nobody was ever added."""
    return session.scalar(select(UserRow.id).limit(1)) is None


def disable(session: Session, name: str, now: datetime) -> None:
    """Let somebody in no longer, and end their sessions now; the last admin stays.

    Raises:
        UserError: there is no such person, or no other admin.
    """
    row = get(session, name)
    _keep_an_admin(session, row)
    row.disabled_at = row.disabled_at or now
    sessions.end_all_of(session, row.id)


def set_role(session: Session, name: str, role: Role) -> None:
    """Give somebody another role; their sessions end, so that it holds at once.

    Raises:
        UserError: there is no such person, or no other admin.
    """
    row = get(session, name)
    if role is not Role.ADMIN:
        _keep_an_admin(session, row)
    row.role = role
    sessions.end_all_of(session, row.id)


def _keep_an_admin(session: Session, row: UserRow) -> None:
    others = select(func.count()).where(UserRow.role == Role.ADMIN, UserRow.disabled_at.is_(None), UserRow.id != row.id)
    if row.role == Role.ADMIN and row.disabled_at is None and not session.scalars(others).one():
        raise UserError(f"{row.name} is the only admin; make another first, so that somebody can look after the rest")


def keep_code_key(row: UserRow, file: Path, key: str) -> None:
    """Keep the key of somebody's authenticator, encrypted by the key file, which is made if there is none.

    Raises:
        SealError: the file cannot be made, or holds no key.
    """
    sealing.make_key(file)
    row.code_sealed, row.code_key = sealing.seal(file, key), None


def code_key_of(row: UserRow, file: Path) -> str | None:
    """The key of somebody's authenticator; ``None`` where none is set up.

    Raises:
        SealError: the key file is missing, or is another one; the person must be invited anew.
    """
    if row.code_sealed is None:
        return row.code_key
    return sealing.unseal(file, row.code_sealed, f"the authenticator of {row.name}")


def record_failure(session: Session, subjects: tuple[str, ...], now: datetime) -> None:
    """Count a failed sign-in against an account and an address; those too old to matter are forgotten."""
    session.execute(delete(SignInFailureRow).where(SignInFailureRow.at <= now - _FAILURES_COUNT))
    session.add_all(SignInFailureRow(subject=_hashed(subject), at=now) for subject in subjects)


def is_throttled(session: Session, subjects: tuple[str, ...], now: datetime) -> bool:
    """Whether one of these failed five times within 15 minutes."""
    recent = select(func.count()).where(
        SignInFailureRow.subject.in_([_hashed(subject) for subject in subjects]),
        SignInFailureRow.at > now - _FAILURES_COUNT,
    )
    most = session.scalars(recent.group_by(SignInFailureRow.subject).order_by(func.count().desc()).limit(1)).first()
    return (most or 0) >= _MOST_FAILURES


def forget_failures(session: Session, subject: str) -> None:
    """Somebody has got in; their earlier slips no longer count."""
    session.execute(delete(SignInFailureRow).where(SignInFailureRow.subject == _hashed(subject)))


def _hashed(subject: str) -> str:
    return hashlib.sha256(subject.encode("utf-8", "surrogatepass")).hexdigest()
