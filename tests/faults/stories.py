"""Twelve customers' stories that a fault may strike at any moment, and what the servers' books must show afterwards."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes

from mailbot.model.book import BookedOrder
from mailbot.store.tables import CaseRow, MailRow, OutboxRow, RefundRow
from tests.faults.zygote import BUSY, DEAD, POISON, SILENT, WITHHELD
from tests.journey.mails import (
    CANCEL,
    DEFECT,
    DISPUTE,
    QUESTION,
    RETURN,
    RETURN_WITHOUT_INVOICE,
    a_mail,
    an_invoice,
    an_order,
)
from tests.journey.shop import Shop

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One customer's mails, and what becomes of them.

    Attributes:
        letters: templates that the customer gets, each once.
        refund: whether money becomes due, once.
        cases: how many.
    """

    mails: tuple[bytes, ...]
    order: BookedOrder | None
    letters: tuple[str, ...]
    cases: int = 1
    refund: bool = False


def told(shop: Shop, number: int, name: str) -> Story:
    """Tell one story with names of its own, at the shop's present time."""
    order, now = f"AW-{number}", shop.clock.now
    who = f"{name}{number}@example.org"
    early = an_order(now, order, customer=who)
    late = an_order(now, order, customer=who, paid=9, delivered=4)

    def says(text: str, *, invoice: bool = True, **more: str) -> bytes:
        fields = {"X-Withheld": "once"} if name == "withheld" else {"X-Poison": "yes"} if name == "poison" else {}
        papers = an_invoice(order) if invoice else None
        dmarc = more.get("dmarc", "pass")
        return a_mail(text.replace("AW-10001", order), sender=who, invoice=papers, fields=fields, dmarc=dmarc)

    cancelled = says(CANCEL)
    stories = {
        "cancels": Story(mails=(cancelled,), order=early, letters=("cancellation_approved",), refund=True),
        "returns": Story(mails=(says(RETURN),), order=late, letters=("return_approved",)),
        "twice": Story(mails=(cancelled, cancelled), order=early, letters=("cancellation_approved",), refund=True),
        "again": Story(mails=(cancelled, says(CANCEL)), order=early, letters=("cancellation_approved",), refund=True),
        "defect": Story(mails=(says(DEFECT),), order=late, letters=("received",)),
        "dispute": Story(mails=(says(DISPUTE),), order=late, letters=("received",)),
        "forgot": Story(
            mails=(says(RETURN_WITHOUT_INVOICE, invoice=False),), order=late, letters=("information_needed",)
        ),
        "unproven": Story(mails=(says(CANCEL, dmarc="none"),), order=early, letters=("verification",)),
        SILENT: Story(mails=(says(CANCEL, dmarc="none"),), order=early, letters=("verification",)),
        "stranger": Story(mails=(says(CANCEL, invoice=False),), order=None, letters=("generic",)),
        "asks": Story(mails=(says(QUESTION, invoice=False),), order=None, letters=()),
        "withheld": Story(mails=(cancelled,), order=early, letters=("cancellation_approved",), refund=True),
        "poison": Story(mails=(says(QUESTION, invoice=False),), order=None, letters=()),
        BUSY: Story(mails=(cancelled,), order=early, letters=("cancellation_approved",), refund=True),
        DEAD: Story(mails=(cancelled,), order=early, letters=(), refund=True),
    }
    assert WITHHELD in stories["withheld"].mails[0] or name != "withheld"
    assert POISON in stories["poison"].mails[0] or name != "poison"
    return stories[name]


NAMES = (
    *("cancels", "returns", "twice", "again", "defect", "dispute", "forgot"),
    *("unproven", "stranger", "asks", "withheld", "poison", BUSY, DEAD, SILENT),
)


_RETURN = "return_approved"
_LATER = {"return_reminder": timedelta(days=4), "return_expired": timedelta(days=6)}
"""What comes on day five and after day seven where the goods do not; the first day may be short."""


@dataclass(slots=True, kw_only=True)
class Books:
    """What was told so far, to be compared with what the servers and the database show."""

    shop: Shop
    told: dict[str, Story] = field(default_factory=dict)
    told_at: dict[str, datetime] = field(default_factory=dict)
    doubtful: int = 0
    _number: int = 20_000

    def tell(self, names: Iterable[str]) -> None:
        """Let these customers write now."""
        for name in names:
            self._number += 1
            story = told(self.shop, self._number, name)
            who = f"{name}{self._number}@example.org"
            self.told[who], self.told_at[who] = story, self.shop.clock.now
            if story.order is not None:
                self.shop.sells(story.order)
            self.shop.gets(*story.mails)

    def faults(self) -> Iterator[str]:
        """Everything that is not as it should be."""
        yield from self.shop.broken()
        yield from self._lost()
        yield from self._misanswered()
        refunds = len(self.shop.rows(RefundRow))
        owed = sum(story.refund for story in self.told.values())
        if refunds != owed:
            yield f"{refunds} refunds are due instead of {owed}"
        opened, expected = len(self.shop.rows(CaseRow)), sum(story.cases for story in self.told.values())
        if opened != expected:
            yield f"{opened} cases instead of {expected}"

    def _lost(self) -> Iterator[str]:
        """By the IMAP server's book: each UID has one row, with the bytes that the server has."""
        rows = self.shop.rows(MailRow)
        by_uid = Counter(row.uid for row in rows)
        with self.shop.account.signed_in("INBOX") as program:
            held = program.fetch(program.search(), ["BODY.PEEK[]"])
        hashes = {uid: hashlib.sha256(answer[b"BODY[]"]).hexdigest() for uid, answer in held.items()}
        if set(by_uid) != set(hashes) or max(by_uid.values(), default=1) > 1:
            yield f"the server has {len(hashes)} mails, the database {len(rows)}"
        yield from (f"mail {row.uid} has other bytes" for row in rows if row.sha256 != hashes.get(row.uid))
        unended = {"stored", "processing", "fetch_failed"}
        yield from (f"mail {row.uid} is still {row.state}" for row in rows if row.state in unended)

    def _misanswered(self) -> Iterator[str]:
        """By the SMTP server's book: each letter came once, or twice where a fault left it in doubt."""
        templates = {row.message_id: row.template for row in self.shop.rows(OutboxRow)}
        came: dict[str, Counter[str]] = {}
        bytes_of: dict[str, set[bytes]] = {}
        for envelope in self.shop.outgoing.received():
            message_id = str(message_from_bytes(envelope.data)["Message-ID"])
            came.setdefault(envelope.recipient, Counter())[message_id] += 1
            bytes_of.setdefault(message_id, set()).add(envelope.data)
        for who, story in self.told.items():
            letters = came.pop(who, Counter())
            got = sorted(templates.get(message_id, "unknown") for message_id in letters)
            if _RETURN in story.letters:
                waited = self.shop.clock.now - self.told_at[who]
                later = Counter(letter for letter, after in _LATER.items() if waited >= after)
                got = sorted((Counter(got) - later).elements())
            if got != sorted(story.letters):
                yield f"{who} was sent {got} instead of {sorted(story.letters)}"
            twice = [message_id for message_id, copies in letters.items() if copies > 1]
            self.doubtful -= len(twice)
            if self.doubtful < 0 or max(letters.values(), default=1) > 2:
                yield f"{who} was sent {dict(letters)}"
            yield from (f"{who} got two different letters as one" for each in twice if len(bytes_of[each]) > 1)
        yield from (f"{who} was written to, and never wrote" for who in came)
