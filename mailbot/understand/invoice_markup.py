"""Which order or invoice an HTML page describes for machines: schema.org as JSON-LD, microdata or RDFa."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from lxml import etree

from mailbot.model.money import DECIMALS
from mailbot.understand.html_text import MAX_BYTES, MAX_DEPTH, MAX_TAGS

_MOST_LEVELS = 12
_MOST_VALUES = 1_000
_LONGEST_VALUE = 200
_MOST_PIECES = 50
_PRICE = re.compile(r"-?\d{1,12}(?:\.\d{1,6})?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedInvoice:
    """An Invoice or an Order of schema.org.

    Attributes:
        is_invoice: an Invoice; otherwise an Order.
        number: of the invoice; ``None`` for an order.
        amount, currency: what is to be paid in all; ``None`` where only single goods have prices.
        references: order numbers, never those of its items.
    """

    is_invoice: bool
    number: str | None
    amount: Decimal | None
    currency: str | None
    issued_on: date | None
    references: tuple[str, ...]


@dataclass(slots=True)
class _Item:
    """One thing described: its types and its properties, each with all its values."""

    types: set[str]
    properties: dict[str, "list[_Item | str]"] = field(default_factory=dict)

    def items(self, name: str) -> "list[_Item]":
        return [value for value in self.properties.get(name, ()) if isinstance(value, _Item)]

    def text(self, *names: str) -> str | None:
        values = (value.strip() for name in names for value in self.properties.get(name, ()) if isinstance(value, str))
        return next((value[:_LONGEST_VALUE] for value in values if value), None)


def read_markup(html: str) -> MarkedInvoice | None:
    """The first Invoice, else the first Order, that the page describes; ``None`` where there is none. Never raises.

    The parser reports tags one by one and builds no tree; pages beyond the limits of ``read_html`` are not read.
    """
    if "schema.org" not in html or len(html) > MAX_BYTES or html.count("<") > MAX_TAGS:
        return None
    page = _Page()
    parser = etree.HTMLParser(target=page, encoding="utf-8")
    try:
        parser.feed(html.replace("\0", "").encode("utf-8", "replace"))
        parser.close()
    except (_TooDeepError, etree.XMLSyntaxError):
        return None
    found = [*page.items, *(item for script in page.scripts for item in _json_items(script))]
    for kind, read in (("Invoice", _invoice), ("Order", _order)):
        for item in found:
            if kind in item.types:
                return read(item)
    return None


class _TooDeepError(Exception):
    """Elements stand deeper in one another than the limit."""


@dataclass(slots=True)
class _Open:
    """An element whose end has not come yet; it describes ``item``, or gives its text to ``names`` of ``owner``."""

    item: _Item | None
    owner: _Item | None
    names: tuple[str, ...]
    text: list[str]


class _Page:
    """What the HTML parser reports to: gathers microdata and RDFa items, and scripts of JSON-LD."""

    def __init__(self) -> None:
        self.items: list[_Item] = []
        self.scripts: list[str] = []
        self._open: list[_Open] = []
        self._script: list[str] | None = None

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""
        if len(self._open) > MAX_DEPTH:
            raise _TooDeepError
        owner = next((element.item for element in reversed(self._open) if element.item), None)
        names = tuple((attributes.get("itemprop") or attributes.get("property") or "").split())
        types = attributes.get("itemtype") or attributes.get("typeof")
        described = "itemscope" in attributes or "typeof" in attributes
        item = _Item({_plain_name(each) for each in (types or "").split()}) if described else None
        value: _Item | str | None = item or _attribute_value(tag, attributes)
        if owner is None and item is not None:
            self.items.append(item)
        elif owner is not None and value is not None:
            for name in names:
                owner.properties.setdefault(_plain_name(name), []).append(value)
        waits = owner if value is None and names else None
        self._open.append(_Open(item, waits, names, []))
        if tag == "script" and attributes.get("type", "").strip().lower() == "application/ld+json":
            self._script = []

    def end(self, tag: str) -> None:
        """The innermost element ends."""
        element = self._open.pop()
        if element.owner is not None:
            for name in element.names:
                element.owner.properties.setdefault(_plain_name(name), []).append("".join(element.text))
        if tag == "script" and self._script is not None:
            self.scripts.append("".join(self._script))
            self._script = None

    def data(self, text: str) -> None:
        """Text, or a piece of it, stands directly in the innermost element."""
        if self._script is not None:
            self._script.append(text)
        for element in self._open:
            if element.owner is not None and len(element.text) < _MOST_PIECES:
                element.text.append(text)

    def close(self) -> None:
        """The document is over; the parser asks for this method."""


def _plain_name(name: str) -> str:
    return re.split(r"[/#:]", name)[-1]


def _attribute_value(tag: str, attributes: Mapping[str, str]) -> str | None:
    if "content" in attributes:
        return attributes["content"]
    if tag in {"link", "a"}:
        return attributes.get("href")
    return attributes.get("datetime") if tag == "time" else None


def _json_items(script: str) -> Iterator[_Item]:
    try:
        described = json.loads(script, parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        return
    for entry in described if isinstance(described, list) else [described]:
        item = _json_value(entry, 0)
        if isinstance(item, _Item):
            yield item
            yield from item.items("@graph")


def _json_value(value: object, level: int) -> _Item | str | None:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode().replace("\0", "")
    if not isinstance(value, dict) or level > _MOST_LEVELS:
        return None
    item = _Item({_plain_name(each) for each in _as_list(value.get("@type")) if isinstance(each, str)})
    for name, given in value.items():
        values = (_json_value(each, level + 1) for each in _as_list(given)[:_MOST_VALUES])
        item.properties[_plain_name(name)] = [each for each in values if each is not None]
    return item


def _as_list(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _invoice(item: _Item) -> MarkedInvoice:
    """Source: schema.org/Invoice; what is due stands in a PriceSpecification or a MonetaryAmount of its own."""
    due = next(iter(item.items("totalPaymentDue")), item)
    return MarkedInvoice(
        is_invoice=True,
        number=item.text("invoiceNumber", "identifier"),
        amount=_amount(due.text("price", "value", "totalPaymentDue")),
        currency=_currency(due.text("priceCurrency", "currency")),
        issued_on=_day(item.text("dateIssued", "dateCreated")),
        references=tuple(number for order in item.items("referencesOrder") if (number := order.text("orderNumber"))),
    )


def _order(item: _Item) -> MarkedInvoice:
    """Source: schema.org/Order, with the ``price`` of the whole order that mail programs ask for."""
    number = item.text("orderNumber")
    return MarkedInvoice(
        is_invoice=False,
        number=None,
        amount=_amount(item.text("price", "totalPrice")),
        currency=_currency(item.text("priceCurrency")),
        issued_on=_day(item.text("orderDate")),
        references=(number,) if number else (),
    )


def _amount(text: str | None) -> Decimal | None:
    return Decimal(text) if text and _PRICE.fullmatch(text) else None


def _currency(code: str | None) -> str | None:
    return code if code in DECIMALS else None


def _day(text: str | None) -> date | None:
    match = _DAY.match(text or "")
    try:
        return date.fromisoformat(match[0]) if match else None
    except ValueError:
        return None
