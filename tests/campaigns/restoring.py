"""T15: a backup is made under load, mailbot runs on, and then the backup takes the database's place."""

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from email import message_from_bytes
from functools import partial
from pathlib import Path
from random import Random
from threading import Thread
from unittest.mock import patch

from sqlalchemy import make_url

from mailbot import bootstrap, journey, operators
from mailbot.demo.servers import HOST, MailServers
from mailbot.sandbox.pool import Sandbox
from mailbot.settings import load_settings
from mailbot.store import outbox, switch
from mailbot.store.backup import back_up
from mailbot.store.tables import CaseEventRow, MailRow, OutboxRow, OutboxState, RefundRow
from mailbot.store.transaction import transaction
from tests.campaigns.ledger import ORDINARY, direct_reader
from tests.campaigns.outcome import Campaign, Outcome
from tests.faults.stories import Story, told
from tests.journey.shop import Shop, open_shop
from tests.servers.dovecot import Dovecot, dovecot_server
from tests.servers.mta import Outgoing
from tests.servers.postgres import Postgres, postgres_server

_SENT = "Sent"


@dataclass(slots=True, kw_only=True)
class _Restore:
    """One shop's life up to a backup, on from there, and on again from the backup."""

    shop: Shop
    chance: Random
    folder: Path
    postgres: Postgres | None
    told: dict[str, Story]
    number: int = 20_000

    def live(self) -> None:
        """Customers write, and mailbot makes a pass; the mail provider keeps a copy of what is sent."""
        for _ in range(self.chance.randint(1, 3)):
            self.number += 1
            name = self.chance.choice(ORDINARY)
            story = told(self.shop, self.number, name)
            self.told[f"{name}{self.number}@example.org"] = story
            if story.order is not None:
                self.shop.sells(story.order)
            self.shop.gets(*story.mails)
        self.shop.clock.forward(minutes=5)
        before = len(self.shop.outgoing.received())
        if self.chance.random() < 0.7:
            journey.poll(self.shop.app)
        else:  # decided and not yet sent
            journey.receive(self.shop.app, self.shop.app.mailboxes[0])
            journey.handle_all(self.shop.app)
        for envelope in self.shop.outgoing.received()[before:]:
            self.shop.account.append(envelope.data, self.shop.clock.now, _SENT)

    def back_up(self) -> str:
        """Copy the database while a pass is made; gives the copy's place."""
        engine = self.shop.app.engine
        if self.postgres is not None:
            engine.dispose()
            return self.postgres.copy_database(str(engine.url.database))
        copy = self.folder / "backup.db"
        copying = Thread(target=back_up, args=(engine, copy))
        copying.start()
        self.live()
        copying.join()
        return str(copy)

    @contextmanager
    def restored(self, copy: str) -> Iterator[Shop]:
        """Put the copy in the database's place, and start mailbot on it."""
        engine, app = self.shop.app.engine, self.shop.app
        engine.dispose()
        if self.postgres is not None:
            config = self.shop.config
            name = str(engine.url.database)
            config.write_text(config.read_text().replace(name, copy))
        else:
            database = Path(str(make_url(str(engine.url)).database))
            for part in ("", "-wal", "-shm"):
                database.with_name(database.name + part).unlink(missing_ok=True)
            shutil.move(copy, database)
        settings = load_settings(self.shop.config, {})
        with bootstrap.open_app(settings) as opened:
            judgement = replace(opened.judgement, clock=self.shop.clock, sandbox=app.judgement.sandbox)
            started = bootstrap.note_start(replace(opened, judgement=judgement, journal_folder=self.folder / "sending"))
            yield replace(self.shop, app=started)

    def judged(self, shop: Shop) -> Iterator[str]:
        """Start on the copy, say yes to all that waits there, and let one more customer write."""
        before = Counter(str(message_from_bytes(each.data)["Message-ID"]) for each in shop.outgoing.received())
        if shop.look(switch.find_frozen) is None:
            yield "a restored copy was not noticed"
        copied_at = shop.clock.now
        for _ in range(2):
            shop.clock.forward(minutes=61)
            journey.poll(shop.app)
        if len(shop.outgoing.received()) != before.total():
            yield "a restored copy that stands still has sent something"
        unfound = [row.id for row in shop.rows(OutboxRow) if before[row.message_id] and row.state != OutboxState.SENT]
        if unfound:
            yield f"letters {unfound} lie in the folder of sent mail and were not found there"
        told = {row.detail["message"] for row in shop.rows(CaseEventRow) if row.kind == "letter_found_sent"}
        drafts = {row.id for row in shop.rows(OutboxRow) if row.sent_at is not None and row.sent_at > copied_at}
        if told != drafts:
            yield f"cases tell of letters {sorted(told)} that were found, instead of {sorted(drafts)}"
        operators.thaw(shop.app, "boss")
        with transaction(shop.app.engine) as session:
            for case_id in {row.case_id for row in shop.rows(OutboxRow) if row.case_id is not None}:
                outbox.release_drafts(session, case_id, shop.clock.now)
        self.shop = shop
        self.live()
        for _ in range(3):
            shop.clock.forward(minutes=61)
            journey.poll(shop.app)
        yield from shop.broken()
        yield from self._misanswered(shop)

    def _misanswered(self, shop: Shop) -> Iterator[str]:
        came: dict[str, list[str]] = {}
        copies = Counter[str]()
        for envelope in shop.outgoing.received():
            message_id = str(message_from_bytes(envelope.data)["Message-ID"])
            copies[message_id] += 1
            came.setdefault(envelope.recipient, []).append(message_id)
        yield from (f"{message_id} was sent {count} times" for message_id, count in copies.items() if count > 1)
        for who, story in self.told.items():
            if len(came.get(who, [])) > len(story.letters):
                yield f"{who} was sent {len(came[who])} letters instead of {len(story.letters)}"
        orders = Counter(row.order_key for row in shop.rows(RefundRow))
        yield from (f"order {key} is refunded {count} times" for key, count in orders.items() if count > 1)
        unended = {"stored", "processing", "fetch_failed"}
        yield from (f"mail {row.uid} is still {row.state}" for row in shop.rows(MailRow) if row.state in unended)


@contextmanager
def _shop(
    folder: Path, dovecot: Dovecot, postgres: Postgres | None, reader: Sandbox, chance: Random
) -> Iterator[_Restore]:
    with ExitStack() as stack:
        servers = MailServers()
        servers.start()
        stack.callback(servers.stop)
        account = dovecot.new_account()
        account.make_folder(_SENT)
        url = f"sqlite:///{folder}/mailbot.db" if postgres is None else postgres.new_database()
        outgoing = Outgoing(host=HOST, port=servers.smtp_port, kept=servers.sent)
        shop = stack.enter_context(open_shop(folder, database=url, account=account, outgoing=outgoing, reader=reader))
        stack.enter_context(patch.object(bootstrap, "now", shop.clock))
        shop.app = bootstrap.note_start(shop.app)
        yield _Restore(shop=shop, chance=chance, folder=folder, postgres=postgres, told={})


def run(seed: int, rounds: int, folder: Path, database: str = "sqlite") -> Outcome:
    """T15: so many backups, each restored after mailbot has run on."""
    outcome, letters, found = Outcome(), 0, 0
    reader = direct_reader()
    with ExitStack() as stack:
        dovecot = stack.enter_context(dovecot_server())
        postgres = stack.enter_context(postgres_server()) if database == "postgres" else None
        for at in range(rounds):
            place = folder / str(at)
            place.mkdir()
            with _shop(place, dovecot, postgres, reader, Random(f"{seed}/{at}")) as restore:
                for _ in range(restore.chance.randint(1, 3)):
                    restore.live()
                copy = restore.back_up()
                bootstrap.count_on(restore.shop.app)
                for _ in range(restore.chance.randint(1, 3)):
                    restore.live()
                with restore.restored(copy) as shop:
                    outcome.failures += [f"restore {at}: {each}" for each in restore.judged(shop)]
                    letters += len(shop.outgoing.received())
                    found += sum(row.state == OutboxState.SENT for row in shop.rows(OutboxRow))
            outcome.tried += 1
    outcome.figures = {"letters": letters, "known_as_sent": found}
    return outcome


CAMPAIGNS: dict[str, tuple[Campaign, int]] = {
    "T15-restore": (run, 10),
    "T15-restore-postgres": (partial(run, database="postgres"), 10),
}
"""With their nightly figures."""
