"""What may be wrong with the machine that mailbot runs on: its disk, its clock (P7)."""

import shutil
from collections.abc import Iterator
from datetime import UTC, timedelta

from sqlalchemy import make_url
from sqlalchemy.orm import Session

from mailbot.steps.app import App
from mailbot.store.instance import database_time
from mailbot.store.silence import Alarm

_LEAST_FREE = 0.10
_MOST_DRIFT = timedelta(minutes=5)


def find_full_disk(app: App) -> Iterator[Alarm]:
    """The alarm that the disk is almost full, where it is."""
    free = share_free(app)
    if free < _LEAST_FREE:
        text = f"Only {free:.0%} of the disk is free; mailbot stops taking mail in when it is full."
        yield Alarm(name="disk", text=text)


def find_drift(app: App, session: Session) -> Iterator[Alarm]:
    """The alarm that this machine's clock and the database's differ, where they do."""
    there = database_time(session)
    drift = abs(app.now() - (there if there.tzinfo else there.replace(tzinfo=UTC)))
    if drift > _MOST_DRIFT:
        text = f"This machine's clock and the database's differ by {drift.total_seconds():.0f} s; set them right."
        yield Alarm(name="clock", text=text)


def share_free(app: App) -> float:
    """Of the disk that holds a SQLite database, else of the one that mailbot was started on: 0 to 1."""
    is_file = make_url(app.settings.database.url).get_backend_name() == "sqlite"
    usage = shutil.disk_usage(app.journal_folder.parent if is_file else ".")
    return usage.free / usage.total
