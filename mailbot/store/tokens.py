"""Refresh tokens of mailboxes that sign in by OAuth, encrypted by a key that lies outside the database."""

import os
from datetime import datetime
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailbot.errors import InputError
from mailbot.store.tables import OAuthTokenRow
from mailbot.store.upsert import upsert_all


class SealError(InputError):
    """The key file is missing, or is not the one that a token was encrypted with."""


def make_key(file: Path) -> None:
    """Make the key file, readable by its owner only; one that is there stays as it is."""
    try:
        number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    except OSError as problem:
        raise SealError(f"[secrets] key_file {file}: {problem.strerror}") from None
    with os.fdopen(number, "wb") as opened:
        opened.write(Fernet.generate_key())
        opened.flush()
        os.fsync(opened.fileno())


def put(session: Session, file: Path, mailbox: str, token: str, now: datetime) -> None:
    """Keep a mailbox's refresh token, in place of the one before.

    Raises:
        SealError: the key file is missing or no key.
    """
    sealed = _lock(file).encrypt(token.encode("utf-8"))
    upsert_all(session, OAuthTokenRow, [{"mailbox": mailbox, "sealed": sealed, "stored_at": now}])


def find(session: Session, file: Path, mailbox: str) -> str | None:
    """A mailbox's refresh token; ``None`` where nobody has signed in.

    Raises:
        SealError: the key file is missing, or the token was encrypted with another key.
    """
    sealed = session.scalar(select(OAuthTokenRow.sealed).where(OAuthTokenRow.mailbox == mailbox))
    if sealed is None:
        return None
    try:
        return _lock(file).decrypt(sealed).decode("utf-8")
    except InvalidToken:
        raise SealError(f"[secrets] key_file {file} is not the key that the sign-in of {mailbox} is kept by") from None


def _lock(file: Path) -> Fernet:
    try:
        return Fernet(file.read_bytes())
    except OSError as problem:
        raise SealError(f"[secrets] key_file {file}: {problem.strerror}; mailbot auth login makes it") from None
    except ValueError:
        raise SealError(f"[secrets] key_file {file} holds no key") from None
