"""The dashboard's figures, gathered once a minute however many people look at them; they go over a month of cases."""

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailbot.steps.app import App
from mailbot.store import stats
from mailbot.store.stats import Stats
from mailbot.store.transaction import reading

_LASTS = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """Figures, and when they were gathered."""

    stats: Stats
    at: datetime


class Figures:
    """Whoever asks while they are being gathered waits for them, and gathers none."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: Gathered | None = None

    def find(self, app: App) -> Gathered:
        """The figures of now, or of a minute ago at most."""
        now = app.now()
        with self._lock:
            if self._kept is None or abs(now - self._kept.at) >= _LASTS:
                with reading(app.engine) as session:
                    self._kept = Gathered(stats=stats.gather(session, now), at=now)
            return self._kept
