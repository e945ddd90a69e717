"""T3: one seed, one sequence: up to four workers on fake servers are cut, killed, overtaken and let go on."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import patch

from sqlalchemy import select

from mailbot import failpoints, journey
from mailbot.errors import RetryableError
from mailbot.steps import sending
from mailbot.steps.app import App
from mailbot.store.tables import CaseRow, LeaseRow, MailRow, MailState, OutboxRow, OutboxState, RefundRow
from tests.campaigns.desk import Desk, open_desk
from tests.campaigns.fakes import FakeMailbox, FakeTransport
from tests.campaigns.outcome import Outcome
from tests.faults.stories import Story, told

NAMES = ("cancels", "returns", "twice", "again", "defect", "dispute", "forgot", "asks", "unproven", "stranger")
_UNSENT = {OutboxState.QUEUED, OutboxState.SENDING, OutboxState.AMBIGUOUS}
_FAULT_SHARE = 0.08
_INTRUSION_SHARE = 0.05
_MOST_PASSES = 12
_KILLED_THRICE = "three attempts ended in a crash"
_STALL_SHARE = 0.2
_STALLS = (31, 16, 1)
"""Minutes before each thing that another does meanwhile: to take a letter over, to settle its doubt, to send it."""
_SENDING = ("smtp.", "journal.", "send.taken")
_TRACE = b"Received: from list.example.org by mx.shop.example with ESMTPS id again\r\n"
_GIVEN_UP = ("intake.lease_taken", "intake.lease_given_up")


class Killed(BaseException):
    """What a SIGKILL is in a simulation: nothing catches it."""


@dataclass(slots=True)
class _Worker:
    """One process; a new one takes its place when it is killed."""

    app: App
    killed: bool = False


@dataclass(slots=True)
class World:
    """One shop, its servers, its workers, and all that befalls them."""

    desk: Desk
    chance: Random
    mailbox: FakeMailbox = field(default_factory=FakeMailbox)
    transport: FakeTransport = field(init=False)
    workers: list[_Worker] = field(default_factory=list)
    active: list[_Worker] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    told: dict[str, Story] = field(default_factory=dict)
    calm: bool = False
    born: int = 0
    number: int = 30_000
    overtaken: bool = False
    outrun: list[str] = field(default_factory=list)
    sent: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Put servers and workers in place."""
        self.transport = FakeTransport(self.chance, share=_FAULT_SHARE)
        self.mailbox.trouble = self.meet_trouble

    def worker(self) -> _Worker:
        """A fresh process, on a machine of its own: nobody can tell whether it lives but by time."""
        self.born += 1
        app = replace(
            self.desk.app,
            mailboxes=(cast("Any", self.mailbox),),
            transport=cast("Any", self.transport),
            holder=f"machine{self.born}/boot/1/1",
        )
        return _Worker(app)

    def meet_trouble(self, what: str) -> None:
        """A link to the mailbox may break before or after anything."""
        if not self.calm and self.chance.random() < _FAULT_SHARE / 4:
            self.faults[f"link broke at {what}"] += 1
            raise RetryableError("the link broke")

    def reached(self, name: str, side: str) -> None:
        """At any place a process may be killed, and where it holds no transaction another may come between."""
        if not self.active:
            return
        worker = self.active[-1]
        if worker.killed:
            raise Killed
        if self.calm:
            return
        if self.chance.random() < _FAULT_SHARE / 8:
            worker.killed = True
            self.faults[f"killed {side} {name}"] += 1
            raise Killed
        if self.overtaken and side == failpoints.AFTER and name.startswith("intake.") and name not in _GIVEN_UP:
            self._expect_lease(worker, name)
        outside = side == failpoints.AFTER or name.startswith(("imap.", "mail.", "smtp."))
        if outside and len(self.active) == 1 and self.chance.random() < _INTRUSION_SHARE:
            self._intrude(name)

    def _intrude(self, name: str) -> None:
        """Another process comes between; at times this one stands still meanwhile, for so long that it is given up."""
        self.overtaken = True
        stalled = self.chance.random() < _STALL_SHARE
        self.faults[f"stood still at {name}" if stalled else "another came between"] += 1
        for minutes in _STALLS if stalled else (0,):
            self.desk.forward(minutes=minutes)
            sends = stalled and name.startswith(_SENDING)
            self.act(self.chance.choice(self.workers), journey.deliver if sends else None)
        self.transport.stood_still = stalled
        if stalled:
            self.sent = {row.id for row in self.desk.rows(OutboxRow) if row.state == OutboxState.SENT}

    def _expect_lease(self, worker: _Worker, name: str) -> None:
        """Whoever was overtaken must not commit (P1)."""
        holder = self.desk.look(lambda session: session.scalar(select(LeaseRow.holder)))
        if holder != worker.app.holder:
            self.outrun.append(f"{name} was committed by {worker.app.holder} while {holder} had the lease")

    def act(self, worker: _Worker, deed: Callable[[App], object] | None = None) -> None:
        """One worker does one thing, this or any, and may not live to see its end."""
        deeds: tuple[Callable[[App], object], ...] = (
            lambda app: journey.receive(app, app.mailboxes[0]),
            journey.handle_all,
            journey.deliver,
            journey.watch_clocks,
            journey.poll,
        )
        self.active.append(worker)
        self.overtaken &= len(self.active) > 1
        with suppress(Killed, RetryableError):
            (deed or self.chance.choice(deeds))(worker.app)
        self.active.pop()
        if self.sent and not self.active:
            again = [row for row in self.desk.rows(OutboxRow) if row.id in self.sent and row.state != OutboxState.SENT]
            self.outrun += [
                f"letter {row.id} was sent, and then {row.state} by a process that was late" for row in again
            ]
            self.sent.clear()
        if worker.killed and worker in self.workers:
            self.workers[self.workers.index(worker)] = self.worker()

    def episode(self) -> None:
        """Some customers write, all sorts of things happen, and then the weather is fair until all is done."""
        self.calm, self.transport.share = False, _FAULT_SHARE
        self.workers = [self.worker() for _ in range(self.chance.randint(1, 4))]
        for _ in range(self.chance.randint(8, 16)):
            befalls = self.chance.random()
            if befalls < 0.3:
                self._write()
            elif befalls < 0.4:
                minutes = self.chance.choice((-3, 1, 6, 11, 31, 90))
                self.desk.forward(minutes=minutes)
                self.faults[f"clock {minutes:+} min"] += 1
            else:
                self.act(self.chance.choice(self.workers))
        self.mend()
        if self.chance.random() < 0.2:  # what is known already comes again under other UIDs
            self.mailbox.remake()
            self.faults["folder remade"] += 1
            self.mend()

    def _write(self) -> None:
        self.number += 1
        name = self.chance.choice(NAMES)
        shop = SimpleNamespace(clock=SimpleNamespace(now=self.desk.now))
        story = told(cast("Any", shop), self.number, name)
        self.told[f"{name}{self.number}@example.org"] = story
        self.desk.sells([story.order] if story.order else [])
        for raw in story.mails:
            self.mailbox.deliver(raw, self.desk.now)
            if self.chance.random() < 0.1:
                again = self.chance.random() < 0.5  # by another way, which shows in its trace alone
                self.mailbox.deliver(_TRACE + raw if again else raw, self.desk.now)
                self.faults["delivered twice, by another way" if again else "delivered twice"] += 1

    def mend(self) -> None:
        """A worker that nothing happens to, until nothing is left to do."""
        self.calm, self.transport.share = True, 0.0
        worker = self.worker()
        for _ in range(_MOST_PASSES):
            self.desk.forward(minutes=32)
            self.active = [worker]
            journey.poll(worker.app)
            self.active = []
            if not any(row.state in _UNSENT for row in self.desk.rows(OutboxRow)[-60:]):
                return
            self.desk.forward(minutes=60)


def _misanswered(world: World) -> Iterator[str]:
    """By what the submission server took, beside what each story asks for."""
    taken = Counter(str(message_from_bytes(each.data)["Message-ID"]) for each in world.transport.taken)
    letters: dict[str, list[OutboxRow]] = {}
    for row in world.desk.rows(OutboxRow):
        letters.setdefault(row.recipient, []).append(row)
        copies = taken.pop(row.message_id, 0)
        if row.state in _UNSENT:
            yield f"letter {row.id} is still {row.state}"
        least = 1 if row.state == OutboxState.SENT else 0
        if not least <= copies <= 1 + row.resent:
            yield f"letter {row.id} ({row.state}, resent {row.resent}) came {copies} times"
    yield from (f"a letter that nobody wrote came: {unknown}" for unknown in taken)
    parked = {row.sender for row in world.desk.rows(MailRow) if row.state == "parked"}
    has_parked = any(row.state == "parked" for row in world.desk.rows(MailRow))
    for who, story in world.told.items():
        got = sorted(row.template for row in letters.pop(who, []))
        if got != sorted(story.letters) and who not in parked and not (has_parked and not got):
            yield f"{who} was written {got} instead of {sorted(story.letters)}"
    yield from (f"{who} never wrote" for who in letters)


def _lost(world: World) -> Iterator[str]:
    rows = world.desk.rows(MailRow)
    stored = {(row.uidvalidity, row.uid) for row in rows}
    for uid in world.mailbox.kept:
        if (world.mailbox.uidvalidity, uid) not in stored:
            yield f"mail {uid} was never stored"
    yield from (f"mail {row.id} is still {row.state}" for row in rows if row.state in {"stored", "processing"})


def _twice_handled(world: World) -> Iterator[str]:
    """Equal content is handled once; every further copy is a duplicate (I3)."""
    keys = Counter(row.content_key for row in world.desk.rows(MailRow) if row.state != MailState.DUPLICATE)
    yield from (
        f"mails of content {key[:8]} were handled {times} times" for key, times in keys.items() if key and times > 1
    )


def _judged(world: World) -> Iterator[str]:
    yield from world.desk.broken()
    yield from world.outrun
    parked = (row for row in world.desk.rows(MailRow) if row.state == MailState.PARKED)
    yield from (f"mail {row.id} was parked by {row.problem}" for row in parked if row.problem != _KILLED_THRICE)
    yield from _lost(world)
    yield from _twice_handled(world)
    yield from _misanswered(world)
    owed = sum(story.refund for story in world.told.values())
    due = len(world.desk.rows(RefundRow))
    parked = sum(row.state == "parked" for row in world.desk.rows(MailRow))
    if not owed - parked <= due <= owed:
        yield f"{due} refunds are due instead of {owed}"


@contextmanager
def _world(folder: Path, chance: Random) -> Iterator[World]:
    with open_desk(folder) as desk, patch.object(sending, "_ONE_PASS", nullcontext()):
        world = World(desk, chance)
        failpoints.arm(world.reached)
        try:
            yield world
        finally:
            failpoints.arm(None)


def run(seed: int, rounds: int, folder: Path) -> Outcome:
    """So many episodes, each from a seed of its own that repeats it."""
    outcome, faults = Outcome(), Counter[str]()
    most = 25  # episodes on one database, whose books grow all the while
    for first in range(0, rounds, most):
        place = folder / str(first)
        place.mkdir()
        with _world(place, Random(f"{seed}/{first}")) as world:
            for at in range(first, min(first + most, rounds)):
                world.chance.seed(f"{seed}/{at}")
                world.episode()
            found = list(_judged(world))
            faults += world.faults + Counter(world.transport.faults)
            outcome.figures["mails"] = outcome.figures.get("mails", 0) + len(world.desk.rows(MailRow))
            outcome.figures["cases"] = outcome.figures.get("cases", 0) + len(world.desk.rows(CaseRow))
        outcome.tried += min(most, rounds - first)
        outcome.failures += [f"seeds {seed}/{first}-{first + most - 1}: {each}" for each in found]
    outcome.figures |= {"faults": faults.total(), "kinds_of_fault": len(faults)}
    outcome.figures["kills"] = sum(times for name, times in faults.items() if name.startswith("killed"))
    return outcome
