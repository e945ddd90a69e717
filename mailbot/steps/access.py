"""What a mailbox signs in with where its provider takes no passwords: a fresh access token, refreshed in time (P7)."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from mailbot.errors import PermanentError
from mailbot.model.expiry import Expiry
from mailbot.oauth import Client, Tokens
from mailbot.settings import Settings
from mailbot.store import expiries, sealing, tokens
from mailbot.store.transaction import reading, transaction

_SPARE = timedelta(minutes=2)

Refresh = Callable[[Client, str], Tokens]
"""Asks the provider for a fresh access token."""


class NotSignedInError(PermanentError):
    """Nobody has signed this mailbox in, or its provider takes the sign-in no longer."""

    def __init__(self, mailbox: str, why: str) -> None:
        """Keep the mailbox's name."""
        self.mailbox = mailbox
        super().__init__(f"mailbox {mailbox}: {why}; run mailbot auth login {mailbox}")


class AccessToken:
    """One mailbox's access token; the call gives one that is good for at least two minutes. For any thread."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        mailbox: str,
        client: Callable[[], Client],
        *,
        clock: Callable[[], datetime],
        refresh: Refresh,
    ) -> None:
        """Ask nobody yet."""
        self._engine, self._key, self._mailbox = engine, settings.secrets.key_path, mailbox
        self._client, self._clock, self._refresh = client, clock, refresh
        self._one_at_a_time = threading.Lock()
        self._access, self._good_until = "", datetime.min.replace(tzinfo=clock().tzinfo)

    def __call__(self) -> str:
        """The access token.

        Raises:
            NotSignedInError: a person must sign in.
            RetryableError: the provider is not there now.
        """
        with self._one_at_a_time:
            if self._clock() + _SPARE >= self._good_until:
                self._renew()
            return self._access

    def _renew(self) -> None:
        """Get a fresh one; a refresh token that the provider rotated is committed before anything is used (P7)."""
        with reading(self._engine) as session:
            kept = tokens.find(session, self._key, self._mailbox)
        if kept is None:
            raise NotSignedInError(self._mailbox, "nobody has signed it in")
        now = self._clock()
        try:
            given = self._refresh(self._client(), kept)
        except PermanentError as refused:
            raise NotSignedInError(self._mailbox, str(refused)) from None
        if given.refresh is not None and given.refresh != kept:
            with transaction(self._engine, "tokens.rotated") as session:
                tokens.put(session, self._key, self._mailbox, given.refresh, now)
                _note_end(session, self._mailbox, given, now)
        self._access, self._good_until = given.access, now + timedelta(seconds=given.lasts)


def keep_sign_in(engine: Engine, settings: Settings, mailbox: str, given: Tokens, now: datetime) -> None:
    """Keep what a person's sign-in brought.

    Raises:
        PermanentError: the provider gave nothing to keep.
    """
    if given.refresh is None:
        raise PermanentError("sign-in: the provider gave no refresh token; allow offline access and sign in again")
    sealing.make_key(settings.secrets.key_path)
    with transaction(engine, "tokens.kept") as session:
        tokens.put(session, settings.secrets.key_path, mailbox, given.refresh, now)
        _note_end(session, mailbox, given, now)


def _note_end(session: Session, mailbox: str, given: Tokens, now: datetime) -> None:
    """Keep how long a sign-in is good for, so that somebody is warned in time (P7)."""
    what = f"sign-in/{mailbox}"
    if given.refresh_lasts is None:
        expiries.forget(session, what)
    else:
        expiries.put(session, Expiry(what=what, since=now, until=now + timedelta(seconds=given.refresh_lasts)))
