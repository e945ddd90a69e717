"""HTML of letters that were only tried out, kept for some minutes so that a frame can show it."""

import secrets
import threading
from collections import OrderedDict

_MOST = 200


class Previews:
    """The last previews, by a name that nobody guesses."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, str] = OrderedDict()

    def keep(self, html: str) -> str:
        """Keep one; returns its name."""
        name = secrets.token_urlsafe(16)
        with self._lock:
            self._kept[name] = html
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)
        return name

    def find(self, name: str) -> str | None:
        """One that is still kept."""
        with self._lock:
            return self._kept.get(name)
