"""Who looks at which case just now; kept in memory, for it is stale within a minute anyway."""

import threading
from datetime import datetime, timedelta

_LASTS = timedelta(seconds=20)
_ONE_LOOK = timedelta(minutes=30)


class Presence:
    """Told by each open page every few seconds; asked who else is there."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, str], datetime] = {}
        self._noted: dict[tuple[str, str], datetime] = {}

    def look(self, case: str, name: str, now: datetime) -> list[str]:
        """Note that somebody looks at a case; returns who else does."""
        with self._lock:
            self._seen[case, name] = now
            self._seen = {place: at for place, at in self._seen.items() if at > now - _LASTS}
            return sorted(who for seen_case, who in self._seen if seen_case == case and who != name)

    def is_new_look(self, case: str, name: str, now: datetime) -> bool:
        """Whether the audit should note that somebody looks at a case: once in half an hour."""
        with self._lock:
            self._noted = {place: at for place, at in self._noted.items() if at > now - _ONE_LOOK}
            known = (case, name) in self._noted
            self._noted.setdefault((case, name), now)
            return not known
