"""Money is exact, of one currency, and never finer than its minor unit."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.model.money import DECIMALS, Money, MoneyError, decimals_of, minor_unit

MINOR = st.integers(min_value=-(2**62), max_value=2**62)
CURRENCY = st.sampled_from(["JPY", "USD", "KWD", "CLF"])


@pytest.mark.parametrize(
    ("text", "currency", "written", "minor"),
    [
        pytest.param("86", "USD", "86.00", 8600, id="USD without a point"),
        pytest.param("86.5", "USD", "86.50", 8650, id="USD with one decimal"),
        pytest.param("86.05", "USD", "86.05", 8605, id="USD"),
        pytest.param("0", "USD", "0.00", 0, id="nothing"),
        pytest.param("007.00", "USD", "7.00", 700, id="leading zeros"),
        pytest.param("999999999999.99", "USD", "999999999999.99", 99999999999999, id="the most"),
        pytest.param("86", "JPY", "86", 86, id="JPY"),
        pytest.param("0.001", "KWD", "0.001", 1, id="KWD, one fils"),
        pytest.param("1.0001", "CLF", "1.0001", 10001, id="CLF, four decimals"),
    ],
)
def test_a_decimal_string_is_read_exactly(text: str, currency: str, written: str, minor: int) -> None:
    money = Money.parse(text, currency)
    assert (str(money), money.minor) == (written, minor)


@pytest.mark.parametrize(
    ("text", "currency", "says"),
    [
        pytest.param(8600, "USD", "is not an amount", id="a number"),
        pytest.param(86.0, "USD", "is not an amount", id="a float"),
        pytest.param(None, "USD", "is not an amount", id="nothing"),
        pytest.param(True, "USD", "is not an amount", id="yes"),
        pytest.param("", "USD", "is not an amount", id="no digits"),
        pytest.param("1e3", "USD", "is not an amount", id="an exponent"),
        pytest.param("1,000.00", "USD", "is not an amount", id="thousands set apart"),
        pytest.param("\u0661\u0662", "USD", "is not an amount", id="digits of another script"),
        pytest.param("1000000000000", "USD", "is not an amount", id="thirteen digits"),
        pytest.param("9" * 100_000, "USD", "is not an amount", id="endless digits"),
        pytest.param("-1.00", "USD", "is negative", id="negative"),
        pytest.param("-0", "USD", "is negative", id="minus nothing"),
        pytest.param("1.001", "USD", "more decimals than USD, which has 2", id="a tenth of a cent"),
        pytest.param("1.000", "USD", "more decimals than USD, which has 2", id="a third decimal, though zero"),
        pytest.param("1.0", "JPY", "more decimals than JPY, which has 0", id="a tenth of a yen"),
        pytest.param("1.00", "usd", "is not an ISO 4217 currency", id="a currency in lower case"),
        pytest.param("1.00", "DEM", "is not an ISO 4217 currency", id="a currency of the past"),
        pytest.param("1.00", "", "is not an ISO 4217 currency", id="no currency"),
    ],
)
def test_what_is_no_amount_is_refused_with_what_is_wrong(text: object, currency: str, says: str) -> None:
    with pytest.raises(MoneyError, match=says) as refused:
        Money.parse(text, currency)
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [
        pytest.param("0.005", "USD", "0.01", id="half a cent"),
        pytest.param("0.015", "USD", "0.02", id="half a cent above an odd one"),
        pytest.param("0.025", "USD", "0.03", id="half a cent above an even one"),
        pytest.param("0.0049999", "USD", "0.00", id="just under"),
        pytest.param("-0.005", "USD", "-0.01", id="half a cent, taken off"),
        pytest.param("-0.0049", "USD", "0.00", id="just under, taken off: no sign is left"),
        pytest.param("2.5", "JPY", "3", id="half a yen"),
        pytest.param("0.0005", "KWD", "0.001", id="half a fils"),
        pytest.param("100", "KWD", "100.000", id="whole"),
    ],
)
def test_rounding_is_half_up_away_from_zero(amount: str, currency: str, rounded: str) -> None:
    assert Money.rounded(Decimal(amount), currency) == Money(amount=Decimal(rounded), currency=currency)


@pytest.mark.parametrize("amount", ["1", "1.0", "1.001", "NaN", "Infinity", "1E+2"])
def test_money_is_built_to_the_minor_unit_or_not_at_all(amount: str) -> None:
    with pytest.raises(MoneyError, match="not written to the minor unit"):
        Money(amount=Decimal(amount), currency="USD")


@given(minor=MINOR, currency=CURRENCY)
def test_minor_units_go_to_the_database_and_back(minor: int, currency: str) -> None:
    assert Money.from_minor(minor, currency).minor == minor


@given(minor=st.integers(min_value=0, max_value=10**12 - 1), currency=CURRENCY)
def test_what_is_written_is_read_back(minor: int, currency: str) -> None:
    money = Money.from_minor(minor, currency)
    assert Money.parse(str(money), currency) == money


@given(one=MINOR, other=MINOR, currency=CURRENCY)
def test_money_is_added_and_compared_like_its_minor_units(one: int, other: int, currency: str) -> None:
    a, b = Money.from_minor(one, currency), Money.from_minor(other, currency)
    assert ((a + b).minor, (a - b).minor, (-a).minor) == (one + other, one - other, -one)
    assert (a < b, a <= b, a == b, a > b, a >= b) == (
        one < other,
        one <= other,
        one == other,
        one > other,
        one >= other,
    )


@pytest.mark.parametrize("currency", ["JPY", "USD", "KWD"])
def test_minus_nothing_has_no_sign(currency: str) -> None:
    assert str(-Money.zero(currency)) == str(Money.zero(currency))
    assert str(Money.zero(currency)) == f"{0:.{decimals_of(currency)}f}"


def test_two_currencies_are_neither_added_nor_compared() -> None:
    euro, dollar = Money.parse("1", "EUR"), Money.parse("1", "USD")
    for combine in (Money.__add__, Money.__sub__, Money.__lt__, Money.__le__):
        with pytest.raises(MoneyError, match=r"EUR and USD|USD and EUR"):
            combine(euro, dollar)
    assert euro != dollar


@pytest.mark.parametrize("currency", sorted(DECIMALS))
def test_a_minor_unit_is_one_of_the_least(currency: str) -> None:
    assert Money(amount=minor_unit(currency), currency=currency).minor == 1
