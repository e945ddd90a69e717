"""What stands above every page while something is wrong with mailbot itself: silence, a switch that was thrown (P7)."""

import threading
from datetime import datetime, timedelta

from mailbot.steps.app import App
from mailbot.steps.expiring import find_expiring
from mailbot.steps.machine import find_full_disk
from mailbot.store import silence
from mailbot.store.transaction import reading

_LASTS = timedelta(seconds=20)


class Banner:
    """Looks again after some seconds, not for every page."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._looked_at: datetime | None = None
        self._texts: tuple[str, ...] = ()

    def texts(self, app: App) -> tuple[str, ...]:
        """What is wrong now, a sentence each."""
        now = app.now()
        with self._lock:
            if self._looked_at is None or abs(now - self._looked_at) > _LASTS:
                mailboxes = [(mailbox.name, mailbox.folder) for mailbox in app.settings.mailboxes]
                with reading(app.engine) as session:
                    alarms = [*silence.find_alarms(session, mailboxes, now), *find_expiring(app, session)]
                self._texts = tuple(alarm.text for alarm in [*alarms, *find_full_disk(app)])
                self._looked_at = now
            return self._texts
