"""The table of minor units, held against CLDR's (by babel); where they differ ISO 4217 is right, and it says why."""

from datetime import date

import pytest
from babel.core import get_global
from babel.numbers import get_currency_precision, get_territory_currencies, list_currencies

from mailbot.model.money import DECIMALS

TODAY = date(2026, 11, 23)
# ISO 4217 gives these a minor unit; CLDR gives the digits of prices where its coins are no longer used.
COINS_OUT_OF_USE = {
    **dict.fromkeys(("AFN", "ALL", "IRR", "KPW", "LAK", "LBP", "MGA", "MMK", "RSD", "SOS", "SYP", "YER"), (2, 0)),
    "IQD": (3, 0),
}
# In ISO 4217, though nobody pays with them in CLDR's territories: the second tenders of El Salvador and Venezuela, and
# the units of account in which Chile and Uruguay write prices.
NOT_IN_PURSES = {"SVC", "VED", "CLF", "UYI", "UYW"}
# Bulgaria has had the euro since 1 January 2026; CLDR 48 does not know it yet.
OF_THE_PAST = {"BGN"}


@pytest.mark.parametrize("currency", sorted(DECIMALS))
def test_minor_units_are_those_of_cldr_or_of_iso_where_coins_are_out_of_use(currency: str) -> None:
    iso, cldr = DECIMALS[currency], get_currency_precision(currency)
    expected = COINS_OUT_OF_USE.get(currency, (cldr, cldr))
    assert (iso, cldr) == expected


def test_every_currency_that_is_tender_somewhere_is_known() -> None:
    tender = {
        currency
        for territory in get_global("territory_currencies")
        for currency in get_territory_currencies(territory, TODAY, TODAY)
    }
    assert tender - set(DECIMALS) <= OF_THE_PAST
    assert set(DECIMALS) - tender == NOT_IN_PURSES


def test_every_code_is_one_of_a_currency() -> None:
    assert set(DECIMALS) <= list_currencies()
