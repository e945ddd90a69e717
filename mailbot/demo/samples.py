"""The sample customers: their mails and their orders, all dated as if everything happened in the last days.

``{{days_ago:3}}`` stands for a date and ``{{days_ago:3|EEEE}}`` for one in a pattern of Unicode TR 35;
``{{minutes_ago:5}}`` stands for a time as headers write it (RFC 5322 §3.3).
"""

import base64
import json
import re
import tomllib
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from functools import partial
from importlib import resources
from zoneinfo import ZoneInfo

from babel.dates import format_date

from mailbot.inbound.arrival import read_arrival
from mailbot.model.book import BookedOrder, parse_booked_order

_FILES = resources.files("mailbot.demo")
_PLACE = re.compile(r"\{\{(days|minutes)_ago:(\d{1,5})(?:\|([^{}|]{1,40}))?\}\}", re.ASCII)
_ENCODED = re.compile(r"(?i:(content-transfer-encoding: base64\n(?:\S[^\n]*\n|[ \t][^\n]+\n)*\n))([A-Za-z0-9+/=\n]+)")
_PDF = b"%PDF-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One mail of the demonstration.

    Attributes:
        name: of its file.
        what: one line that says what it shows.
        raw: the message with CRLF line ends.
        received_at: when it reached the mailbox, by its topmost Received field.
    """

    name: str
    what: str
    raw: bytes
    received_at: datetime


def sample_mails(now: datetime, zone: ZoneInfo) -> list[Sample]:
    """Every sample mail, in the order of arrival; the last one came a quarter of an hour before ``now``.

    Args:
        now: aware.
        zone: the shop's; its calendar days are counted.
    """
    shown = tomllib.loads(_FILES.joinpath("mails.toml").read_text(encoding="utf-8"))
    mails = [_sample(name, what, now.astimezone(zone)) for name, what in shown.items()]
    return sorted(mails, key=lambda mail: mail.received_at)


def sample_orders(now: datetime, zone: ZoneInfo) -> list[BookedOrder]:
    """The order book that the sample mails are about; arguments as of ``sample_mails``."""
    text = _FILES.joinpath("orders.json").read_text(encoding="utf-8")
    return [parse_booked_order(form) for form in json.loads(_filled(text, now.astimezone(zone)))]


def _sample(name: str, what: str, now: datetime) -> Sample:
    stored = _FILES.joinpath("mails", name).read_bytes().replace(b"\r\n", b"\n")
    text = _ENCODED.sub(partial(_encoded_filled, now=now), stored.decode("latin-1"))
    raw = _filled(text, now).replace("\n", "\r\n").encode("latin-1")
    return Sample(name=name, what=what, raw=raw, received_at=read_arrival(raw) or now)


def _encoded_filled(match: re.Match[str], now: datetime) -> str:
    content = base64.b64decode(match[2])
    filled = _filled(content.decode("latin-1"), now, same_length=content.startswith(_PDF)).encode("latin-1")
    return match[0] if filled == content else match[1] + base64.encodebytes(filled).decode()


def _filled(text: str, now: datetime, *, same_length: bool = False) -> str:
    """A text with every placeholder filled; ``same_length`` pads with spaces, so that a PDF's offsets still hold."""

    def date_of(match: re.Match[str]) -> str:
        unit, count, pattern = match.groups()
        moment = now - timedelta(**{unit: int(count)})
        if unit == "minutes":
            return format_datetime(moment.replace(microsecond=0))
        return format_date(moment.date(), pattern or "yyyy-MM-dd", locale="en_US").ljust(len(match[0]) * same_length)

    return _PLACE.sub(date_of, text)
