"""Orders from a WooCommerce shop by its REST interface v3, read only.

Source: the shop system's REST documentation, "Orders" and "Authentication"; RELIABILITY.md, P7 (TLS, no redirects).
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from typing import Any

import httpx2

from mailbot.errors import PermanentError, RetryableError, shown
from mailbot.model.book import BadOrder, BookedOrder, parse_booked_order
from mailbot.model.facts import FactsError
from mailbot.model.money import Money, MoneyError, minor_unit
from mailbot.settings import OrdersSettings

_A_PAGE = 100
_MOST_PAGES = 10_000
_MOST_BYTES = 32_000_000
_TIMEOUT = httpx2.Timeout(30.0, connect=30.0)
_PATIENCE = frozenset({408, 425, 429, 500, 502, 503, 504})
_STATUSES = {
    "processing": "paid",
    "on-hold": "paid",
    "completed": "shipped",
    "shipped": "shipped",
    "partial-shipped": "shipped",
    "delivered": "delivered",
    "cancelled": "cancelled",
    "refunded": "refunded",
}
_UNPAID = frozenset({"pending", "failed", "checkout-draft", "auto-draft", "trash"})
_INVOICE_NUMBER = "_wcpdf_invoice_number"
_TRACKING = "_wc_shipment_tracking_items"
_PAYPAL_FEE_KEYS = ("PayPal Transaction Fee", "_paypal_transaction_fee")
_PAYPAL_FEES = "_ppcp_paypal_fees"


class WooCommerce:
    """The orders of one shop; implements ``OrderSource``."""

    def __init__(self, settings: OrdersSettings, transport: httpx2.BaseTransport | None = None) -> None:
        """Keep the settings; keys are read, and the shop is asked, by ``changed_since``."""
        self._settings, self._transport = settings, transport

    def changed_since(self, moment: datetime | None) -> Iterator[BookedOrder | BadOrder]:
        """Every paid order that changed since then, by id; see ``OrderSource.changed_since`` for the errors."""
        question = {"per_page": str(_A_PAGE), "orderby": "id", "order": "asc", "status": "any"}
        if moment is not None:
            question |= {"modified_after": f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}", "dates_are_gmt": "true"}
        with self._client() as client:
            for page in range(1, _MOST_PAGES):
                forms = self._page(client, question | {"page": str(page)})
                for form in forms:
                    order = read_order(form)
                    if order is not None:
                        yield order
                if len(forms) < _A_PAGE:
                    return

    def _client(self) -> httpx2.Client:
        return httpx2.Client(
            base_url=self._settings.url.rstrip("/") + "/wp-json/wc/v3/",
            auth=(self._settings.key(), self._settings.secret()),
            timeout=_TIMEOUT,
            follow_redirects=False,
            trust_env=False,
            transport=self._transport,
        )

    def _page(self, client: httpx2.Client, question: Mapping[str, str]) -> list[Any]:
        shop = self._settings.url
        try:
            answer = client.get("orders", params=question)
            if answer.status_code in _PATIENCE:
                raise RetryableError(f"orders: {shop} answers {answer.status_code}; it is asked again later")
            if answer.status_code in {401, 403}:
                raise PermanentError(f"orders: {shop} refuses the key; give it a key that may read orders")
            if answer.status_code != httpx2.codes.OK or len(answer.content) > _MOST_BYTES:
                raise PermanentError(f"orders: {shop} answers {answer.status_code}; is [orders] url the shop's own?")
            forms = answer.json()
        except httpx2.HTTPError as problem:
            raise RetryableError(f"orders: {shop} cannot be reached: {type(problem).__name__}") from None
        except ValueError:
            forms = None
        if not isinstance(forms, list):
            raise PermanentError(f"orders: {shop} does not answer with a list; is [orders] url the shop's own?")
        return forms


def read_order(form: object) -> BookedOrder | BadOrder | None:
    """One order of the shop as the book keeps it; ``None`` for one that nobody has paid.

    What the customer paid for a line is its total after discounts; the list price is rounded up to the minor unit, and
    the discount is what is then too much, so that each line comes to exactly what was paid. The shop system knows no
    delivery: without a plug-in that tells, the order is dispatched and the customer says when it came.
    """
    if not isinstance(form, dict):
        return BadOrder(where="order ?", problem=f"{shown(form)} is not a JSON object")
    where = f"order {form.get('number') or form.get('id')}"
    status, paid_at = form.get("status"), form.get("date_paid_gmt")
    if status in _UNPAID or not paid_at:
        return None
    if status not in _STATUSES:
        return BadOrder(where=where, problem=f"status {shown(status)} is none that mailbot knows; import it by a file")
    try:
        return parse_booked_order(_booked_form(form, _STATUSES[status]))
    except (FactsError, MoneyError) as problem:
        return BadOrder(where=where, problem=str(problem))
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as problem:
        return BadOrder(where=where, problem=f"lacks what an order has: {type(problem).__name__} {shown(str(problem))}")


def _booked_form(form: Mapping[str, Any], status: str) -> dict[str, Any]:
    currency, meta, billing = form["currency"], _meta(form), form["billing"]
    refunded = -sum((_decimal(refund["total"]) for refund in form.get("refunds", ())), Decimal(0))
    paypal = any(word in str(form["payment_method"]) for word in ("paypal", "ppcp"))
    return {
        "number": str(form["number"]),
        "status": status,
        "paid_at": f"{form['date_paid_gmt']}Z",
        "shipped_at": _shipped_at(form, meta, status),
        "delivered_at": None,
        "currency": currency,
        "shipping": _amount(_decimal(form["shipping_total"]) + _decimal(form["shipping_tax"]), currency),
        "captured": _amount(_decimal(form["total"]), currency),
        "refunded": _amount(refunded, currency),
        "payment_method": "paypal" if paypal else str(form["payment_method"] or "unknown"),
        "transaction_fee": _fee(meta, currency) if paypal else None,
        "dispute_open": False,
        "lines": _lines(form["line_items"], currency),
        "customer": {
            "name": f"{billing.get('first_name', '')} {billing.get('last_name', '')}".strip(),
            "email": billing.get("email"),
        },
        "invoice_number": str(meta.get(_INVOICE_NUMBER) or "") or None,
    }


def _lines(items: list[Mapping[str, Any]], currency: str) -> list[dict[str, Any]]:
    names = [str(item.get("sku") or f"product-{item.get('variation_id') or item['product_id']}") for item in items]
    often, seen = Counter(names), Counter[str]()
    lines = []
    for name, item in zip(names, items, strict=True):
        seen[name] += 1
        lines.append(_line(item, name if often[name] == 1 else f"{name}/{seen[name]}", currency))
    return lines


def _line(item: Mapping[str, Any], sku: str, currency: str) -> dict[str, Any]:
    quantity = int(item["quantity"])
    listed, paid = _decimal(item["subtotal"]), _decimal(item["total"])
    unit_price = (max(listed, paid) / quantity).quantize(minor_unit(currency), ROUND_CEILING)
    return {
        "sku": sku,
        "quantity": quantity,
        "unit_price": _amount(unit_price, currency),
        "discount": _amount(unit_price * quantity - paid, currency),
        "tax": _amount(_decimal(item["total_tax"]), currency),
    }


def _shipped_at(form: Mapping[str, Any], meta: Mapping[str, Any], status: str) -> str | None:
    tracked = meta.get(_TRACKING)
    if isinstance(tracked, list) and tracked and str(tracked[0].get("date_shipped", "")).isdigit():
        return datetime.fromtimestamp(int(tracked[0]["date_shipped"]), UTC).isoformat()
    completed = form.get("date_completed_gmt")
    return f"{completed}Z" if completed and status in {"shipped", "delivered"} else None


def _fee(meta: Mapping[str, Any], currency: str) -> str | None:
    """What the payment service kept, where its plug-in wrote it down in the order's own currency."""
    for key in _PAYPAL_FEE_KEYS:
        if meta.get(key):
            return _amount(_decimal(meta[key]), currency)
    fees = meta.get(_PAYPAL_FEES)
    fee = fees.get("paypal_fee") if isinstance(fees, dict) else None
    if isinstance(fee, dict) and fee.get("currency_code") == currency:
        return _amount(_decimal(fee["value"]), currency)
    return None


def _meta(form: Mapping[str, Any]) -> dict[str, Any]:
    return {entry["key"]: entry["value"] for entry in form.get("meta_data", ()) if isinstance(entry, dict)}


def _decimal(value: object) -> Decimal:
    try:
        return Decimal(str(value or "0"))
    except InvalidOperation:
        raise ValueError(f"{value!r} is not an amount") from None


def _amount(value: Decimal, currency: str) -> str:
    """As a decimal string with the currency's own decimals; half a minor unit is rounded up."""
    return str(Money.rounded(value, currency).amount)
