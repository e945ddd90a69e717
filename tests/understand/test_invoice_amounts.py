from decimal import Decimal

import pytest

from mailbot.understand.amounts import find_amounts
from mailbot.understand.invoice_lexicon import invoice_lexicon

MARKS = invoice_lexicon().marks


def read(line: str) -> list[tuple[str, str | None]]:
    """Every amount of a line as text, in the likeliest currency of its marks."""
    found = []
    for amount in find_amounts(line, MARKS):
        currency = next(iter(amount.currencies()), None)
        found.append((str(amount.value(currency or "EUR")), currency))
    return found


@pytest.mark.parametrize(
    ("line", "amounts"),
    [
        pytest.param("EUR 123.45", [("123.45", "EUR")], id="code before"),
        pytest.param("1.234,56 €", [("1234.56", "EUR")], id="points and a comma"),
        pytest.param("$1,234.56", [("1234.56", "USD")], id="commas and a point"),
        pytest.param("1 234,56 zł", [("1234.56", "PLN")], id="spaces"),
        pytest.param("CHF 1'234.50", [("1234.50", "CHF")], id="apostrophes"),
        pytest.param("₹1,23,456.00", [("123456.00", "INR")], id="Indian grouping"),
        pytest.param("Rs.319.00", [("319.00", "INR")], id="a mark that ends in a point"),
        pytest.param("¥12,800", [("12800", "JPY")], id="no decimals"),
        pytest.param("12,800円(税込)", [("12800", "JPY")], id="mark among ideographs"),
        pytest.param("KWD 12.345", [("12.345", "KWD")], id="three decimals of dinars"),
        pytest.param("12.345 EUR", [("12345", "EUR")], id="a group of three for euros"),
        pytest.param("0.500 KWD", [("0.500", "KWD")], id="nothing before the point"),
        pytest.param("€ 49,-", [("49", "EUR")], id="a dash for no cents"),
        pytest.param("$86.00 USD", [("86.00", "USD")], id="mark on both sides"),
        pytest.param("$86.00 CAD", [("86.00", "CAD")], id="the code settles the sign"),
        pytest.param("US $86.00", [("86.00", "USD")], id="country before the sign"),
        pytest.param("86 euros", [("86", "EUR")], id="word"),
        pytest.param(
            "-$5.00 and € -9,32", [("-5.00", "USD"), ("-9.32", "EUR")], id="minus before mark and before figure"
        ),
        pytest.param("2 € 99,99 21% € 199,98", [("99.99", "EUR"), ("199.98", "EUR")], id="quantity before a sign"),
        pytest.param("80,00 € 6,00 €", [("80.00", "EUR"), ("6.00", "EUR")], id="signs behind"),
        pytest.param("USD 80.00 USD 6.00", [("80.00", "USD"), ("6.00", "USD")], id="codes before"),
        pytest.param("86.00", [("86.00", None)], id="no mark"),
        pytest.param("ALL 3 rings", [("3", None)], id="a code that is a word"),
        pytest.param("ALL 300.00", [("300.00", "ALL")], id="the same code beside decimals"),
    ],
)
def test_an_amount_is_read_with_its_marks(line: str, amounts: list[tuple[str, str | None]]) -> None:
    assert read(line) == amounts


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("INV-1000000", id="invoice number"),
        pytest.param("AW10231", id="number behind letters"),
        pytest.param("KR87654321012", id="number behind letters that are a mark elsewhere"),
        pytest.param("#4711", id="number sign"),
        pytest.param("21 %", id="percentage"),
        pytest.param("78.46.77.79", id="address"),
        pytest.param("5x 10kg", id="quantities"),
        pytest.param("Mo.-Fr. 08.30 - 12.30", id="opening hours"),
    ],
)
def test_what_is_no_amount_has_no_mark(line: str) -> None:
    assert [found for found in read(line) if found[1] is not None] == []


def test_an_amount_finer_than_its_currency_is_none_of_that_currency() -> None:
    (amount,) = find_amounts("41,1765 €", MARKS)
    assert amount.value("EUR") is None
    (amount,) = find_amounts("235.6200 €", MARKS)
    assert amount.value("EUR") == Decimal("235.62")
