"""What stops working at a time that is known beforehand, such as a server's certificate."""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiry:
    """One such thing.

    Attributes:
        what: its name, such as ``certificate/imap.shop.example:993`` or ``sign-in/support``.
        since: when it began to be good; ``until`` when it ends. Both aware.
    """

    what: str
    since: datetime
    until: datetime


Noted = Callable[[Expiry], None]
"""Is told how long something is good for, each time that it is seen."""


def certificate_of(server: str, shown: Mapping[str, Any] | None) -> Expiry | None:
    """How long a server's certificate is good for; ``None`` where it showed none, or does not say.

    Args:
        server: ``host:port``.
        shown: as ``ssl.SSLSocket.getpeercert`` gives it.
    """
    if not shown or "notBefore" not in shown or "notAfter" not in shown:
        return None
    since, until = (
        datetime.fromtimestamp(ssl.cert_time_to_seconds(shown[name]), UTC) for name in ("notBefore", "notAfter")
    )
    return Expiry(what=f"certificate/{server}", since=since, until=until)
