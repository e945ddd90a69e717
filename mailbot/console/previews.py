"""What a page shows in a frame or as a picture, kept for a while: letters that were only tried out, drawn pages."""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable

from mailbot.sandbox.show import Drawn

_MOST = 200
_MOST_BYTES = 32_000_000


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


class Drawings:
    """The pages that were drawn last, so that the same is not drawn for every look."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str, int, int], Drawn] = OrderedDict()

    def find_or_draw(self, key: tuple[str, str, int, int], draw: Callable[[], Drawn]) -> Drawn:
        """The page of a mail's bytes (by their hash), part, number and size; whatever ``draw`` raises is raised."""
        with self._lock:
            kept = self._kept.get(key)
        drawn = draw() if kept is None else kept
        with self._lock:
            self._kept[key] = drawn
            self._kept.move_to_end(key)
            while len(self._kept) > 1 and sum(len(one.png) for one in self._kept.values()) > _MOST_BYTES:
                self._kept.popitem(last=False)
        return drawn
