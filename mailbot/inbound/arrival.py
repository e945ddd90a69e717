"""When a mail in a file arrived: the time that the last server wrote on top of it."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_FIRST_RECEIVED = re.compile(rb"^received:((?:[^\r\n]*)(?:\r?\n[ \t][^\r\n]*)*)", re.IGNORECASE | re.MULTILINE)
_HEAD = 256 * 1024
_MOST_DATE = 100


def read_arrival(raw: bytes) -> datetime | None:
    """The time of the topmost Received field (RFC 5321 §4.4), aware; ``None`` where there is none to read."""
    head = re.split(rb"\r?\n\r?\n", raw[:_HEAD], maxsplit=1)[0]
    field = _FIRST_RECEIVED.search(head)
    if field is None:
        return None
    date = field[1].rpartition(b";")[2].decode("ascii", "replace").strip()
    try:
        moment = parsedate_to_datetime(" ".join(date[:_MOST_DATE].split()))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
