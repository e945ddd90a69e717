"""What the mail servers' own books must show when all is over, whatever befell mailbot meanwhile."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailbot import journey
from mailbot.sandbox.examine import Examiner
from mailbot.sandbox.pool import Sandbox
from mailbot.sandbox.rules import rules_bytes
from mailbot.store.tables import OutboxRow, OutboxState
from tests.faults.stories import Books
from tests.faults.zygote import DirectReader
from tests.journey.shop import reading_rules

ORDINARY = ("cancels", "returns", "twice", "again", "defect", "dispute", "forgot", "asks")
UNPROVEN = ("unproven", "stranger")
"""Customers' stories; no more than fifty letters an hour go to the unproven ones."""

UNSENT = frozenset({OutboxState.QUEUED, OutboxState.SENDING, OutboxState.AMBIGUOUS})
_MOST_PASSES = 12


def direct_reader() -> Sandbox:
    """Give what reads mails in this process, which is quicker; the limited child has campaigns of its own."""
    return cast("Sandbox", DirectReader(Examiner(rules_bytes(reading_rules()))))


@dataclass(slots=True, kw_only=True)
class Ledger(Books):
    """Books that know of which letters, by Message-ID, a server may have taken a second copy (I4).

    Attributes:
        doubted: how many links died after the dot of a letter.
    """

    doubted: Counter[str] = field(default_factory=Counter)

    def settle(self) -> None:
        """Make passes in fair weather until nothing is left to do."""
        for _ in range(_MOST_PASSES):
            self.shop.clock.forward(minutes=32)
            journey.poll(self.shop.app)
            if not self.shop.look(_is_anything_unsent):
                return
            self.shop.clock.forward(minutes=60)

    def _misanswered(self) -> Iterator[str]:
        """Each letter came once; twice at most where a link died after its dot; not at all where a person has it."""
        came: dict[str, set[bytes]] = {}
        copies = Counter[str]()
        for envelope in self.shop.outgoing.received():
            message_id = str(message_from_bytes(envelope.data)["Message-ID"])
            copies[message_id] += 1
            came.setdefault(message_id, set()).add(_without_trace(envelope.data))
        written: dict[str, list[str]] = {}
        for row in self.shop.rows(OutboxRow):
            written.setdefault(row.recipient, []).append(row.template)
            count, variants = copies.pop(row.message_id, 0), came.pop(row.message_id, set())
            if row.state in UNSENT:
                yield f"letter {row.id} is still {row.state}: {row.problem}"
            if not (row.state == OutboxState.SENT) <= count <= 1 + bool(self.doubted[row.message_id]):
                yield f"letter {row.id} ({row.state}, doubted {self.doubted[row.message_id]}) came {count} times"
            if len(variants) > 1:
                yield f"letter {row.id} came in {len(variants)} wordings"
        yield from (f"a letter that nobody wrote came: {message_id}" for message_id in copies)
        for who, story in self.told.items():
            got = sorted(written.pop(who, []))
            if got != sorted(story.letters):
                yield f"{who} was written {got} instead of {sorted(story.letters)}"
        yield from (f"{who} was written to, and never wrote" for who in written)


def _is_anything_unsent(session: Session) -> bool:
    return session.scalar(select(OutboxRow.id).where(OutboxRow.state.in_(UNSENT)).limit(1)) is not None


def _without_trace(data: bytes) -> bytes:
    """A message without what mail servers have put on top of it."""
    at = data.find(b"Message-ID:")
    begun = data.find(b"From:")
    return data[min(each for each in (at, begun) if each >= 0) :]
