from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from mailbot.model.facts import InvoiceStatus, Order, OrderLine, OrderStatus
from mailbot.model.money import Money
from mailbot.model.reading import InvoiceReading, InvoiceSource
from mailbot.understand.invoice_status import reference_totals, weigh_invoices, weigh_without_order

MATCHED, MISMATCHED = InvoiceStatus.MATCHED, InvoiceStatus.MISMATCHED
UNREADABLE, ABSENT = InvoiceStatus.UNREADABLE, InvoiceStatus.ABSENT
BOOKED = "INV-2026-0412"


def an_order(captured: str = "86.00", currency: str = "USD") -> Order:
    def money(text: str) -> Money:
        return Money.parse(text, currency)

    line = OrderLine(sku="R", quantity=2, unit_price=money("40"), discount=money("5"), tax=money("5"))
    return Order(
        number="AW-10231",
        status=OrderStatus.DELIVERED,
        paid_at=datetime(2026, 3, 1, tzinfo=UTC),
        shipped_at=None,
        delivered_at=None,
        currency=currency,
        shipping=money("6"),
        captured=money(captured),
        refunded=money("0"),
        payment_method="paypal",
        transaction_fee=None,
        dispute_open=False,
        lines=(line,),
    )


def an_invoice(**changes: Any) -> InvoiceReading:
    fields: dict[str, Any] = {
        "source": InvoiceSource.PDF,
        "attachment": "2",
        "unreadable": None,
        "number": BOOKED,
        "amount": Decimal("86.00"),
        "currency": "USD",
        "issued_on": None,
        "order_keys": ("AW10231",),
        "credit_note": False,
    }
    return InvoiceReading(**fields | changes)


@pytest.mark.parametrize(
    ("changes", "booked", "status"),
    [
        pytest.param({}, BOOKED, MATCHED, id="number, order and amount"),
        pytest.param({"order_keys": ()}, BOOKED, MATCHED, id="number alone"),
        pytest.param({"number": "inv 2026 0412", "order_keys": ()}, BOOKED, MATCHED, id="number in another spelling"),
        pytest.param({"number": None}, BOOKED, MATCHED, id="order alone"),
        pytest.param({"number": "S-1"}, BOOKED, MATCHED, id="another number beside the right order"),
        pytest.param({"number": "S-1"}, None, MATCHED, id="the book records no number"),
        pytest.param({"order_keys": ("AW10231", "AW10232")}, None, MATCHED, id="several orders, this one among them"),
        pytest.param({"amount": Decimal(86)}, BOOKED, MATCHED, id="no cents printed"),
        pytest.param({"amount": Decimal("85.99")}, BOOKED, MISMATCHED, id="a cent less"),
        pytest.param({"currency": "EUR"}, BOOKED, MISMATCHED, id="another currency"),
        pytest.param({"number": "S-1", "order_keys": ()}, BOOKED, MISMATCHED, id="another number, no order"),
        pytest.param({"number": None, "order_keys": ("AW10232",)}, BOOKED, MISMATCHED, id="another order"),
        pytest.param({"order_keys": ("AW10232",)}, None, MISMATCHED, id="another order, no number in the book"),
        pytest.param({"number": None, "order_keys": ("X1",), "amount": None}, None, MISMATCHED, id="order, no amount"),
        pytest.param({"amount": None}, BOOKED, UNREADABLE, id="no amount"),
        pytest.param({"currency": None}, BOOKED, UNREADABLE, id="no currency"),
        pytest.param({"number": None, "order_keys": ()}, BOOKED, UNREADABLE, id="neither number nor order"),
        pytest.param({"order_keys": ()}, None, UNREADABLE, id="a number that the book cannot tell"),
        pytest.param({"unreadable": "a scan", "order_keys": ("X1",)}, BOOKED, UNREADABLE, id="nothing was read"),
        pytest.param({"credit_note": True}, BOOKED, ABSENT, id="credit note"),
    ],
)
def test_an_invoice_matches_by_name_and_amount(
    changes: dict[str, Any], booked: str | None, status: InvoiceStatus
) -> None:
    assert weigh_invoices([an_invoice(**changes)], an_order(), booked)[0] is status


def test_the_sum_of_the_order_counts_beside_what_was_captured() -> None:
    order = an_order(captured="76.00")
    assert {str(total) for total in reference_totals(order)} == {"76.00", "86.00"}
    assert weigh_invoices([an_invoice()], order, None)[0] is MATCHED
    assert weigh_invoices([an_invoice(amount=Decimal("76.00"))], order, None)[0] is MATCHED


def test_money_without_decimals_compares() -> None:
    invoice = an_invoice(amount=Decimal(12800), currency="JPY")
    assert weigh_invoices([invoice], an_order("12800", "JPY"), None)[0] is MATCHED


UNREAD = an_invoice(unreadable="pictures are not read", number=None, amount=None, currency=None, order_keys=())
OTHER = an_invoice(amount=Decimal("1.00"))


@pytest.mark.parametrize(
    ("invoices", "status", "place"),
    [
        pytest.param([OTHER, UNREAD, an_invoice()], MATCHED, 2, id="a match beats all"),
        pytest.param([OTHER, UNREAD], UNREADABLE, 1, id="what nobody could read beats another's"),
        pytest.param([OTHER], MISMATCHED, 0, id="another's"),
    ],
)
def test_of_several_the_best_counts(invoices: list[InvoiceReading], status: InvoiceStatus, place: int) -> None:
    assert weigh_invoices(invoices, an_order(), BOOKED) == (status, invoices[place])


def test_nothing_is_absent() -> None:
    assert weigh_invoices([], an_order(), BOOKED) == (ABSENT, None)


def test_without_an_order_it_counts_only_whether_something_came() -> None:
    assert weigh_without_order([]) is ABSENT
    assert weigh_without_order([an_invoice(credit_note=True)]) is ABSENT
    assert weigh_without_order([an_invoice()]) is UNREADABLE
