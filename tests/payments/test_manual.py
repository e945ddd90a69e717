"""The table of payments that people make."""

import csv
import io

import pytest

from mailbot.model.money import Money
from mailbot.model.refund import RefundOrder
from mailbot.payments.manual import write_payments


def an_order(**changes: str) -> RefundOrder:
    fields = {"key": "mailbot-1-1-1", "case_number": "RF-000001", "capture": "AW-10001", "method": "paypal"}
    return RefundOrder(**(fields | changes), amount=Money.parse("82.70", "USD"))


def rows(table: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(table)))


def test_each_payment_is_a_row_that_names_the_payment_it_goes_back_to() -> None:
    assert rows(write_payments([an_order()])) == [
        ["case", "order", "payment_method", "amount", "currency", "key"],
        ["RF-000001", "AW-10001", "paypal", "82.70", "USD", "mailbot-1-1-1"],
    ]


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\0"])
def test_no_cell_becomes_a_formula(sign: str) -> None:
    table = write_payments([an_order(capture=f"{sign}HYPERLINK(1)", method=f"{sign}cmd")])
    assert all(not cell.startswith(sign) for cell in rows(table)[1])


def test_commas_quotes_and_line_ends_stay_inside_their_cell() -> None:
    found = rows(write_payments([an_order(method='a,"b"\nc')]))
    assert [row[2] for row in found] == ["payment_method", 'a,"b"\nc']
