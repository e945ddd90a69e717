"""A whole shop of a test: mailbot as bootstrap makes it, on real servers, under a clock that the test sets."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from secrets import token_hex
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailbot import bootstrap, journey
from mailbot.journey import Passed
from mailbot.model.book import BookedOrder
from mailbot.ports import Envelope
from mailbot.sandbox.pool import Sandbox
from mailbot.sandbox.rules import ReadingRules
from mailbot.settings import load_settings
from mailbot.steps.app import App
from mailbot.store import case_views, cases, orders
from mailbot.store.check import check
from mailbot.store.tables import Base, InstanceRow
from mailbot.store.transaction import reading, transaction
from tests.journey.mails import SHOP
from tests.servers.accounts import Account
from tests.servers.mta import Outgoing

MORNING = datetime(2026, 3, 10, 15, tzinfo=UTC)
"""11 o'clock in the shop, on a Tuesday."""

INSTANCE = "instance-of-the-tests"
_KEY = bytes(range(32))
_PATTERN = r"AW-\d{5}"
_ZONE = "America/New_York"
_AUTHSERV = "mx.shop.example"
_CONFIG = """
[shop]
name = "Aurelia & Wren"
timezone = "{zone}"
currency = "USD"
support_address = "{shop}"
order_number = '{pattern}'
return_address = "1 Mill Lane, Salem"

[database]
url = "{database}"

[[mailboxes]]
name = "support"
host = "{account.host}"
port = {account.port}
security = "none"
username = "{account.username}"
password_file = "{account.password_file}"
{mailbox}

[smtp]
host = "127.0.0.1"
port = {smtp_port}
security = "none"
bounce_address = "{bounce_address}"

[worker]
mode = "{mode}"
answer_from = "{answer_from}"

[identity]
authserv_ids = ["{authserv}"]

[notify]
address = "{notify}"

[console]
public_url = "{public_url}"
"""

RowT = TypeVar("RowT", bound=Base)


def reading_rules() -> ReadingRules:
    """Give the rules by which every shop of the tests has its mails read."""
    return ReadingRules(
        order_number=_PATTERN,
        own_addresses=(SHOP,),
        instance=INSTANCE,
        authserv_ids=(_AUTHSERV,),
        trust_unnamed_results=False,
        received_hosts=(),
        timezone=_ZONE,
        bounce_address="bounces@shop.example",
    )


@dataclass(slots=True)
class Clock:
    """The time in a shop."""

    now: datetime = MORNING

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        """Let so much time pass."""
        self.now += timedelta(**span)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message as the customer's side received it."""

    envelope: Envelope
    message: Message

    @property
    def to(self) -> str:
        return self.envelope.recipient

    @property
    def message_id(self) -> str:
        return str(self.message["Message-ID"])

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        return self._part("text/plain")

    @property
    def html(self) -> str:
        return self._part("text/html")

    def _part(self, wanted: str) -> str:
        part = next(part for part in self.message.walk() if part.get_content_type() == wanted)
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        return payload.decode().replace("\r\n", "\n")


@dataclass(slots=True, kw_only=True)
class Shop:
    """One shop with its servers.

    Attributes:
        app: as bootstrap made it, but for the clock and the shared reader.
        config: the configuration file, for a ``mailbot`` in another process.
        expected: how many messages the mail server must have been handed since the test began.
        damaged: the test itself has broken an invariant.
    """

    app: App
    clock: Clock
    account: Account
    outgoing: Outgoing
    config: Path
    expected: int = 0
    damaged: bool = False
    _seen: int = field(default=0)

    def sells(self, *entries: BookedOrder) -> None:
        """Enter orders into the book."""
        with transaction(self.app.engine) as session:
            orders.put_all(session, entries, self.clock.now)

    def gets(self, *raw: bytes) -> None:
        """Let mails arrive in the mailbox now."""
        for each in raw:
            self.account.deliver(each, self.clock.now)

    def poll(self) -> Passed:
        """Make one pass, in which nothing outside may fail."""
        passed = journey.poll(self.app)
        assert (passed.failed, passed.busy) == ((), ())
        self.expected += passed.sent
        return passed

    def letters(self) -> list[Letter]:
        """What arrived at the customers' side since the last call; waits until all that was handed over is there."""
        arrived = self.outgoing.wait_for(self.expected)
        fresh = [Letter(envelope=each, message=message_from_bytes(each.data)) for each in arrived[self._seen :]]
        self._seen = len(arrived)
        return fresh

    def letter(self) -> Letter:
        """The one letter that arrived since the last call."""
        letters = self.letters()
        assert len(letters) == 1, [(letter.to, letter.subject) for letter in letters]
        return letters[0]

    def answers(self, *raw: bytes) -> list[Letter]:
        """Let mails arrive, make a pass, and give what came back."""
        self.gets(*raw)
        self.poll()
        return self.letters()

    def case(self, number: int = 1) -> dict[str, Any]:
        """A case as ``mailbot case show --json`` prints it now."""
        with reading(self.app.engine) as session:
            return case_views.show_case(session, cases.get(session, str(number)), self.clock.now)

    def cases(self) -> list[dict[str, Any]]:
        """Every case as ``mailbot case list --json`` prints it now."""
        with reading(self.app.engine) as session:
            return list(case_views.list_cases(session, self.clock.now))

    def clock_of(self, kind: str, number: int = 1) -> dict[str, str]:
        """One deadline of a case."""
        found = [deadline for deadline in self.case(number)["deadlines"] if deadline["kind"] == kind]
        assert len(found) == 1
        return dict(found[0])

    def rows(self, table: type[RowT]) -> list[RowT]:
        """Every row of a table, oldest first."""
        with reading(self.app.engine) as session:
            found = list(session.scalars(select(table).order_by(*table.__table__.primary_key)))
            session.expunge_all()
            return found

    def look(self, question: Callable[[Session], Any]) -> Any:
        """Ask the database something."""
        with reading(self.app.engine) as session:
            return question(session)

    def broken(self) -> list[str]:
        """Every invariant that does not hold."""
        with reading(self.app.engine) as session:
            return [f"{found.invariant}: {found.what}" for found in check(session) if found.broken]


@contextmanager
def open_shop(
    folder: Path,
    *,
    database: str,
    account: Account,
    outgoing: Outgoing,
    reader: Sandbox | None = None,
    starts_at: datetime = MORNING,
    mode: str = "auto",
    notify: str = "",
    bounce_address: str = "",
    answer_from: str = "",
    mailbox: str = "",
    public_url: str = "",
    support: str = SHOP,
) -> Iterator[Shop]:
    """Open a shop that has been in business since ``starts_at``.

    Args:
        folder: for its configuration.
        database: URL of an empty database.
        account: where customers write to.
        outgoing: where replies are handed over.
        reader: shared by many shops, which have the same mark then; ``None``: one of its own, as bootstrap makes it.
        starts_at: what its clock shows at first.
        mode: of the worker.
        notify: who is told of due promises.
        bounce_address: for VERP.
        answer_from: of the worker.
        mailbox: further lines of the mailbox's table.
        public_url: where customers reach the console's one public page.
        support: the shop's address.
    """
    config = folder / "config.toml"
    config.write_text(
        _CONFIG.format(
            zone=_ZONE,
            shop=support,
            pattern=_PATTERN,
            database=database,
            account=account,
            mailbox=mailbox,
            smtp_port=outgoing.port,
            bounce_address=bounce_address,
            mode=mode,
            answer_from=answer_from,
            authserv=_AUTHSERV,
            notify=notify,
            public_url=public_url,
        ),
        encoding="utf-8",
    )
    settings = load_settings(config, {})
    with bootstrap.open_store(settings) as engine, transaction(engine) as session:
        name = token_hex(8) if reader is None else INSTANCE
        row = {"id": 1, "name": name, "message_key": _KEY, "created_at": starts_at, "first_started_at": starts_at}
        session.add(InstanceRow(**row))
    clock = Clock(starts_at)
    with bootstrap.open_app(settings) as opened:
        app = replace(opened, judgement=replace(opened.judgement, clock=clock))
        if reader is not None:
            shared = replace(app.judgement, sandbox=reader)
            app = replace(app, judgement=shared, journal_folder=folder / "sending")
        yield Shop(app=app, clock=clock, account=account, outgoing=outgoing, config=config)
        shutil.rmtree(app.journal_folder, ignore_errors=True)
