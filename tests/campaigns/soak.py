"""T17: the command ``mailbot worker`` runs for long on real servers, a mail a second, while links to them break."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from statistics import median
from threading import Event
from time import monotonic

from mailbot.bootstrap import now
from mailbot.demo.servers import HOST, MailServers
from mailbot.store import switch
from mailbot.store.tables import MailRow, OutboxRow
from tests.campaigns.ledger import ORDINARY, Ledger
from tests.campaigns.outcome import Campaign, Outcome
from tests.campaigns.wire import (
    AFTER,
    BEFORE,
    CLOSE,
    DOT,
    MESSAGE,
    PIECES,
    RESET,
    WITHIN,
    Fault,
    Lines,
    Mail,
    Wire,
    wire,
)
from tests.journey.shop import Shop, open_shop
from tests.servers.dovecot import dovecot_server
from tests.servers.mta import Outgoing
from tests.servers.postgres import postgres_server
from tests.servers.processes import wait_until

_MAILBOT = Path(sys.executable).parent / "mailbot"
_IMAP = ("SELECT", "UID SEARCH", "UID FETCH", "UID STORE", "NOOP", "IDLE")
_SMTP = ("EHLO", "MAIL", "RCPT", MESSAGE, DOT, DOT)
_FAULT_SHARE = 0.1
_LOOK_EVERY = 5
_MOST_GROWTH = 1.10
_UNENDED = {"stored", "processing", "fetch_failed"}


def _fate(chance: Random, points: tuple[str, ...]) -> Fault | None:
    if chance.random() > _FAULT_SHARE:
        return None
    deed = chance.choice((RESET, CLOSE, PIECES))
    side = chance.choice((BEFORE, WITHIN, AFTER))
    return Fault(point=chance.choice(points), side=side, deed=deed, turn=chance.randint(1, 3))


@contextmanager
def _served(folder: Path, database: str, chance: Random) -> Iterator[tuple[Shop, Wire, Wire]]:
    with ExitStack() as stack:
        servers = MailServers()
        servers.start()
        stack.callback(servers.stop)
        dovecot = stack.enter_context(dovecot_server())
        imap = stack.enter_context(wire(dovecot.port, Lines))
        smtp = stack.enter_context(wire(servers.smtp_port, Mail))
        account = replace(dovecot.new_account(), port=imap.port)
        outgoing = Outgoing(host=HOST, port=smtp.port, kept=servers.sent)
        url, began = f"sqlite:///{folder}/mailbot.db", now() - timedelta(hours=1)
        if database == "postgres":
            url = stack.enter_context(postgres_server()).new_database()
        shop = stack.enter_context(
            open_shop(
                folder, database=url, account=account, outgoing=outgoing, starts_at=began, mailbox="poll_seconds = 5"
            )
        )
        imap.fate, smtp.fate = (lambda: _fate(chance, _IMAP)), (lambda: _fate(chance, _SMTP))
        yield shop, imap, smtp


def run(seed: int, rounds: int, folder: Path, database: str = "sqlite") -> Outcome:
    """T17: for so many seconds."""
    outcome, chance, pause = Outcome(), Random(seed), Event()
    with _served(folder, database, chance) as (shop, imap, smtp):
        books, sizes, mails, errors = Ledger(shop=shop, doubted=smtp.doubted), list[int](), 0, folder / "worker.log"
        with (
            errors.open("wb") as log,
            subprocess.Popen([_MAILBOT, "worker", "--config", shop.config], stdout=log, stderr=log) as worker,
        ):
            began = monotonic()
            while monotonic() - began < rounds and worker.poll() is None:
                shop.clock.now = now()
                books.tell([chance.choice(ORDINARY)])
                mails = len(books.told)
                if mails % _LOOK_EVERY == 0:
                    sizes.append(_kilobytes(worker.pid))
                pause.wait(max(0.0, mails - (monotonic() - began)))
            imap.fate = smtp.fate = lambda: None
            outcome.failures += [] if worker.poll() is None else [f"the worker ended: {errors.read_text()[-300:]}"]
            _wait_until_handled(shop)
            worker.send_signal(signal.SIGTERM)
            worker.wait(60)
        shop.clock.now = now()
        books.settle()
        outcome.tried = mails
        outcome.failures += [f"stopped: {found.reason}" for found in [shop.look(switch.find_frozen)] if found]
        outcome.failures += books.faults()
        growth = _growth(sizes)
        if growth > _MOST_GROWTH:
            outcome.failures.append(f"memory grew to {growth:.2f} of what it was")
        outcome.figures = {
            "seconds": rounds,
            "letters": len(shop.rows(OutboxRow)),
            "faults": imap.struck.total() + smtp.struck.total(),
            "connections": imap.connections + smtp.connections,
            "resent_after_doubt": sum(row.resent for row in shop.rows(OutboxRow)),
            "most_mb": max(sizes, default=0) // 1024,
            "growth": round(growth, 3),
        }
    return outcome


def _wait_until_handled(shop: Shop) -> None:
    """Until the worker has taken in and handled all that came; what is postponed or in doubt waits for later."""

    def handled() -> bool:
        rows = shop.rows(MailRow)
        return len(rows) == len(shop.account.flags()) and not any(row.state in _UNENDED for row in rows)

    wait_until(handled, "the end of the worker's work", 180)


def _growth(sizes: list[int]) -> float:
    """The last fifth's memory as a multiple of the second fifth's: the first is the start."""
    fifth = max(1, len(sizes) // 5)
    early, late = sizes[fifth : 2 * fifth], sizes[-fifth:]
    return median(late) / median(early) if early else 1.0


def _kilobytes(pid: int) -> int:
    """Memory of a process and its children, in KB; what several of them share is divided among them (PSS)."""
    total = 0
    with suppress(OSError, ValueError, IndexError):
        total = int(Path(f"/proc/{pid}/smaps_rollup").read_text().partition("\nPss:")[2].split()[0])
        for task in Path(f"/proc/{pid}/task").iterdir():
            total += sum(_kilobytes(int(child)) for child in (task / "children").read_text().split())
    return total


CAMPAIGNS: dict[str, tuple[Campaign, int]] = {
    "T17": (run, 7_200),
    "T17-postgres": (partial(run, database="postgres"), 7_200),
}
"""With its nightly figure: seconds."""
