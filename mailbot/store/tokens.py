"""Refresh tokens of mailboxes that sign in by OAuth, encrypted by a key that lies outside the database."""

from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailbot.store.sealing import seal, unseal
from mailbot.store.tables import OAuthTokenRow
from mailbot.store.upsert import upsert_all


def put(session: Session, file: Path, mailbox: str, token: str, now: datetime) -> None:
    """Keep a mailbox's refresh token, in place of the one before.

    Raises:
        SealError: the key file is missing or no key.
    """
    upsert_all(session, OAuthTokenRow, [{"mailbox": mailbox, "sealed": seal(file, token), "stored_at": now}])


def find(session: Session, file: Path, mailbox: str) -> str | None:
    """A mailbox's refresh token; ``None`` where nobody has signed in.

    Raises:
        SealError: the key file is missing, or the token was encrypted with another key.
    """
    sealed = session.scalar(select(OAuthTokenRow.sealed).where(OAuthTokenRow.mailbox == mailbox))
    return None if sealed is None else unseal(file, sealed, f"the sign-in of {mailbox}")
