"""T15: the database fails at any write: full, broken, busy, read-only, gone; no mail is lost, none answered twice."""

import errno
import os
import resource
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import sqlalchemy
from sqlalchemy import Engine, create_engine, event, make_url, text

from mailbot import journey
from mailbot.demo.servers import HOST, MailServers
from mailbot.errors import RetryableError
from mailbot.store import transaction
from mailbot.store.tables import MailRow, OutboxRow
from tests.campaigns.ledger import ORDINARY, UNPROVEN, Ledger, direct_reader
from tests.campaigns.outcome import Campaign, Outcome
from tests.campaigns.wire import AFTER, BEFORE, GREETING, RESET, WITHIN, Fault, Queries, Wire, wire
from tests.journey.shop import Shop, open_shop
from tests.servers.dovecot import dovecot_server
from tests.servers.mta import Outgoing
from tests.servers.postgres import postgres_server

_WRITES = ("INSERT", "UPDATE", "DELETE")
_MOST_WRITES = 12  # of those that SQLAlchemy makes; a mail's own statements go past it
_BUSY_MS = 20
_FOREVER = 10**9

Strike = Callable[[Any], None]
"""Breaks something; given the DBAPI connection that is about to write."""


def _nothing(_: Any) -> None:
    """All goes well."""


@dataclass(slots=True, kw_only=True)
class _Store:
    """A shop whose database is made to fail.

    Attributes:
        left: writes until it fails.
        admin: another connection to PostgreSQL; ``None`` for SQLite.
        line: the wire to PostgreSQL.
    """

    shop: Shop
    books: Ledger
    chance: Random
    admin: Engine | None
    line: Wire | None
    left: int = _FOREVER
    strike: Strike = _nothing
    struck: Counter[str] = field(default_factory=Counter)
    raised: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Count the writes of every connection."""
        engine = self.shop.app.engine
        event.listen(engine, "before_cursor_execute", self._before_statement)
        event.listen(engine, "handle_error", self._note)

    def _before_statement(self, connection: Any, _cursor: Any, statement: str, *_: object) -> None:
        if statement.lstrip()[:6].upper() in _WRITES:
            self.left -= 1
            if self.left == 0:
                self.strike(connection.connection.dbapi_connection)

    def _note(self, context: Any) -> None:
        self.raised[str(context.original_exception).strip().partition("\n")[0][:60]] += 1

    def kinds(self) -> dict[str, Callable[[], Any]]:
        """What can happen to this database, each a context in which a pass is made."""
        if self.admin is not None:
            lost = {
                f"COMMIT {side}": partial(self._link_lost, Fault(point="COMMIT", side=side, deed=RESET, turn=1))
                for side in (BEFORE, WITHIN, AFTER)
            }
            return {"backend ended": self._backend_ended, "server away": self._away, **lost}
        return {
            "full": self._full,
            "disk error": self._disk_error,
            "busy": self._busy,
            "read-only": self._read_only,
            "journal full": self._journal_full,
        }

    def round(self, kind: str) -> None:
        """Customers write; a pass is made in which the database fails; and one in which it does not."""
        self.books.tell([self.chance.choice(ORDINARY) for _ in range(3)])
        if self.chance.random() < 0.1:
            self.books.tell([self.chance.choice(UNPROVEN)])
        raised = self.raised.total()
        for minutes in (3, 20):
            self.shop.clock.forward(minutes=minutes)
            self.left = self.chance.randint(1, _MOST_WRITES)
            with self.kinds()[kind]():
                self._pass(kind)
            self.left, self.strike = _FOREVER, _nothing
            self.shop.app.engine.dispose()
        self.struck[kind] += self.raised.total() > raised

    def _pass(self, kind: str) -> None:
        try:
            journey.poll(self.shop.app)
        except RetryableError:
            pass
        except Exception as bug:  # noqa: BLE001 (it is what this campaign looks for)
            self.problems.append(f"{kind}: a pass ended by {bug!r}"[:300])

    @contextmanager
    def _full(self) -> Iterator[None]:
        """ENOSPC: the file may not grow any more."""

        def strike(connection: sqlite3.Connection) -> None:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages}")

        self.strike = strike
        yield

    @contextmanager
    def _read_only(self) -> Iterator[None]:
        self.strike = lambda connection: connection.execute("PRAGMA query_only = 1")
        yield

    @contextmanager
    def _disk_error(self) -> Iterator[None]:
        """EIO: the system refuses to write the log any longer than it is, or a little longer."""
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

        def strike(_: sqlite3.Connection) -> None:
            log = Path(f"{make_url(str(self.shop.app.engine.url)).database}-wal")
            length = log.stat().st_size if log.exists() else 0
            resource.setrlimit(resource.RLIMIT_FSIZE, (length + self.chance.choice((0, 100, 4096, 20_000)), hard))

        self.strike = strike
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    @contextmanager
    def _busy(self) -> Iterator[None]:
        """Another process writes for longer than anybody waits, from some transaction on, for some transactions."""
        engine, database = self.shop.app.engine, self.shop.app.engine.url.database
        begin_at, lasts = self.chance.randint(1, 8), self.chance.choice((4, _FOREVER))
        with (
            patch.object(transaction, "_BUSY_MS", _BUSY_MS),
            closing(sqlite3.connect(str(database), timeout=0)) as other,
        ):
            other.isolation_level = None
            engine.dispose()

            def begins(_: object) -> None:
                nonlocal begin_at
                begin_at -= 1
                with suppress(sqlite3.OperationalError):  # mailbot itself writes just then, or it is over already
                    if begin_at == 0:
                        other.execute("BEGIN IMMEDIATE")
                    if begin_at == -lasts:
                        other.execute("ROLLBACK")

            event.listen(engine, "begin", begins, insert=True)
            try:
                yield
            finally:
                event.remove(engine, "begin", begins)

    @contextmanager
    def _journal_full(self) -> Iterator[None]:
        """The file that notes how far a letter came can no longer be written."""
        real, left = os.write, self.chance.randint(1, 6)

        def write(file: int, line: bytes) -> int:
            nonlocal left
            left -= line.startswith((b"dot ", b"taken "))
            if left > 0 or not line.startswith((b"dot ", b"taken ")):
                return real(file, line)
            self.raised["journal: ENOSPC"] += 1
            if self.chance.random() < 0.3:
                return real(file, line[:3])
            raise OSError(errno.ENOSPC, "No space left on device")

        with patch.object(os, "write", write):
            yield

    @contextmanager
    def _backend_ended(self) -> Iterator[None]:
        def strike(connection: Any) -> None:
            assert self.admin is not None
            with self.admin.connect() as admin:
                admin.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": connection.info.backend_pid})

        self.strike = strike
        yield

    @contextmanager
    def _away(self) -> Iterator[None]:
        """The link breaks in the middle of a transaction, and nobody answers any more until the pass is over."""
        assert self.line is not None
        line = self.line

        def strike(connection: Any) -> None:
            line.fate = lambda: Fault(point=GREETING, side=BEFORE, deed=RESET)
            assert self.admin is not None
            with self.admin.connect() as admin:
                admin.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": connection.info.backend_pid})

        self.strike = strike
        yield
        line.fate = lambda: None

    @contextmanager
    def _link_lost(self, fault: Fault) -> Iterator[None]:
        """A COMMIT whose answer nobody hears, or that nobody hears."""
        assert self.line is not None
        self.shop.app.engine.dispose()
        self.line.fate = lambda: replace(fault, turn=self.chance.randint(1, 14))
        yield
        self.line.fate = lambda: None


@contextmanager
def _store(folder: Path, database: str, chance: Random) -> Iterator[_Store]:
    with ExitStack() as stack:
        servers = MailServers()
        servers.start()
        stack.callback(servers.stop)
        account = stack.enter_context(dovecot_server()).new_account()
        outgoing = Outgoing(host=HOST, port=servers.smtp_port, kept=servers.sent)
        url, admin, line = f"sqlite:///{folder}/mailbot.db", None, None
        if database == "postgres":
            real = make_url(stack.enter_context(postgres_server()).new_database())
            admin = create_engine(real, isolation_level="AUTOCOMMIT", poolclass=sqlalchemy.NullPool)
            assert real.port is not None
            line = stack.enter_context(wire(real.port, Queries))
            url = real.set(port=line.port).render_as_string(hide_password=False)
        shop = stack.enter_context(
            open_shop(folder, database=url, account=account, outgoing=outgoing, reader=direct_reader())
        )
        store = _Store(shop=shop, books=Ledger(shop=shop), chance=chance, admin=admin, line=line)
        store.watch()
        yield store


def run(seed: int, rounds: int, folder: Path, database: str = "sqlite") -> Outcome:
    """T15: so many rounds, each with one kind of fault at a write that chance chooses."""
    outcome = Outcome()
    with _store(folder, database, Random(seed)) as store:
        kinds = list(store.kinds())
        for at in range(rounds):
            store.round(kinds[at % len(kinds)])
            if at % 4 == 3:
                store.books.settle()
        store.books.settle()
        outcome.tried = rounds
        outcome.failures += [*store.problems, *store.books.faults()]
        outcome.figures = {
            "mails": len(store.shop.rows(MailRow)),
            "letters": len(store.shop.rows(OutboxRow)),
            "errors": store.raised.total(),
            "kinds_of_error": len(store.raised),
            **{kind.replace(" ", "_"): times for kind, times in store.struck.items()},
        }
    return outcome


CAMPAIGNS: dict[str, tuple[Campaign, int]] = {
    "T15": (run, 200),
    "T15-postgres": (partial(run, database="postgres"), 200),
}
"""With their nightly figures."""
