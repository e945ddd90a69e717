"""What will stop working soon: certificates, sign-ins, and passwords and keys whose last day the owner wrote down."""

import threading
from collections.abc import Iterator
from datetime import datetime, time, timedelta

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from mailbot.model.expiry import Expiry
from mailbot.settings import Settings
from mailbot.steps.app import App
from mailbot.store import expiries
from mailbot.store.silence import Alarm
from mailbot.store.transaction import transaction

_LEVELS = (1, 7, 14)
_LATEST_WARNING = 1 / 3
"""Of its life: what is made anew every few days is not warned of all the time."""
_DAY = timedelta(days=1)
_MEND = {
    "certificate": "whoever runs that server must renew it",
    "sign-in": "run mailbot auth login",
    "secret": "get a new one and write its day into secrets.expires",
}


class Expiries:
    """Keeps in the database how long certificates are good for; writes only what is news. For any thread."""

    def __init__(self, engine: Engine) -> None:
        """Know of nothing yet."""
        self._engine, self._known, self._lock = engine, dict[str, Expiry](), threading.Lock()

    def __call__(self, expiry: Expiry) -> None:
        """Note how long something is good for.

        Raises:
            RetryableError: the database is not there.
        """
        with self._lock:
            if self._known.get(expiry.what) == expiry:
                return
            with transaction(self._engine) as session:
                expiries.put(session, expiry)
            self._known[expiry.what] = expiry


def find_expiring(app: App, session: Session) -> Iterator[Alarm]:
    """An alarm for all that ends within 14 days, told again at 7 days, at 1, and every day from its end on (P7)."""
    now, watched = app.now(), _watched(app.settings)
    known = [expiry for expiry in expiries.find_all(session) if expiry.what in watched]
    for expiry in (*known, *_written_down(app.settings, now)):
        left = expiry.until - now
        if left <= min(_LEVELS[-1] * _DAY, (expiry.until - expiry.since) * _LATEST_WARNING):
            level = next(days for days in _LEVELS if left <= days * _DAY)
            yield _alarm(app.settings, expiry, level if left > timedelta() else 0)


def _watched(settings: Settings) -> set[str]:
    """What the configuration still has to do with."""
    servers = {f"certificate/{server.host}:{server.port}" for server in (*settings.mailboxes, settings.smtp)}
    return servers | {f"sign-in/{mailbox.name}" for mailbox in settings.mailboxes if mailbox.oauth}


def _written_down(settings: Settings, now: datetime) -> Iterator[Expiry]:
    for name, day in settings.secrets.expires.items():
        ends = datetime.combine(day, time(), settings.shop.zone)
        yield Expiry(what=f"secret/{name}", since=min(now, ends) - 100 * _DAY, until=ends)


def _alarm(settings: Settings, expiry: Expiry, level: int) -> Alarm:
    kind, _, name = expiry.what.partition("/")
    thing = {"certificate": f"The certificate of {name}", "sign-in": f"The sign-in of mailbox {name}", "secret": name}
    when = f"{expiry.until.astimezone(settings.shop.zone):%Y-%m-%d %H:%M %Z}"
    mend = f"{_MEND[kind]} {name}" if kind == "sign-in" else _MEND[kind]
    text = f"{thing[kind]} {f'ends on {when}' if level else f'has ended on {when}'}: {mend}."
    return Alarm(name=f"expiry/{kind}/{name[-50:]}/{expiry.until:%Y-%m-%d}/{level}", text=text, once=level > 0)
