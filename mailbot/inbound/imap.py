"""One IMAP account and its folder: what is in it, by UIDVALIDITY and UID (RFC 9051), marking nothing as read.

Source: RELIABILITY.md, P1.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from imaplib import IMAP4
from time import monotonic
from typing import Any

from imapclient import DELETED, SEEN
from imapclient.imapclient import SENT

from mailbot.inbound.imap_link import (
    BROKEN,
    FAILED,
    MailboxGoneError,
    MailboxRefusedError,
    is_temporary,
    is_too_much,
    sign_in,
)
from mailbot.model.expiry import Noted
from mailbot.model.mail import RawMail
from mailbot.ports import Folder, Listed
from mailbot.settings import MailboxSettings

LARGEST = 50 * 1024 * 1024
"""Bytes of a message; a larger one is never fetched whole."""

_IDS_A_COMMAND = 500
_BYTES_A_UID = 11
_BODIES_A_FETCH = 50
_BYTES_A_FETCH = 16 * 1024 * 1024
_HEADER_BYTES = 256 * 1024
_MARKS_A_COMMAND = 100
_IDLE_SECONDS = 28 * 60  # a server may hang up after 30 minutes of IDLE (RFC 2177)
_MOST_RECONNECTS = 20
_MESSAGE_ID = "HEADER.FIELDS (MESSAGE-ID)"
_ANGLED = re.compile(r"<[^<>\s]+>")
_UNREADABLE_DATE = datetime(1970, 1, 1, tzinfo=UTC)


class ImapMailbox:
    """The mailbox of one ``[[mailboxes]]`` table; it connects when it is opened and not before."""

    def __init__(
        self,
        settings: MailboxSettings,
        largest: int = LARGEST,
        access_token: Callable[[], str] | None = None,
        noted: Noted | None = None,
    ) -> None:
        """Know where the account is, and from which size on a message is not fetched.

        Args:
            settings: of the account.
            largest: bytes.
            access_token: takes the password's place.
            noted: is told how long the server's certificate is good for.
        """
        self._settings, self._largest = settings, largest
        self._sign_in = partial(sign_in, settings, access_token or settings.password, noted)

    @property
    def name(self) -> str:
        """The mailbox's name in the configuration."""
        return self._settings.name

    @property
    def folder_name(self) -> str:
        """The folder's name on the server."""
        return self._settings.folder

    @contextmanager
    def open(self) -> Iterator[Folder]:
        """Sign in and select the folder.

        Raises:
            RetryableError: the server is not there now.
            PermanentError: no trusted TLS, or it refuses the sign-in or the folder.
            InputError: the password is not where the configuration says.
        """
        folder = _ImapFolder(self._settings, self._largest, self._sign_in)
        try:
            yield folder
        finally:
            folder.close()

    def sent_ids(self, since: datetime) -> set[str]:
        """Message-IDs in the account's folder of sent mail (RFC 6154), of that day or later; none where it has none.

        Raises:
            RetryableError: the server is not there now.
            PermanentError: it refuses the sign-in.
        """
        folder = _ImapFolder(self._settings, self._largest, self._sign_in)
        try:
            return folder.sent_ids(since)
        finally:
            folder.close()


class _ImapFolder:
    """The selected folder.

    A message that breaks the link when it is fetched must not keep others from coming in: ``fetch`` connects anew.
    """

    def __init__(self, settings: MailboxSettings, largest: int, sign_in: Callable[[], Any]) -> None:
        self._settings, self._largest, self._sign_in = settings, largest, sign_in
        self._reconnects = _MOST_RECONNECTS
        self._target_is_there = False
        self._select()

    def _select(self) -> None:
        self._link: Any = self._sign_in()
        try:
            answer = self._link.select_folder(self._settings.folder)
        except FAILED as problem:
            self._link.hang_up(politely=False)
            raise self._not_selected(problem) from None
        self._uidvalidity = int(answer.get(b"UIDVALIDITY", 0))
        self._exists = int(answer.get(b"EXISTS", 0))
        self._link.heard_of_mail()
        self._broken = False

    def _not_selected(self, problem: Exception) -> Exception:
        folder = self._settings.folder
        if isinstance(problem, IMAP4.readonly):
            mend = "give the account the right to change it"
            return MailboxRefusedError(self._settings, f"lets folder {folder!r} only be read", mend)
        if isinstance(problem, BROKEN) or not isinstance(problem, IMAP4.error) or is_temporary(problem):
            return MailboxGoneError(self._settings, problem)
        mend = "check `folder`, which is spelled as the server spells it"
        return MailboxRefusedError(self._settings, f"does not open folder {folder!r} ({problem})", mend)

    def close(self) -> None:
        """Sign out and hang up."""
        self._link.hang_up(politely=not self._broken)

    @contextmanager
    def _asking(self, expected: int = 0) -> Iterator[Any]:
        """Say something to the server, for so many bytes of answer; every failure is a ``RetryableError``."""
        self._link.allow(expected)
        try:
            yield self._link
        except FAILED as problem:
            self._broken = isinstance(problem, BROKEN)
            raise MailboxGoneError(self._settings, problem) from None

    @property
    def uidvalidity(self) -> int:
        """The folder's UIDVALIDITY; 0 where the server gives none."""
        return self._uidvalidity

    def uids_after(self, uid: int) -> list[int]:
        """Every UID above ``uid``, ascending; ``n:*`` alone would always answer with the last message too."""
        with self._asking() as link:
            link.noop()  # tells the link what has come since
            link.heard_of_mail()
        with self._asking(min(_BYTES_A_UID * self._exists, self._largest)) as link:
            found = link.search(["UID", f"{uid + 1}:*"])
        return sorted({each for each in found if each > uid})

    def list_messages(self, uids: Sequence[int]) -> dict[int, Listed]:
        """Size and date of these messages; those that vanished are left out."""
        listed: dict[int, Listed] = {}
        for start in range(0, len(uids), _IDS_A_COMMAND):
            with self._asking() as link:
                answers = link.fetch(list(uids[start : start + _IDS_A_COMMAND]), ["RFC822.SIZE", "INTERNALDATE"])
            for uid, answer in answers.items():
                size = answer.get(b"RFC822.SIZE")
                if isinstance(size, int):
                    listed[uid] = Listed(uid=uid, received_at=_aware(answer.get(b"INTERNALDATE")), size=size)
        return listed

    def fetch(self, listed: Sequence[Listed]) -> Iterator[RawMail]:
        """The messages with their bytes, unchanged and not marked as seen; vanished ones are left out.

        One that is too large, or that the server does not give, comes without its bytes.
        """
        for batch in _batches(listed):
            bodies = self._bodies([message for message in batch if message.size <= self._largest])
            for message in batch:
                if message.size > self._largest or message.uid in bodies:
                    yield self._raw(message, bodies.get(message.uid))

    def fetch_header(self, listed: Listed) -> RawMail:
        """A message that is too large, with no more than the first 256 KB of its header block as ``data``."""
        try:
            with self._asking(_HEADER_BYTES) as link:
                answer = link.fetch([listed.uid], [f"BODY.PEEK[HEADER]<0.{_HEADER_BYTES}>"]).get(listed.uid, {})
        except MailboxGoneError as problem:
            self._mend(problem)
            answer = {}
        return self._raw(listed, answer.get(b"BODY[HEADER]<0>"))

    def mark_stored(self, uids: Sequence[int]) -> None:
        """Move these messages to ``processed_folder``, or mark them as seen; those that vanished are passed over.

        Doing it again does no harm; where the server cannot move, an interrupted hint may leave a second copy.
        """
        for start in range(0, len(uids), _MARKS_A_COMMAND):
            there = self._still_there(uids[start : start + _MARKS_A_COMMAND])
            if there:
                self._mark(there)

    @property
    def can_wait(self) -> bool:
        """Whether the server has IDLE (RFC 2177)."""
        with self._asking() as link:
            return bool(link.has_capability("IDLE"))

    def wait(self, seconds: float) -> bool:
        """Wait for new mail by IDLE, at most so long; ``False`` at once where the server has no IDLE."""
        if not self.can_wait:
            return False
        until = monotonic() + seconds
        with self._asking() as link:
            link.noop()
            grown = bool(link.heard_of_mail())
            while not grown and (left := until - monotonic()) > 0:
                link.allow(0)
                grown = link.idle_until_mail(min(left, _IDLE_SECONDS))
            return grown

    def sent_ids(self, since: datetime) -> set[str]:
        """Message-IDs in the folder of sent mail, which is selected from now on, to be read only."""
        with self._asking() as link:
            sent = link.find_special_folder(SENT)
            if sent is None:
                return set()
            link.select_folder(sent, readonly=True)
        with self._asking(self._largest) as link:
            uids = link.search(["SINCE", since.date()])
        found: set[str] = set()
        for start in range(0, len(uids), _IDS_A_COMMAND):
            with self._asking(self._largest) as link:
                answers = link.fetch(uids[start : start + _IDS_A_COMMAND], [f"BODY.PEEK[{_MESSAGE_ID}]"])
            for answer in answers.values():
                field = answer.get(f"BODY[{_MESSAGE_ID}]".encode())
                found |= set(_ANGLED.findall(field.decode("ascii", "replace")) if isinstance(field, bytes) else ())
        return found

    def _bodies(self, batch: Sequence[Listed]) -> dict[int, bytes | None]:
        """Bytes by UID: ``None`` for a message that the server does not give, nothing for one that vanished."""
        uids = [message.uid for message in batch]
        try:
            given = self._given(uids, sum(message.size for message in batch))
            return given | dict.fromkeys(self._still_there([uid for uid in uids if uid not in given]))
        except MailboxGoneError as problem:
            self._mend(problem)
        if len(batch) == 1:
            return dict.fromkeys(self._still_there(uids))
        return {uid: data for message in batch for uid, data in self._bodies([message]).items()}

    def _given(self, uids: list[int], announced: int) -> dict[int, bytes]:
        with self._asking(min(2 * announced, self._largest)) as link:
            answers = link.fetch(uids, ["BODY.PEEK[]"])
        found = {uid: answer.get(b"BODY[]") for uid, answer in answers.items()}
        return {uid: data for uid, data in found.items() if isinstance(data, bytes)}

    def _still_there(self, uids: Sequence[int]) -> list[int]:
        if not uids:
            return []
        with self._asking() as link:
            link.noop()  # tells the link what has vanished
            found = set(link.search(["UID", ",".join(map(str, uids))]))
        return [uid for uid in uids if uid in found]

    def _mend(self, problem: MailboxGoneError) -> None:
        """After a refusal nothing is broken; after a broken link connect anew.

        Raises:
            RetryableError: the server is silent, or asks to be left alone, or has broken too many links.
        """
        if is_too_much(problem) or problem.timed_out:
            raise problem
        if not self._broken:
            return
        if self._reconnects == 0:
            raise problem
        self._reconnects -= 1
        self._link.hang_up(politely=False)
        before = self._uidvalidity
        self._select()
        if self._uidvalidity != before:
            raise MailboxGoneError(self._settings, "the folder was remade while it was read")

    def _mark(self, uids: list[int]) -> None:
        target = self._settings.processed_folder
        with self._asking() as link:
            if not target:
                link.add_flags(uids, [SEEN], silent=True)
                return
            if not self._target_is_there and not link.folder_exists(target):
                link.create_folder(target)
                link.subscribe_folder(target)
            self._target_is_there = True
            if link.has_capability("MOVE"):
                link.move(uids, target)
                return
            link.copy(uids, target)
            link.add_flags(uids, [DELETED], silent=True)
            if link.has_capability("UIDPLUS"):  # a bare EXPUNGE would remove what other people have deleted
                link.uid_expunge(uids)

    def _raw(self, listed: Listed, data: object) -> RawMail:
        return RawMail(
            uid=listed.uid,
            uidvalidity=self._uidvalidity,
            received_at=listed.received_at,
            size=listed.size,
            data=data if isinstance(data, bytes) else None,
        )


def _batches(listed: Sequence[Listed]) -> Iterator[list[Listed]]:
    batch: list[Listed] = []
    size = 0
    for message in listed:
        if batch and (len(batch) == _BODIES_A_FETCH or size + message.size > _BYTES_A_FETCH):
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += message.size
    if batch:
        yield batch


def _aware(date: object) -> datetime:
    """INTERNALDATE in UTC; a date that nobody can read is an old one, and old mail goes to a person."""
    if not isinstance(date, datetime):
        return _UNREADABLE_DATE
    try:
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, OverflowError):
        return _UNREADABLE_DATE
