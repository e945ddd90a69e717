"""Looking at the clocks: what has become due or was broken since the last look is told to the operators, once (P5)."""

from collections.abc import Sequence
from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from mailbot.act.notice import Due, write_alarm, write_notice
from mailbot.act.reply import Reply
from mailbot.steps.app import App
from mailbot.steps.hooks import queue_breaches
from mailbot.steps.letters import Thread, freeze
from mailbot.store import cases, clocks, outbox
from mailbot.store.tables import ClockRow
from mailbot.store.transaction import transaction

NOTICE = "notice"

log = structlog.get_logger()


def notify_fired(app: App) -> int:
    """Mark every level whose time has come as fired, and queue one notice for all of them in the same commit.

    Returns:
        How many levels fired.
    """
    with transaction(app.engine, "watch.fired") as session:
        now = app.now()
        fired = clocks.take_fired(session, now)
        if fired and app.settings.notify.address:
            _queue_notice(app, session, fired, now)
        queue_breaches(app, session, fired, now)
    for clock in fired:
        log.warning("clock_fired", case=cases.number_of(clock.case_id), kind=clock.kind, level=clock.level)
    return len(fired)


def tell_operators(app: App, session: Session, alarms: Sequence[str], name: str, now: datetime) -> bool:
    """Queue one message to operators about mailbot itself; the same ``name`` never tells twice.

    Returns:
        Whether it is news; ``False`` too where nobody is to be told by mail.
    """
    return bool(app.settings.notify.address) and _queue(app, session, write_alarm(alarms), f"alarm/{name}", now)


def _queue_notice(app: App, session: Session, fired: Sequence[ClockRow], now: datetime) -> None:
    due = [
        Due(case_number=cases.number_of(clock.case_id), kind=clock.kind, level=clock.level, due_at=clock.due_at)
        for clock in fired
    ]
    _queue(app, session, write_notice(due, app.settings.shop.zone), f"notice/{fired[0].id}", now)


def _queue(app: App, session: Session, notice: Reply, purpose: str, now: datetime) -> bool:
    to = app.settings.notify.address
    frozen = freeze(
        notice,
        app.settings,
        key=app.instance.message_key,
        instance=app.instance.name,
        case_number="notice",
        to=to,
        thread=Thread(),
        now=now,
    )
    outgoing = outbox.Outgoing(
        purpose=purpose,
        case_id=None,
        template=NOTICE,
        grade=None,
        recipient=to,
        sender=frozen.sender,
        message_id=frozen.message_id,
        content=frozen.content,
        answers=False,
        automatic=True,
        draft=False,
    )
    return outbox.add(session, outgoing, now)
