"""A mailbox and a submission server that live in a list, with trouble by chance; what they do is held to real ones."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from mailbot.errors import AmbiguousError, RetryableError
from mailbot.model.mail import RawMail
from mailbot.ports import Envelope, Listed, Mark

Trouble = Callable[[str], None]
"""Told what is about to be done, or was just done; it may raise as a broken link does."""


def no_trouble(_what: str) -> None:
    """All goes well."""


@dataclass(slots=True)
class _Kept:
    raw: bytes
    received_at: datetime
    seen: bool = False


@dataclass(slots=True)
class FakeMailbox:
    """One folder as a server keeps it."""

    trouble: Trouble = no_trouble
    uidvalidity: int = 1
    kept: dict[int, _Kept] = field(default_factory=dict)
    next_uid: int = 1
    name: str = "support"
    folder_name: str = "INBOX"

    def deliver(self, raw: bytes, received_at: datetime) -> int:
        """A mail arrives."""
        self.kept[self.next_uid] = _Kept(raw, received_at)
        self.next_uid += 1
        return self.next_uid - 1

    def remove(self, uid: int) -> None:
        """Somebody deletes a mail for good."""
        del self.kept[uid]

    def remake(self) -> None:
        """The folder is made anew, with the same mails under other UIDs."""
        self.uidvalidity += 1
        mails, self.kept = list(self.kept.values()), {}
        for at, mail in enumerate(mails, self.next_uid):
            self.kept[at] = mail
        self.next_uid += len(mails)

    def sent_ids(self, since: datetime) -> set[str]:  # noqa: ARG002 (the port's signature)
        """It keeps no sent mail."""
        self.trouble("sent")
        return set()

    @contextmanager
    def open(self) -> Iterator["_FakeFolder"]:
        """Sign in."""
        self.trouble("open")
        yield _FakeFolder(self, self.uidvalidity)


@dataclass(frozen=True, slots=True)
class _FakeFolder:
    box: FakeMailbox
    uidvalidity: int
    can_wait: bool = False

    def uids_after(self, uid: int) -> list[int]:
        self.box.trouble("search")
        return sorted(each for each in self.box.kept if each > uid)

    def list_messages(self, uids: Sequence[int]) -> dict[int, Listed]:
        self.box.trouble("list")
        there = {uid: self.box.kept[uid] for uid in uids if uid in self.box.kept}
        return {uid: Listed(uid=uid, received_at=mail.received_at, size=len(mail.raw)) for uid, mail in there.items()}

    def fetch(self, listed: Sequence[Listed]) -> Iterator[RawMail]:
        self.box.trouble("fetch")
        for message in listed:
            if message.uid in self.box.kept:
                yield self._raw(message, self.box.kept[message.uid].raw)
        self.box.trouble("fetched")

    def fetch_header(self, listed: Listed) -> RawMail:
        mail = self.box.kept.get(listed.uid)
        return self._raw(listed, None if mail is None else mail.raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")

    def _raw(self, listed: Listed, data: bytes | None) -> RawMail:
        return RawMail(
            uid=listed.uid,
            uidvalidity=self.uidvalidity,
            received_at=listed.received_at,
            size=listed.size,
            data=data,
        )

    def mark_stored(self, uids: Sequence[int]) -> None:
        self.box.trouble("mark")
        for uid in uids:
            if uid in self.box.kept:
                self.box.kept[uid].seen = True
        self.box.trouble("marked")

    def wait(self, seconds: float) -> bool:  # noqa: ARG002 (the port's signature)
        return False


_DEAD_SHARE = 0.7


@dataclass(slots=True)
class FakeTransport:
    """A submission server whose link breaks by chance, before or after it has taken a message.

    Attributes:
        stood_still: nothing was said for half an hour, after which few links live.
    """

    chance: Random
    taken: list[Envelope] = field(default_factory=list)
    share: float = 0.0
    faults: dict[str, int] = field(default_factory=dict)
    stood_still: bool = False

    @contextmanager
    def connect(self) -> Iterator["FakeTransport"]:
        """Sign in."""
        if self._strikes("refused connection"):
            raise RetryableError("nobody answers")
        yield self

    def send(self, envelope: Envelope, before_dot: Mark, after_dot: Mark) -> None:
        """Take a message, or not."""
        if self._strikes("451"):
            raise RetryableError("451 come again")
        if self._strikes("cut before the dot"):
            raise RetryableError("the link broke")
        before_dot()
        if self._strikes("cut after the dot, not taken"):
            raise AmbiguousError("the link broke")
        self.taken.append(envelope)
        if self._strikes("cut after the dot, taken"):
            raise AmbiguousError("the link broke")
        after_dot()

    def _strikes(self, fault: str) -> bool:
        struck = self.chance.random() < (_DEAD_SHARE if self.stood_still else self.share)
        self.stood_still = False
        self.faults[fault] = self.faults.get(fault, 0) + struck
        return struck
