"""How money is held: an exact decimal amount of an ISO 4217 currency, never a float."""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cache, lru_cache
from typing import Self

from mailbot.errors import InputError, shown

_PLAIN_NUMBER = re.compile(r"(-?)(\d{1,12})(?:\.(\d{1,6}))?", re.ASCII)

# ISO 4217:2015 list one, as amended to 2026: every circulating currency, by its number of decimals.
_CURRENCIES_BY_DECIMALS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP "
        "CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS "
        "INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN "
        "MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE "
        "SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR "
        "ZMW ZWG"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
DECIMALS: dict[str, int] = {
    code: decimals for decimals, codes in _CURRENCIES_BY_DECIMALS.items() for code in codes.split()
}


class MoneyError(InputError):
    """An amount or a currency that cannot be money; the text names the offence, the caller the place."""


def decimals_of(currency: str) -> int:
    """Number of decimals of a currency's minor unit (ISO 4217).

    Raises:
        MoneyError: the code is not a circulating ISO 4217 currency.
    """
    try:
        return DECIMALS[currency]
    except (KeyError, TypeError):
        raise MoneyError(f"{shown(currency)} is not an ISO 4217 currency code such as USD") from None


@cache
def minor_unit(currency: str) -> Decimal:
    """The smallest amount of a currency: 1 for JPY, 0.01 for USD, 0.001 for KWD."""
    return Decimal(1).scaleb(-decimals_of(currency))


@lru_cache(maxsize=1024)
def _parsed(text: str, currency: str) -> Decimal:
    """The amount that a text states; the same few, such as ``0.00``, come again and again."""
    match = _PLAIN_NUMBER.fullmatch(text)
    if match is None:
        raise MoneyError(f'{shown(text)} is not an amount; write a decimal string such as "86.00"')
    sign, _, fraction = match.groups()
    if sign:
        raise MoneyError(f"{text!r} is negative; amounts are 0 or more")
    decimals = decimals_of(currency)
    if fraction is not None and len(fraction) > decimals:
        raise MoneyError(f"{text!r} has more decimals than {currency}, which has {decimals}")
    return Decimal(text).quantize(minor_unit(currency))


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """An exact amount of one currency in whole minor units; negative where money is taken off.

    Adding or comparing two currencies raises ``MoneyError``: nothing here converts.
    """

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        """Refuse an amount finer than the currency's minor unit."""
        if not self.amount.same_quantum(minor_unit(self.currency)):
            raise MoneyError(f"{self.amount} is not written to the minor unit of {self.currency}")

    @classmethod
    def zero(cls, currency: str) -> Self:
        """No money, of this currency."""
        return cls(amount=0 * minor_unit(currency), currency=currency)

    @classmethod
    def parse(cls, text: object, currency: str) -> Self:
        """Read a decimal string such as ``"86.00"`` exactly; ``"86"`` is the same amount.

        Args:
            text: ASCII digits with an optional point; at most 12 digits before it. A float is refused.
            currency: ISO 4217 code; decides how many decimals are allowed.

        Raises:
            MoneyError: not such a string, negative, or more decimals than the currency has.
        """
        if not isinstance(text, str):
            raise MoneyError(f'{shown(text)} is not an amount; write a decimal string such as "86.00"')
        return cls(amount=_parsed(text, currency), currency=currency)

    @classmethod
    def rounded(cls, amount: Decimal, currency: str) -> Self:
        """Round half up, away from zero, to the minor unit. Source: POLICY.md, Settlement."""
        return cls(amount=amount.quantize(minor_unit(currency), rounding=ROUND_HALF_UP), currency=currency)

    @classmethod
    def from_minor(cls, minor: int, currency: str) -> Self:
        """Money from the whole minor units that the database holds (8600 cents)."""
        return cls(amount=minor * minor_unit(currency), currency=currency)

    @property
    def minor(self) -> int:
        """Whole minor units, as the database holds them."""
        return int(self.amount.scaleb(decimals_of(self.currency)))

    def __add__(self, other: Self) -> Self:
        """Sum of two amounts of one currency."""
        return type(self)(amount=self.amount + self._same(other), currency=self.currency)

    def __sub__(self, other: Self) -> Self:
        """Difference of two amounts of one currency; may be negative."""
        return type(self)(amount=self.amount - self._same(other), currency=self.currency)

    def __neg__(self) -> Self:
        """The amount taken off instead of added; zero stays plain zero."""
        return type(self)(amount=0 - self.amount, currency=self.currency)

    def __lt__(self, other: Self) -> bool:
        """Smaller than another amount of the same currency."""
        return self.amount < self._same(other)

    def __le__(self, other: Self) -> bool:
        """At most another amount of the same currency."""
        return self.amount <= self._same(other)

    def __str__(self) -> str:
        """The decimal string of the edges: ``86.00``."""
        return f"{self.amount:f}"

    def _same(self, other: Self) -> Decimal:
        if other.currency != self.currency:
            raise MoneyError(f"{self.currency} and {other.currency} cannot be added or compared")
        return other.amount
