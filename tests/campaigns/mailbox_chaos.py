"""T6: four pollers on one Dovecot folder, in which others flag, move, expunge, and which is remade under them."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from email import message_from_bytes
from functools import partial
from pathlib import Path
from random import Random
from threading import Event, Semaphore, Thread
from typing import Any

from imapclient import DELETED, FLAGGED, SEEN
from imapclient.exceptions import IMAPClientError

from mailbot import journey
from mailbot.demo.servers import HOST, MailServers
from mailbot.errors import PermanentError, RetryableError
from mailbot.steps.app import App
from mailbot.store.tables import MailRow, OutboxRow
from tests.campaigns.ledger import UNSENT, direct_reader
from tests.campaigns.outcome import Campaign, Outcome
from tests.faults.stories import Story, told
from tests.journey.shop import Shop, open_shop
from tests.servers.dovecot import dovecot_server
from tests.servers.mta import Outgoing
from tests.servers.postgres import postgres_server
from tests.servers.processes import wait_until

_NAMES = ("cancels", "returns", "defect", "dispute", "forgot", "asks")
_FOLDER, _ELSEWHERE = "Requests", "Elsewhere"
_POLLERS = 4
_MAILS_A_RESET = 50
_KEPT = 30
_UNENDED = frozenset({"stored", "processing", "fetch_failed"})


@dataclass(slots=True, kw_only=True)
class _Chaos:
    """The folder, who looks into it, and what its other users do."""

    shop: Shop
    chance: Random
    files: Path
    told: dict[str, Story] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    deeds: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    number: int = 20_000
    sessions: Semaphore = field(default_factory=lambda: Semaphore(_POLLERS))

    @contextmanager
    def pollers(self) -> Iterator[None]:
        """Four processes of four machines look into the folder all the while."""
        over = Event()
        threads = [
            Thread(target=self._poll, args=(replace(self.shop.app, holder=f"machine{at}/boot/1/1"), over))
            for at in range(_POLLERS)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            over.set()
            for thread in threads:
                thread.join()

    def _poll(self, app: App, over: Event) -> None:
        while not over.is_set():
            try:
                with self.sessions:
                    taken = journey.receive(app, app.mailboxes[0])
            except (RetryableError, PermanentError):
                self.deeds["looks_interrupted"] += 1
            except Exception as bug:  # noqa: BLE001 (it is what this campaign looks for)
                self.problems.append(f"a poller ended: {bug!r}")
                return
            else:
                self.deeds["looks_refused" if taken is None else "looks"] += 1
            over.wait(0.1)

    def episode(self, mails: int) -> None:
        """Mails come while others are at the folder; somewhere in the middle its numbers begin anew."""
        reset_at = self.chance.randrange(mails)
        with self.pollers():
            for at in range(mails):
                self._deliver()
                self.shop.clock.forward(minutes=1)
                if at == reset_at:
                    self._reset()
                elif self.chance.random() < 0.4:
                    with suppress(IMAPClientError), self.shop.account.signed_in(_FOLDER) as program:
                        self._meddle(program)
        self._look(twice=True)
        journey.handle_all(self.shop.app)
        journey.deliver(self.shop.app)
        self.problems += self._judged()
        self._tidy()

    def _look(self, *, twice: bool) -> None:
        for _ in range(1 + twice):
            self.shop.clock.forward(minutes=61)  # a sweep is due, and no lease holds
            journey.receive(self.shop.app, self.shop.app.mailboxes[0])

    def _deliver(self) -> None:
        self.number += 1
        name = self.chance.choice(_NAMES)
        story = told(self.shop, self.number, name)
        if story.order is not None:
            self.shop.sells(story.order)
        self.told[_hash(story.mails[0])] = story
        self._append(story.mails[0], self.shop.clock.now)

    def _append(self, raw: bytes, at: datetime) -> None:
        _surely(partial(self.shop.account.append, raw, at, _FOLDER))

    def _meddle(self, program: Any) -> None:
        """What other programs of the owner do."""
        deed = self.chance.choice(("flag", "see", "move", "expunge", "copy"))
        uids = program.search()
        some = self.chance.sample(uids, min(len(uids), self.chance.randint(1, 3)))
        if not some:
            return
        self.deeds[deed] += 1
        match deed:
            case "flag":
                program.add_flags(some, [FLAGGED])
            case "see":
                program.add_flags(some, [SEEN])
            case "copy":  # the same mail twice in the folder
                program.copy(some, _FOLDER)
            case "move":
                self._note_removed(program, some)
                program.move(some, _ELSEWHERE)
            case "expunge":
                self._note_removed(program, some)
                program.add_flags(some, [DELETED])
                program.uid_expunge(some)

    def _note_removed(self, program: Any, uids: list[int]) -> None:
        self.removed |= {_hash(answer[b"BODY[]"]) for answer in program.fetch(uids, ["BODY.PEEK[]"]).values()}

    def _reset(self) -> None:
        """Numbers begin anew: the server's index is lost, or the folder is deleted and filled again."""
        deed = self.chance.choice(("index_lost", "folder_remade"))
        self.deeds[deed] += 1
        before = self._uidvalidity()
        # Dovecot numbers a folder by the second: within one, UIDs would begin anew under the same UIDVALIDITY.
        Event().wait(1.1)
        if deed == "index_lost":
            self._lose_index()
        else:
            with self.shop.account.signed_in(_FOLDER) as program:
                held = program.fetch(program.search(), ["BODY.PEEK[]", "INTERNALDATE"])
            with self._nobody_signed_in():
                self.shop.account.remake_folder(_FOLDER)
                self._uidvalidity()
            for answer in held.values():
                if self.chance.random() < 0.8:
                    self._append(answer[b"BODY[]"], answer[b"INTERNALDATE"])
                else:
                    self.removed.add(_hash(answer[b"BODY[]"]))
        if self._uidvalidity() == before:
            self.problems.append(f"{deed}: UIDVALIDITY did not change, so that nothing was tried")

    def _lose_index(self) -> None:
        with self._nobody_signed_in():
            for file in (self.files / f".{_FOLDER}").glob("dovecot*"):
                with suppress(FileNotFoundError):
                    file.unlink()
            self._uidvalidity()

    @contextmanager
    def _nobody_signed_in(self) -> Iterator[None]:
        """A session that is open would write down the old UIDVALIDITY again, over new numbers."""
        with ExitStack() as nobody:
            for _ in range(_POLLERS):
                nobody.enter_context(self.sessions)
            yield

    def _uidvalidity(self) -> int:
        found = []

        def look() -> None:
            with self.shop.account.signed_in() as program:
                found.append(program.select_folder(_FOLDER)[b"UIDVALIDITY"])

        _surely(look)
        return int(found[-1])

    def _judged(self) -> Iterator[str]:
        """By the server's book: each UID of now has one row with its bytes; each content is answered once."""
        with self.shop.account.signed_in() as program:
            uidvalidity = program.select_folder(_FOLDER)[b"UIDVALIDITY"]
            held = {
                uid: _hash(answer[b"BODY[]"])
                for uid, answer in program.fetch(program.search(), ["BODY.PEEK[]"]).items()
            }
        rows = self.shop.rows(MailRow)
        of_now = Counter(row.uid for row in rows if row.uidvalidity == uidvalidity)
        hashes = {row.uid: row.sha256 for row in rows if row.uidvalidity == uidvalidity}
        for uid, sha256 in held.items():
            if of_now[uid] != 1 or hashes[uid] != sha256:
                yield f"UID {uid} of {uidvalidity} has {of_now[uid]} rows, hash {hashes.get(uid)} for {sha256}"
        by_hash: dict[str, list[MailRow]] = {}
        for row in rows:
            by_hash.setdefault(row.sha256 or "", []).append(row)
            if row.state in _UNENDED:
                yield f"mail {row.uid} is still {row.state}"
        yield from self._misanswered(by_hash)

    def _misanswered(self, by_hash: dict[str, list[MailRow]]) -> Iterator[str]:
        letters: dict[str, list[str]] = {}
        for row in self.shop.rows(OutboxRow):
            letters.setdefault(row.recipient, []).append(row.template)
            if row.state in UNSENT:
                yield f"letter {row.id} is still {row.state}"
        copies = Counter(str(message_from_bytes(each.data)["Message-ID"]) for each in self.shop.outgoing.received())
        yield from (f"{message_id} was sent {count} times" for message_id, count in copies.items() if count != 1)
        for sha256, story in self.told.items():
            found = by_hash.get(sha256, [])
            who = str(message_from_bytes(story.mails[0])["From"])
            cases = {row.case_id for row in found if row.case_id is not None}
            if not found and sha256 not in self.removed:
                yield f"the mail of {who} was never stored"
            if len(cases) > 1:
                yield f"the mail of {who} made cases {cases}"
            first = min(found, key=lambda row: row.id, default=None)
            wanted = [] if first is None or first.held is not None else sorted(story.letters)
            if sorted(letters.get(who, [])) != wanted:
                yield f"{who} was written {letters.get(who)} instead of {wanted}"

    def _tidy(self) -> None:
        """The owner puts most mails away, and only what is still there counts from now on."""
        with self.shop.account.signed_in(_FOLDER) as program:
            away = program.search()[:-_KEPT]
            if away:
                program.move(away, _ELSEWHERE)
        self._look(twice=False)
        rows = self.shop.rows(MailRow)
        self.deeds["held"] = sum(row.held is not None and row.duplicate_of is None for row in rows)
        recent = list(self.told.items())[-3 * _MAILS_A_RESET :]
        self.told = dict(recent)


def _surely(what: Callable[[], object]) -> None:
    """Do it again until it works: while the folder is remade, Dovecot may say that it was deleted under us."""

    def works() -> bool:
        with suppress(IMAPClientError):
            what()
            return True
        return False

    wait_until(works, "the folder that was remade")


def _hash(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


@contextmanager
def _chaos(folder: Path, database: str, chance: Random) -> Iterator[_Chaos]:
    with ExitStack() as stack:
        servers = MailServers()
        servers.start()
        stack.callback(servers.stop)
        dovecot = stack.enter_context(dovecot_server())
        url = f"sqlite:///{folder}/mailbot.db"
        if database == "postgres":
            url = stack.enter_context(postgres_server()).new_database()
        account = dovecot.new_account()
        for name in (_FOLDER, _ELSEWHERE):
            account.make_folder(name)
        outgoing = Outgoing(host=HOST, port=servers.smtp_port, kept=servers.sent)
        shop = open_shop(
            folder,
            database=url,
            account=account,
            outgoing=outgoing,
            reader=direct_reader(),
            mailbox=f'folder = "{_FOLDER}"',
        )
        files = dovecot.folder / "mail" / account.username
        yield _Chaos(shop=stack.enter_context(shop), chance=chance, files=files)


def run(seed: int, rounds: int, folder: Path, database: str = "sqlite", mails: int = _MAILS_A_RESET) -> Outcome:
    """T6: so many times the folder's numbers begin anew, with so many mails to each."""
    outcome = Outcome()
    with _chaos(folder, database, Random(seed)) as chaos:
        for at in range(rounds):
            chaos.episode(mails)
            outcome.tried += 1
            outcome.failures += [f"reset {at}: {problem}" for problem in chaos.problems]
            chaos.problems.clear()
        outcome.failures += chaos.shop.broken()
        rows = chaos.shop.rows(MailRow)
        outcome.figures = {
            "mails": rounds * mails,
            "rows": len(rows),
            "letters": len(chaos.shop.rows(OutboxRow)),
            "cases": len({row.case_id for row in rows if row.case_id is not None}),
            **chaos.deeds,
        }
    return outcome


CAMPAIGNS: dict[str, tuple[Campaign, int]] = {"T6": (run, 200), "T6-postgres": (partial(run, database="postgres"), 200)}
"""With their nightly figures."""
