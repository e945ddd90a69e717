"""T1 and T2: the process is killed at every named place, and at any instant; judged by the mail servers' own books."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailbot import journey
from mailbot.bootstrap import now
from mailbot.demo.servers import HOST, MailServers
from mailbot.store.mails import MOST_ATTEMPTS
from mailbot.store.tables import MailRow, MailState, OutboxRow
from tests.campaigns.outcome import Campaign, Outcome
from tests.faults.points import Campaign as Kills
from tests.faults.points import reached_places
from tests.faults.stories import Books
from tests.faults.zygote import Zygote
from tests.journey.shop import MORNING, Shop, open_shop
from tests.servers.dovecot import dovecot_server
from tests.servers.mta import Outgoing
from tests.servers.postgres import postgres_server

_ORDINARY = ("cancels", "returns", "twice", "again", "defect", "dispute", "forgot", "asks")
_UNPROVEN = ("unproven", "stranger")  # no more than fifty letters an hour go to them
_BATCHES_WITH_STRANGERS = 20
_A_BATCH = 13
_MAILBOT = Path(sys.executable).parent / "mailbot"


@contextmanager
def _shop(folder: Path, database: str, starts_at: datetime) -> Iterator[Shop]:
    """A shop on Dovecot, with a book that writes down every letter."""
    with ExitStack() as stack:
        servers = MailServers()
        servers.start()
        stack.callback(servers.stop)
        outgoing = Outgoing(host=HOST, port=servers.smtp_port, kept=servers.sent)
        account = stack.enter_context(dovecot_server()).new_account()
        url = f"sqlite:///{folder}/mailbot.db"
        if database == "postgres":
            url = stack.enter_context(postgres_server()).new_database()
        yield stack.enter_context(
            open_shop(folder, database=url, account=account, outgoing=outgoing, starts_at=starts_at)
        )


def points(seed: int, rounds: int, folder: Path, database: str = "sqlite") -> Outcome:
    """T1: so many kills, each at the next of all named places, in the middle of four customers' stories."""
    outcome, chance = Outcome(), Random(seed)
    with _shop(folder, database, MORNING) as shop, Zygote.start() as zygote:
        kills = Kills(shop=shop, zygote=zygote, chance=chance)
        places = reached_places(kills)
        for at in range(rounds):
            kills.kill_at(places[at % len(places)])
        outcome.tried = kills.kills
        outcome.failures += kills.faults()
        outcome.failures += [f"nobody came to {place}" for place in kills.missed]
        outcome.figures = {"places": len(places), "mails": len(shop.rows(MailRow)), **_figures(shop)}
    return outcome


def instants(seed: int, rounds: int, folder: Path, database: str = "sqlite") -> Outcome:
    """T2: so many kills of the command ``mailbot poll`` at any instant, while fifteen mails come for each."""
    outcome, chance = Outcome(), Random(seed)
    began = now()
    with _shop(folder, database, began - timedelta(hours=1)) as shop:
        books = Books(shop=shop)
        shop.clock.now = began
        longest = _kill(shop, None) or 1.0
        while outcome.tried < rounds:
            if outcome.tried * _A_BATCH >= len(books.told):
                strangers = _UNPROVEN if len(books.told) < _BATCHES_WITH_STRANGERS * _A_BATCH else ()
                books.tell([*(chance.choice(_ORDINARY) for _ in range(_A_BATCH - len(strangers))), *strangers])
            spared = shop.look(_is_at_its_last_try)
            ended_in = _kill(shop, None if spared else chance.uniform(0.3, 1.0) * longest)
            outcome.tried += ended_in is None
            longest += 0.2 * (0.0 if ended_in is None else ended_in - longest)
        for _ in range(2):
            _kill(shop, None)
        shop.clock.now = now() + timedelta(minutes=20)
        journey.poll(shop.app)  # what was left in doubt
        resent = sum(row.resent for row in shop.rows(OutboxRow))
        books.doubtful = resent
        outcome.failures += books.faults()
        outcome.figures = {"mails": len(shop.rows(MailRow)), **_figures(shop)}
    return outcome


def _is_at_its_last_try(session: Session) -> bool:
    """Whether a mail was twice killed with us: a person would get it after a third time (P2), and that is no fault."""
    stored = (MailState.STORED, MailState.PROCESSING)
    tried = select(MailRow.id).where(MailRow.state.in_(stored), MailRow.attempts >= MOST_ATTEMPTS - 1)
    return session.scalar(tried.limit(1)) is not None


def _kill(shop: Shop, after: float | None) -> float | None:
    """Run one pass of the command; killed after so many seconds. Gives how long it took where it ended by itself."""
    began = time.monotonic()
    with subprocess.Popen(
        [_MAILBOT, "poll", "--config", shop.config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            assert process.wait(after) == 0
        except subprocess.TimeoutExpired:
            process.kill()
            return None
    return time.monotonic() - began


def _figures(shop: Shop) -> dict[str, float]:
    letters = shop.rows(OutboxRow)
    return {"letters": len(letters), "resent_after_doubt": sum(row.resent for row in letters)}


CAMPAIGNS: dict[str, tuple[Campaign, int]] = {
    "T1": (points, 960),
    "T1-postgres": (partial(points, database="postgres"), 960),
    "T2": (instants, 1_000),
    "T2-postgres": (partial(instants, database="postgres"), 1_000),
}
"""With their nightly figures."""
