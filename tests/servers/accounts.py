"""One fresh IMAP account of a test, and what another mail program of its owner does in it meanwhile."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from imapclient import DELETED, IMAPClient
from imapclient.exceptions import IMAPClientError

from mailbot.settings import MailboxSettings
from tests.servers.processes import wait_until

PASSWORD = "open-sesame"
_APPENDED = re.compile(rb"\[APPENDUID \d+ (\d+)\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Where to sign in.

    Attributes:
        deliver: puts a mail into the INBOX as the server's own delivery does: bytes and INTERNALDATE.
        password_file: holds the password, as the configuration wants it.
    """

    host: str
    port: int
    username: str
    password_file: Path
    deliver: Callable[[bytes, datetime], None]
    password: str = PASSWORD

    def settings(self, **changes: object) -> MailboxSettings:
        """Give the ``[[mailboxes]]`` table of this account."""
        form: dict[str, object] = {
            "name": "support",
            "host": self.host,
            "port": self.port,
            "security": "none",
            "username": self.username,
            "password_file": str(self.password_file),
        }
        return MailboxSettings.model_validate(form | changes)

    @contextmanager
    def signed_in(self, folder: str | None = None) -> Iterator[Any]:
        """Connect with another mail program."""
        with IMAPClient(self.host, self.port, ssl=False, timeout=30) as program:
            program.login(self.username, self.password)
            if folder is not None:
                program.select_folder(folder)
            yield program

    def append(self, raw: bytes, received_at: datetime, folder: str = "INBOX") -> int:
        """Add a mail by APPEND, which makes its line ends CRLF; returns its UID (RFC 4315)."""
        with self.signed_in() as program:
            answer = _APPENDED.search(program.append(folder, raw, msg_time=received_at))
            assert answer is not None
            return int(answer[1])

    def flags(self, folder: str = "INBOX") -> dict[int, set[str]]:
        """UIDs in the folder and how they are marked, the server's own mark for recent ones left out."""
        with self.signed_in(folder) as program:
            flags = program.get_flags(program.search())
        return {uid: {flag.decode() for flag in marks} - {"\\Recent"} for uid, marks in flags.items()}

    def remove(self, uids: Iterable[int], folder: str = "INBOX") -> None:
        """Delete messages for good."""
        with self.signed_in(folder) as program:
            program.add_flags(list(uids), [DELETED], silent=True)
            program.expunge()

    def make_folder(self, name: str) -> None:
        with self.signed_in() as program:
            program.create_folder(name)

    def remake_folder(self, name: str) -> None:
        """Delete a folder and make it anew; where another session's look has brought it back meanwhile, once more."""
        with self.signed_in() as program:
            program.delete_folder(name)

            def is_made() -> bool:
                with suppress(IMAPClientError):
                    program.create_folder(name)
                    return True
                with suppress(IMAPClientError):
                    program.delete_folder(name)
                return False

            wait_until(is_made, f"the folder {name} that is made anew")
