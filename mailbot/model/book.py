"""One entry of the order book: an order with what the policy does not see of it. Source: CONTRACT.md, "An order"."""

import re
from dataclasses import dataclass
from typing import Any

from mailbot.errors import shown
from mailbot.model.facts import FactsError, Order, number_key
from mailbot.model.forms import order_form, parse_order

_ATOM = r"[0-9A-Za-z!#$%&'*+/=?^_`{|}~-]{1,64}"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM}){{0,15}}@[0-9A-Za-z.-]{{1,190}}", re.ASCII)
_MOST_NAME = 200
_MOST_NUMBER = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedOrder:
    """An order, whose it is, and the number of its invoice.

    Attributes:
        customer_name: for the salutation of replies; ``None`` where the book has none.
        customer_email: bare, ASCII lower case; ``None`` where the book has none: then nobody can prove to be it.
    """

    order: Order
    customer_name: str | None
    customer_email: str | None
    invoice_number: str | None

    @property
    def key(self) -> str:
        """The order's number as numbers are compared."""
        return number_key(self.order.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class BadOrder:
    """One order that was refused; the others go in.

    Attributes:
        where: its place in what it came from, such as ``line 3`` or ``order 727``.
    """

    where: str
    problem: str


def parse_booked_order(form: object) -> BookedOrder:
    """An entry of the order book from its JSON form (already decoded); ``PayPal`` is ``paypal`` here.

    Raises:
        FactsError: what is wrong, with its path, such as ``customer.email``.
    """
    if not isinstance(form, dict):
        raise FactsError("order", f"{shown(form)} is not a JSON object")
    fields = dict(form)
    customer, invoice_number = fields.pop("customer", None), fields.pop("invoice_number", None)
    if customer is None:
        customer = {}
    if not isinstance(customer, dict) or not customer.keys() <= {"name", "email"}:
        raise FactsError("customer", f'{shown(customer)} is not {{"name": ..., "email": ...}}')
    if isinstance(method := fields.get("payment_method"), str):
        fields["payment_method"] = method.lower()
    order = parse_order(fields)
    if not number_key(order.number):
        raise FactsError("order.number", f"{shown(order.number)} holds nothing but spaces and hyphens")
    return BookedOrder(
        order=order,
        customer_name=_name(customer.get("name")),
        customer_email=_email(customer.get("email")),
        invoice_number=_number(invoice_number),
    )


def booked_order_form(booked: BookedOrder) -> dict[str, Any]:
    """The JSON form of an entry of the order book."""
    customer = {"name": booked.customer_name, "email": booked.customer_email}
    return {**order_form(booked.order), "customer": customer, "invoice_number": booked.invoice_number}


def _name(value: object) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not value.isprintable() or len(value) > _MOST_NAME:
        raise FactsError("customer.name", f"{shown(value)} is not a printable text of at most {_MOST_NAME} characters")
    return value.strip() or None


def _email(value: object) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value.strip()):
        raise FactsError("customer.email", f"{shown(value)} is not a bare address such as jane@example.org")
    return value.strip().lower()


def _number(value: object) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not value.isprintable() or len(value) > _MOST_NUMBER:
        raise FactsError(
            "invoice_number", f"{shown(value)} is not a printable text of at most {_MOST_NUMBER} characters"
        )
    return value.strip() or None
