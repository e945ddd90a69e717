"""Orders from a WooCommerce shop, answered by a shop that keeps to the published interface."""

import base64
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest

from mailbot.errors import InputError, PermanentError, RetryableError
from mailbot.model.book import BadOrder, BookedOrder, booked_order_form
from mailbot.orders.woocommerce import WooCommerce, read_order
from mailbot.settings import OrdersSettings

KEY, SECRET = "ck_reads", "cs_secret"
PAID = datetime(2026, 3, 1, 10, tzinfo=UTC)


def a_line(**changed: Any) -> dict[str, Any]:
    line = {
        "id": 5,
        "name": "Ring",
        "product_id": 93,
        "variation_id": 0,
        "quantity": 2,
        "subtotal": "80.00",
        "total": "80.00",
        "total_tax": "0.00",
        "sku": "R-925-07",
        "price": 40,
    }
    return line | changed


def a_shop_order(**changed: Any) -> dict[str, Any]:
    order = {
        "id": 727,
        "number": "AW-10231",
        "status": "completed",
        "currency": "USD",
        "date_modified_gmt": "2026-03-02T10:00:00",
        "date_paid_gmt": "2026-03-01T10:00:00",
        "date_completed_gmt": "2026-03-02T10:00:00",
        "shipping_total": "6.00",
        "shipping_tax": "0.00",
        "total": "86.00",
        "payment_method": "ppcp-gateway",
        "billing": {"first_name": "Jane", "last_name": "Miller", "email": "Jane@Example.org"},
        "meta_data": [
            {"id": 1, "key": "_ppcp_paypal_fees", "value": {"paypal_fee": {"currency_code": "USD", "value": "3.30"}}},
            {"id": 2, "key": "_wcpdf_invoice_number", "value": "INV-2026-0412"},
        ],
        "line_items": [a_line()],
        "refunds": [],
    }
    return order | changed


class FakeShop(httpx2.BaseTransport):
    """Pages of orders by id, filtered by time of change, for whoever shows the key."""

    def __init__(self, orders: list[dict[str, Any]]) -> None:
        self.orders, self.asked, self.answers = orders, [], []

    asked: list[httpx2.Request]
    answers: list[httpx2.Response]

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        if self.answers:
            return self.answers.pop(0)
        expected = base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {expected}":
            return httpx2.Response(401, json={"code": "woocommerce_rest_cannot_view"})
        after = request.url.params.get("modified_after", "")
        found = sorted((o for o in self.orders if o["date_modified_gmt"] > after), key=lambda o: o["id"])
        page, each = int(request.url.params["page"]), int(request.url.params["per_page"])
        return httpx2.Response(200, json=found[(page - 1) * each : page * each])


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> OrdersSettings:
    monkeypatch.setenv("MAILBOT_ORDERS_KEY", KEY)
    monkeypatch.setenv("MAILBOT_ORDERS_SECRET", SECRET)
    return OrdersSettings(source="woocommerce", url="https://shop.example")


def booked(**changed: Any) -> dict[str, Any]:
    order = read_order(a_shop_order(**changed))
    assert isinstance(order, BookedOrder), order
    return booked_order_form(order)


def test_an_order_reads_as_the_book_keeps_it() -> None:
    assert booked() == {
        "number": "AW-10231",
        "status": "shipped",
        "paid_at": "2026-03-01T10:00:00+00:00",
        "shipped_at": "2026-03-02T10:00:00+00:00",
        "delivered_at": None,
        "currency": "USD",
        "shipping": "6.00",
        "captured": "86.00",
        "refunded": "0.00",
        "payment_method": "paypal",
        "transaction_fee": "3.30",
        "dispute_open": False,
        "lines": [{"sku": "R-925-07", "quantity": 2, "unit_price": "40.00", "discount": "0.00", "tax": "0.00"}],
        "customer": {"name": "Jane Miller", "email": "jane@example.org"},
        "invoice_number": "INV-2026-0412",
    }


@pytest.mark.parametrize(
    ("status", "kept"),
    [("processing", "paid"), ("cancelled", "cancelled"), ("refunded", "refunded"), ("delivered", "delivered")],
)
def test_the_shop_s_states_become_the_book_s(status: str, kept: str) -> None:
    assert booked(status=status)["status"] == kept


@pytest.mark.parametrize("status", ["pending", "failed", "checkout-draft"])
def test_what_nobody_paid_is_no_order(status: str) -> None:
    assert read_order(a_shop_order(status=status)) is None
    assert read_order(a_shop_order(date_paid_gmt=None)) is None


def test_an_unknown_state_is_refused_by_the_order_s_number() -> None:
    bad = read_order(a_shop_order(status="wc-engraving"))
    assert isinstance(bad, BadOrder)
    assert (bad.where, "wc-engraving" in bad.problem) == ("order AW-10231", True)


def test_earlier_refunds_are_counted() -> None:
    assert booked(refunds=[{"id": 1, "total": "-10.00"}, {"id": 2, "total": "-5.50"}])["refunded"] == "15.50"


def test_a_discount_that_does_not_divide_leaves_what_was_paid() -> None:
    (line,) = booked(line_items=[a_line(quantity=3, subtotal="100.00", total="90.01")])["lines"]
    assert Decimal(line["unit_price"]) * 3 - Decimal(line["discount"]) == Decimal("90.01")


def test_a_line_sold_for_more_than_its_list_price_keeps_what_was_paid() -> None:
    (line,) = booked(line_items=[a_line(quantity=1, subtotal="10.00", total="12.00")])["lines"]
    assert (line["unit_price"], line["discount"]) == ("12.00", "0.00")


def test_lines_without_a_sku_or_of_the_same_one_are_told_apart() -> None:
    lines = booked(line_items=[a_line(sku=""), a_line(), a_line()])["lines"]
    assert [line["sku"] for line in lines] == ["product-93", "R-925-07/1", "R-925-07/2"]


def test_whole_yen_are_read_whatever_decimals_the_shop_shows() -> None:
    order = booked(
        currency="JPY", total="8600.00", shipping_total="600", meta_data=[], line_items=[a_line(total="8000.00")]
    )
    assert (order["captured"], order["shipping"], order["transaction_fee"]) == ("8600", "600", None)


def test_a_fee_in_another_currency_is_not_taken_for_ours() -> None:
    fee = {"key": "_ppcp_paypal_fees", "value": {"paypal_fee": {"currency_code": "EUR", "value": "3.30"}}}
    assert booked(meta_data=[fee])["transaction_fee"] is None


def test_a_tracking_plug_in_tells_when_it_was_dispatched() -> None:
    sent_at = datetime(2026, 3, 3, 9, tzinfo=UTC)
    tracked = {"key": "_wc_shipment_tracking_items", "value": [{"date_shipped": str(int(sent_at.timestamp()))}]}
    assert booked(status="processing", meta_data=[tracked])["shipped_at"] == sent_at.isoformat()


@pytest.mark.parametrize("broken", [{"total": "much"}, {"line_items": []}, {"billing": None}, {"currency": "XXX!"}])
def test_a_broken_order_is_refused_and_named(broken: dict[str, Any]) -> None:
    bad = read_order(a_shop_order(**broken))
    assert isinstance(bad, BadOrder)
    assert bad.where == "order AW-10231"


def test_every_page_is_read(settings: OrdersSettings) -> None:
    shop = FakeShop([a_shop_order(id=at, number=f"AW-{at}") for at in range(1, 251)])
    found = list(WooCommerce(settings, shop).changed_since(None))
    assert [order.order.number for order in found if isinstance(order, BookedOrder)] == [
        f"AW-{at}" for at in range(1, 251)
    ]
    assert len(shop.asked) == 3


def test_only_what_changed_is_asked_for(settings: OrdersSettings) -> None:
    late = a_shop_order(id=2, number="AW-2", date_modified_gmt="2026-03-09T10:00:00")
    shop = FakeShop([a_shop_order(id=1, number="AW-1"), late])
    found = list(WooCommerce(settings, shop).changed_since(PAID + timedelta(days=5)))
    assert [order.order.number for order in found if isinstance(order, BookedOrder)] == ["AW-2"]
    assert shop.asked[0].url.params["dates_are_gmt"] == "true"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx2.Response(503), RetryableError),
        (httpx2.Response(429), RetryableError),
        (httpx2.Response(401), PermanentError),
        (httpx2.Response(404), PermanentError),
        (httpx2.Response(301, headers={"location": "https://evil.example/"}), PermanentError),
        (httpx2.Response(200, text="<html>maintenance</html>"), PermanentError),
        (httpx2.Response(200, json={"code": "rest_no_route"}), PermanentError),
    ],
    ids=["down", "busy", "key", "no shop", "redirect", "page", "no list"],
)
def test_each_refusal_says_what_to_do_next(
    settings: OrdersSettings, answer: httpx2.Response, error: type[Exception]
) -> None:
    shop = FakeShop([])
    shop.answers = [answer]
    with pytest.raises(error, match=re.escape("https://shop.example")) as told:
        list(WooCommerce(settings, shop).changed_since(None))
    assert SECRET not in str(told.value)
    assert len(shop.asked) == 1


def test_a_key_is_never_sent_in_the_clear() -> None:
    with pytest.raises(ValueError, match="https://"):
        OrdersSettings(source="woocommerce", url="http://shop.example")


def test_a_missing_key_is_named(settings: OrdersSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAILBOT_ORDERS_KEY")
    with pytest.raises(InputError, match="MAILBOT_ORDERS_KEY"):
        list(WooCommerce(settings, FakeShop([])).changed_since(None))


def test_the_published_examples_are_read(corpus: Callable[[str], Path]) -> None:
    page = corpus("api-contracts") / "woocommerce_v3_orders.md"
    blocks = re.findall(r"```json\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    forms = [form for block in blocks if isinstance(form := _loaded(block), dict) and "line_items" in form]
    orders = [read_order(form) for form in forms]
    assert orders
    assert not [order for order in orders if isinstance(order, BadOrder)]


def _loaded(block: str) -> object:
    try:
        return json.loads(block)
    except ValueError:
        return None
