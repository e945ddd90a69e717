"""The words and forms of one language: what stands inside values, and how days, times and sums are written in it."""

import re
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_time, get_timezone_name
from babel.numbers import NumberPattern

from mailbot.act.markup import Text, fill
from mailbot.model.decision import ReturnPostage
from mailbot.model.money import Money, decimals_of

# What a reader does not see, white space apart: control, bidi and zero-width characters, half surrogate pairs, tags.
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e0fff]"
)
_BETWEEN_CODE_AND_DIGIT = re.compile(r"(?<=[A-Za-z])(?=\d)")
BILL = ("items", "outbound_shipping", "transaction_fee", "already_refunded", "cap_adjustment")
MISSING = ("order_number", "invoice")
STATUS: Mapping[str, frozenset[str]] = {
    "refund_due": frozenset({"refund", "refund_by"}),
    "refunded": frozenset({"refund", "paid_on"}),
    "return_approved": frozenset({"dispatch_by"}),
    "goods_on_the_way": frozenset({"refund_within"}),
    "received": frozenset({"refund_within"}),
}
"""The states of a case that a letter can tell about, and the values that it says of each."""
LINKS = ("policy", "care_guide", "faq")
PROOF_LINK = "links.proof"
PHRASES: Mapping[str, frozenset[str]] = {
    "greeting": frozenset(),
    "greeting_named": frozenset({"customer_name"}),
    "no_subject": frozenset({"shop_name"}),
    "closing": frozenset(),
    "moment": frozenset({"date", "time", "zone"}),
    "day": frozenset(),
    "hours": frozenset({"count"}),
    "parcel_sender": frozenset(),
    "send_back": frozenset(),
    "part": frozenset(),
    "reference.case": frozenset({"case_number"}),
    "reference.order": frozenset({"order_number"}),
    **{f"return_postage.{postage}": frozenset() for postage in ReturnPostage},
    **{f"bill.{line}": frozenset() for line in (*BILL, "refund")},
    **{f"missing.{what}": frozenset() for what in MISSING},
    **{f"status.{state}": names for state, names in STATUS.items()},
    **{f"links.{link}": frozenset() for link in LINKS},
    PROOF_LINK: frozenset(),
}
"""Every phrase of ``phrases.toml``, and the values that may stand in it."""


@dataclass(frozen=True, slots=True)
class Phrases:
    """The words of one language that stand inside values, and its forms of dates, times and sums.

    Attributes:
        texts: by the keys of ``PHRASES``.
    """

    locale: Locale
    texts: Mapping[str, Text]

    def say(self, key: str, **values: str) -> str:
        """A phrase with its values."""
        return fill(self.texts[key], values.__getitem__) or ""

    def day(self, day: date) -> str:
        """A calendar day with its weekday, by the language's own pattern (Unicode TR 35)."""
        return format_date(day, self.texts["day"][0], locale=self.locale)

    def moment(self, moment: datetime, zone: ZoneInfo) -> str:
        """A time in the shop's zone, with the zone's name."""
        local = moment.astimezone(zone)
        time = format_time(local, "short", tzinfo=zone, locale=self.locale)
        name = get_timezone_name(local, "long", locale=self.locale)
        return self.say("moment", date=self.day(local.date()), time=_unbroken(time), zone=name)

    def hours(self, length: timedelta) -> str:
        """A length of time in whole hours."""
        return _unbroken(self.say("hours", count=str(length // timedelta(hours=1))))

    def money(self, money: Money) -> str:
        """An amount to the currency's own minor unit (ISO 4217), which a locale's habits may not round."""
        pattern = _sum_pattern(self.locale, decimals_of(money.currency))
        written = pattern.apply(money.amount, self.locale, currency=money.currency, currency_digits=False)
        return _unbroken(_BETWEEN_CODE_AND_DIGIT.sub(" ", written))


def _unbroken(written: str) -> str:
    """With no-break spaces of the one kind that every font has; the plain text makes them plain after wrapping."""
    return written.replace("\u202f", "\u00a0").replace(" ", "\u00a0")


@lru_cache(maxsize=64)
def _sum_pattern(locale: Locale, decimals: int) -> NumberPattern:
    pattern: NumberPattern = copy(locale.currency_formats["standard"])
    pattern.frac_prec = (decimals, decimals)
    return pattern


def clean(text: str) -> str:
    """One line without control, bidi or invisible characters; white space of any length is one space."""
    return " ".join(_UNSEEN.sub("", text).split())


def cut(text: str, most: int) -> str:
    """At most so many characters, with an ellipsis where some are missing."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}\u2026"
