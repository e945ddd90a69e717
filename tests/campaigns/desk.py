"""A mailbot without servers around it, for thousands of mails: read here, stored for real, sent to a list."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any, cast

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailbot import bootstrap, journey
from mailbot.model.book import BookedOrder
from mailbot.model.mail import RawMail
from mailbot.model.reading import Reading
from mailbot.ports import Envelope
from mailbot.sandbox.examine import Examiner
from mailbot.sandbox.pool import Sandbox
from mailbot.sandbox.rules import ReadingRules, request_bytes, rules_bytes
from mailbot.settings import load_settings
from mailbot.steps.app import App
from mailbot.store import mails, orders
from mailbot.store.check import check
from mailbot.store.tables import Base, InstanceRow
from mailbot.store.transaction import reading, transaction

SUPPORT = "support@shop.example"
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
_READING: TypeAdapter[Reading] = TypeAdapter(Reading)
_CONFIG = """
[shop]
name = "Aurelia & Wren"
timezone = "America/New_York"
currency = "USD"
support_address = "{support}"
order_number = 'AW-\\d{{5}}'
[database]
url = "{database}"
[[mailboxes]]
name = "support"
host = "127.0.0.1"
security = "none"
username = "{support}"
password_file = "nowhere"
[smtp]
host = "127.0.0.1"
security = "none"
[identity]
authserv_ids = ["mx.shop.example"]
[console]
public_url = "https://refunds.shop.example"
"""


class _Reader:
    """Reads mails in this process, without the limits of the child: for mails that the test itself wrote."""

    def __init__(self, rules: ReadingRules) -> None:
        self._examiner = Examiner(rules_bytes(rules))

    def begin(self) -> None:
        pass

    def submit(self, raw: bytes, received_at: datetime) -> Future[Reading]:
        answer: Future[Reading] = Future()
        try:
            answer.set_result(_READING.validate_json(self._examiner.examine(request_bytes(raw, received_at))))
        except Exception as bug:  # noqa: BLE001 (as the child does, whatever it is goes to the mail's own turn)
            answer.set_exception(bug)
        return answer


class _Sink:
    """Takes every message at once."""

    def __init__(self) -> None:
        self.taken: list[Envelope] = []

    @contextmanager
    def connect(self) -> Iterator["_Sink"]:
        yield self

    def send(self, envelope: Envelope, before_dot: Callable[[], None], after_dot: Callable[[], None]) -> None:
        before_dot()
        self.taken.append(envelope)
        after_dot()


@dataclass(slots=True, kw_only=True)
class Desk:
    """One shop's mailbot, its clock, and what it sent."""

    app: App
    sink: _Sink
    now: datetime = NOON
    uids: Iterator[int] = field(default_factory=lambda: iter(range(1, 10**9)))
    seen: int = 0

    def sells(self, entries: Sequence[BookedOrder]) -> None:
        """Enter orders into the book."""
        with transaction(self.app.engine) as session:
            orders.put_all(session, entries, self.now)

    def gets(self, raws: Sequence[bytes]) -> None:
        """Store mails as the poller does."""
        with transaction(self.app.engine) as session:
            life = mails.open_folder(session, "support", "INBOX", 1, self.now)
            raw = [
                RawMail(uid=next(self.uids), uidvalidity=1, received_at=self.now, size=len(data), data=data)
                for data in raws
            ]
            mails.store_mails(session, life, raw, lambda _: None, self.now)

    def works(self) -> list[Envelope]:
        """Decide all that is stored, send all that is due; gives what was sent."""
        journey.handle_all(self.app)
        journey.deliver(self.app)
        fresh = self.sink.taken[self.seen :]
        self.seen = len(self.sink.taken)
        return fresh

    def answers(self, *raws: bytes) -> list[Envelope]:
        """Store mails, work, and give what was sent."""
        self.gets(raws)
        return self.works()

    def forward(self, **span: float) -> None:
        """Let time pass."""
        self.now += timedelta(**span)

    def rows(self, table: type[Base]) -> list[Any]:
        """Every row of a table."""
        with reading(self.app.engine) as session:
            found = list(session.scalars(select(table)))
            session.expunge_all()
            return found

    def look(self, question: Callable[[Session], Any]) -> Any:
        """Ask the database something."""
        with reading(self.app.engine) as session:
            return question(session)

    def broken(self, since: datetime | None = None) -> list[str]:
        """Every invariant that does not hold; of mails and letters only those that came since, if it is given."""
        with reading(self.app.engine) as session:
            return [f"{found.invariant}: {found.what}" for found in check(session, since) if found.broken]


@contextmanager
def open_desk(
    folder: Path, *, name: str = "desk", support: str = SUPPORT, database: str = "", sandbox: Sandbox | None = None
) -> Iterator[Desk]:
    """Open a mailbot on a database of its own.

    Args:
        folder: for its files.
        name: its mark; two desks of different names are two shops.
        support: the shop's address.
        database: URL of an empty database; empty: SQLite in the folder.
        sandbox: what reads its mails; ``None``: this process does.
    """
    config = folder / f"{name}.toml"
    url = database or f"sqlite:///{folder}/{name}.db"
    config.write_text(_CONFIG.format(support=support, database=url), encoding="utf-8")
    settings = load_settings(config, {})
    with bootstrap.open_store(settings) as engine, transaction(engine) as session:
        row = {"id": 1, "name": name, "message_key": name.encode().ljust(32, b"."), "created_at": NOON}
        session.add(InstanceRow(**row, first_started_at=NOON))
    rules = ReadingRules(
        order_number=r"AW-\d{5}",
        own_addresses=(support,),
        instance=name,
        authserv_ids=("mx.shop.example",),
        trust_unnamed_results=False,
        received_hosts=(),
        timezone="America/New_York",
    )
    with bootstrap.open_app(settings) as app:
        sink = _Sink()
        reader = cast("Sandbox", sandbox or _Reader(rules))
        desk = Desk(app=app, sink=sink)
        judgement = replace(app.judgement, clock=lambda: desk.now, sandbox=reader)
        desk.app = replace(app, judgement=judgement, transport=cast("Any", sink), mailboxes=())
        yield desk


def message_of(envelope: Envelope) -> Message:
    """A sent message, parsed."""
    return message_from_bytes(envelope.data)


def text_of(envelope: Envelope) -> str:
    """The plain text of a sent message."""
    part = next(part for part in message_of(envelope).walk() if part.get_content_type() == "text/plain")
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode()
