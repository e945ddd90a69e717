"""Stopping when in doubt, and telling when nothing happens: invariants are proved and silence is noticed (P7)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from mailbot.steps import hooks
from mailbot.steps.app import App
from mailbot.steps.expiring import find_expiring
from mailbot.steps.machine import find_full_disk
from mailbot.steps.watch import tell_operators
from mailbot.store import switch
from mailbot.store.check import Finding, check
from mailbot.store.silence import Alarm, find_alarms
from mailbot.store.transaction import reading, transaction

_LOOK_BACK = timedelta(hours=1)
_MOST_DRIFT = timedelta(minutes=5)

log = structlog.get_logger()


def prove_invariants(app: App) -> list[Finding]:
    """Prove every invariant on what is new, and stop automatic mail and money where one does not hold.

    Returns:
        Those that do not hold.
    """
    with reading(app.engine) as session:
        broken = [found for found in check(session, app.now() - _LOOK_BACK) if found.broken]
    if broken:
        _stop(app, "; ".join(f"{found.invariant} ({found.what})" for found in broken))
    return broken


def _stop(app: App, broken: str) -> None:
    with transaction(app.engine, "guard.stopped") as session:
        now, reason = app.now(), f"does not hold: {broken}"
        if switch.freeze(session, "mailbot", reason, now):
            text = (
                f"Automatic mail and refunds have been stopped, because this {reason}. mailbot refund thaw ends that."
            )
            _tell(app, session, text, f"stopped/{now.isoformat()}", now)
    log.error("invariant_broken", problem=broken)


def notice_silence(app: App) -> list[Alarm]:
    """Tell operators of everything that has not happened for too long or ends soon, each once a day.

    Returns:
        Every alarm that holds now.
    """
    with transaction(app.engine, "guard.silence") as session:
        now = app.now()
        mailboxes = [(mailbox.name, mailbox.folder_name) for mailbox in app.mailboxes]
        alarms = [*find_alarms(session, mailboxes, now), *find_full_disk(app), *find_expiring(app, session)]
        for alarm in alarms:
            _tell(app, session, alarm.text, alarm.name if alarm.once else f"{alarm.name}/{now:%Y-%m-%d}", now)
    for alarm in alarms:
        log.warning("alarm", why=alarm.name)
    return alarms


@dataclass(frozen=True, slots=True)
class Tick:
    """What two clocks showed at one moment: the one on the wall, and one that is never set, in seconds."""

    at: datetime
    running: float


def notice_drift(app: App, before: Tick, running: float) -> Tick:
    """Tell operators when the machine's clock was set, or stood still, by over five minutes since the tick before.

    Cases' clocks fire by the time stored with them: a jump makes a warning early or late, never lost or double.

    Source: RELIABILITY.md, P5 and P7.
    """
    tick = Tick(app.now(), running)
    drift = tick.at - before.at - timedelta(seconds=running - before.running)
    if abs(drift) > _MOST_DRIFT:
        minutes = f"{abs(drift) / timedelta(minutes=1):.0f} minutes {'ahead' if drift > timedelta() else 'back'}"
        text = f"This machine's clock went {minutes}, by {tick.at:%Y-%m-%d %H:%M} UTC: see whether it is right."
        with transaction(app.engine) as session:
            _tell(app, session, text, f"drift/{tick.at.isoformat()}", tick.at)
        log.warning("alarm", why="clock_drift")
    return tick


def _tell(app: App, session: Session, text: str, name: str, now: datetime) -> None:
    """By mail and, as the mail's own server may be what is silent, by webhook."""
    tell_operators(app, session, [text], name, now)
    hooks.queue_alarm(app, session, name, text, now)
