"""Values in the words of the page: times, sizes, spans of time, names of states."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

_KILO = 1000


def local(moment: datetime | str, zone: ZoneInfo) -> str:
    """A time as people in the shop read it."""
    aware = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return f"{aware.astimezone(zone):%a %d %b %H:%M}"


def plain(text: object) -> str:
    """A name of ours as words."""
    return str(text).replace("_", " ")


def size(count: int) -> str:
    """How big a file is."""
    if count < _KILO:
        return f"{count} bytes"
    return f"{count / _KILO:.0f} KB" if count < _KILO**2 else f"{count / _KILO**2:.1f} MB"


_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = ("Windows", "Android", "iPhone", "iPad", "Mac", "Linux")


def browser(agent: str) -> str:
    """A browser as its person knows it, such as ``Firefox on Linux``; else what it calls itself."""
    name = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((system for system in _SYSTEMS if system in agent), "")
    return " on ".join(word for word in (name, system) if word) or agent or "unnamed browser"


def span(time: timedelta) -> str:
    """How long something is, to its two largest units; the sign is left to the page."""
    minutes = int(abs(time).total_seconds()) // 60
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {rest:02} min" if hours else f"{rest} min"
