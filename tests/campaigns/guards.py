"""T18: guards of P1 to P5 are taken out of the build in turn; T3, or T4 for money and clocks, must miss each one."""

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlalchemy import select

from mailbot.settings.sections import Refunds
from mailbot.steps import sending
from mailbot.store import clocks, leases, mails, outbox
from mailbot.store.tables import ClockRow
from tests.campaigns import case_machine, simulation
from tests.campaigns.outcome import Campaign, Outcome

_AT_ONCE = 25
_MOST_SEEDS = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """One guard, and the build without it: what stands in its place.

    Attributes:
        protocol: of RELIABILITY.md.
        without: module or class, attribute, replacement.
        missed_by: the campaign that must notice.
    """

    protocol: str
    what: str
    without: tuple[tuple[Any, str, Any], ...]
    missed_by: Campaign = simulation.run


def _retried(app: Any, row: Any, problem: str) -> None:
    sending._record_retry(app, row, problem)


def _all_fired(session: Any, now: datetime) -> list[ClockRow]:
    rows = list(session.scalars(select(ClockRow).where(ClockRow.met_at.is_(None), ClockRow.due_at <= now)))
    for row in rows:
        row.fired_at = now
    return rows


_HANDLED = partial(case_machine.run, steps=50)
_NEVER = timedelta(days=10_000)

GUARDS: tuple[Guard, ...] = (
    Guard(
        protocol="P1",
        what="a poller that was overtaken commits nothing more",
        without=((leases, "keep_lease", lambda *_: None),),
    ),
    Guard(
        protocol="P1",
        what="mail of known content is a duplicate",
        without=((mails, "find_relatives", lambda *_: (None, None)),),
    ),
    Guard(
        protocol="P3",
        what="a process whose letter was taken over changes nothing about it",
        without=((outbox, "is_taken", lambda *_: True),),
    ),
    Guard(
        protocol="P2",
        what="mails that a dead process had taken are taken again",
        without=((mails, "_CLAIM_LASTS", _NEVER),),
    ),
    Guard(
        protocol="P3",
        what="a letter whose dot was said is in doubt, and not simply tried again",
        without=((sending, "_record_ambiguous", _retried),),
    ),
    Guard(
        protocol="P3",
        what="letters that a dead process was sending are seen to",
        without=((outbox, "take_abandoned", lambda *_: []),),
    ),
    Guard(
        protocol="P4",
        what="two people agree to a refund above the limit",
        without=((Refunds, "needs_two", lambda *_: False),),
        missed_by=_HANDLED,
    ),
    Guard(
        protocol="P5",
        what="a level of a clock fires once",
        without=((clocks, "take_fired", _all_fired),),
        missed_by=_HANDLED,
    ),
)
"""Every guard that the simulation, or the state machine, is shown to miss."""


def run(seed: int, rounds: int, folder: Path) -> Outcome:
    """T18: so many guards, each out of the build until the simulation finds it, for 150 sequences at most."""
    outcome = Outcome()
    for at, guard in enumerate(GUARDS[:rounds]):
        found, tried = _found(guard, seed, folder / str(at))
        outcome.expect(f"{guard.protocol}: nobody missed that {guard.what}", holds=bool(found))
        outcome.figures[f"{guard.protocol}_{at}"] = tried
    return outcome


def _found(guard: Guard, seed: int, folder: Path) -> tuple[list[str], int]:
    """What the simulation finds without the guard, and after how many sequences."""
    with ExitStack() as stack:
        for where, name, instead in guard.without:
            stack.enter_context(patch.object(where, name, instead))
        for first in range(0, _MOST_SEEDS, _AT_ONCE):
            place = folder / str(first)
            place.mkdir(parents=True)
            try:
                found = guard.missed_by(seed + first, _AT_ONCE, place).failures
            except Exception as bug:  # noqa: BLE001 (a build that breaks is found too)
                found = [repr(bug)]
            if found:
                return found, first + _AT_ONCE
    return [], _MOST_SEEDS
