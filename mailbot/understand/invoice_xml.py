"""What an electronic invoice says: UBL 2.1, UN/CEFACT CII (ZUGFeRD, Factur-X, XRechnung) and FatturaPA."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from mailbot.model.money import DECIMALS
from mailbot.model.reading import GoodsRow
from mailbot.understand.goods import MOST_GOODS
from mailbot.understand.unreadable import UnreadableError

_MOST_BYTES = 5_000_000
_MOST_NODES = 100_000
_MOST_DEPTH = 100
_PIECE = 65_536
_DECIMAL = re.compile(r"[+-]?(?:\d{1,15}(?:\.\d{0,10})?|\.\d{1,10})", re.ASCII)
_DAY = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?:[T+\-Z].{0,20})?", re.ASCII)
_LONGEST_VALUE = 120
_MOST_INVOICES = 20

# UNTDID 1001 codes of papers that prove no purchase: credit notes and corrections, offers, orders, delivery notes.
_NO_PROOF_CODES = frozenset(
    map(str, (81, 83, 220, 231, 261, 262, 270, 296, 308, 310, 311, 320, 325, 351, 381, 384, 396, 420, 458, 532, 632))
)
_LinePaths = tuple[tuple[str, ...], str, tuple[str, ...]]
"""Where a line says what it sells, how many, and for how much."""
_UBL_LINE: _LinePaths = (
    ("{*}Item/{*}Name", "{*}Item/{*}SellersItemIdentification/{*}ID"),
    "{*}InvoicedQuantity",
    ("{*}Price/{*}PriceAmount", "{*}LineExtensionAmount"),
)
_CII_LINE: _LinePaths = (
    ("{*}SpecifiedTradeProduct/{*}Name", "{*}SpecifiedTradeProduct/{*}SellerAssignedID"),
    "*/{*}BilledQuantity",
    ("*/*/{*}ChargeAmount", "*/*/{*}LineTotalAmount"),
)
_ITALIAN_LINE: _LinePaths = (
    ("{*}Descrizione", "{*}CodiceArticolo/{*}CodiceValore"),
    "{*}Quantita",
    ("{*}PrezzoUnitario", "{*}PrezzoTotale"),
)
_NO_PROOF_ITALIAN = frozenset({"TD04", "TD08"})


@dataclass(frozen=True, slots=True, kw_only=True)
class XmlInvoice:
    """One electronic invoice.

    Attributes:
        number, amount, currency, issued_on: as the file has them; ``None`` where it does not. ``amount`` is the total
            with tax, whatever has been paid of it.
        references: the buyer's order number first, then the seller's, those of single lines, and other references.
        credit_note: its type says that it is a credit note or a correction.
        goods: its lines; empty where one of them is not understood.
    """

    number: str | None
    amount: Decimal | None
    currency: str | None
    issued_on: date | None
    references: tuple[str, ...]
    credit_note: bool
    goods: tuple[GoodsRow, ...] = ()


def read_xml(data: bytes) -> tuple[XmlInvoice, ...]:
    """Every invoice of an XML file; none where it is well-formed and something else (Order-X, for one).

    Limits: 5 MB, 100,000 elements, depth 100, no DTD, no entities (RELIABILITY.md, Limits).

    Raises:
        UnreadableError: the file cannot be read.
    """
    root = _parse(data)
    for element in (root, *root.iterfind("*"), *root.iterfind("*/*")):
        reader = _READERS.get(_local_name(element))
        if reader is not None and (invoices := tuple(reader(element))):
            return invoices
    return ()


def _parse(data: bytes) -> Element:
    if len(data) > _MOST_BYTES:
        raise UnreadableError("the XML file is too large")
    data = data.lstrip(b" \t\r\n")
    parser = DefusedXMLParser(target=_BoundedBuilder(), forbid_dtd=True)
    try:
        for start in range(0, len(data), _PIECE):
            parser.feed(data[start : start + _PIECE])
        root: Element = parser.close()
    except UnreadableError:
        raise
    except DefusedXmlException:
        raise UnreadableError("the XML file has a DTD or entities") from None
    except (ParseError, ValueError, LookupError):
        raise UnreadableError("the XML file is damaged") from None
    return root


class _BoundedBuilder(TreeBuilder):
    """Builds the tree and stops at the first element too many or too deep."""

    def __init__(self) -> None:
        super().__init__()
        self._nodes, self._depth = 0, 0

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        self._nodes += 1
        self._depth += 1
        if self._nodes > _MOST_NODES or self._depth > _MOST_DEPTH:
            raise UnreadableError("the XML file has too many or too deep elements")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        return super().end(tag)


def _local_name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _ubl(invoice: Element) -> Iterator[XmlInvoice]:
    """OASIS UBL 2.1 Invoice and CreditNote, as EN 16931-3-2 binds them."""
    totals = invoice.find("{*}LegalMonetaryTotal")
    if totals is None:
        return
    total = totals.find("{*}TaxInclusiveAmount")
    if total is None and totals.find("{*}PrepaidAmount") is None:
        total = totals.find("{*}PayableAmount")
    code = _text(invoice, "{*}InvoiceTypeCode") or _text(invoice, "{*}CreditNoteTypeCode")
    yield XmlInvoice(
        number=_text(invoice, "{*}ID"),
        amount=_decimal(total),
        currency=_currency(_text(invoice, "{*}DocumentCurrencyCode"), total),
        issued_on=_date(_text(invoice, "{*}IssueDate")),
        references=_references(
            invoice,
            "{*}OrderReference/{*}ID",
            "{*}OrderReference/{*}SalesOrderID",
            "*/{*}OrderLineReference/{*}OrderReference/{*}ID",
            "{*}BuyerReference",
            "{*}AdditionalDocumentReference/{*}ID",
            "{*}Note",
        ),
        credit_note=_local_name(invoice) == "CreditNote" or code in _NO_PROOF_CODES,
        goods=_goods(invoice, "{*}InvoiceLine", _UBL_LINE),
    )


def _cii(invoice: Element) -> Iterator[XmlInvoice]:
    """UN/CEFACT Cross Industry Invoice D16B, and the CrossIndustryDocument of ZUGFeRD 1."""
    head = _first(invoice, "{*}ExchangedDocument", "{*}HeaderExchangedDocument")
    trade = _first(invoice, "{*}SupplyChainTradeTransaction", "{*}SpecifiedSupplyChainTradeTransaction")
    if head is None or trade is None:
        return
    agreement = _first(trade, "{*}ApplicableHeaderTradeAgreement", "{*}ApplicableSupplyChainTradeAgreement")
    settlement = _first(trade, "{*}ApplicableHeaderTradeSettlement", "{*}ApplicableSupplyChainTradeSettlement")
    sums = (
        None
        if settlement is None
        else _first(
            settlement,
            "{*}SpecifiedTradeSettlementHeaderMonetarySummation",
            "{*}SpecifiedTradeSettlementMonetarySummation",
        )
    )
    code = _text(settlement, "{*}InvoiceCurrencyCode")
    totals = [] if sums is None else sums.findall("{*}GrandTotalAmount")
    total = next((each for each in totals if each.get("currencyID") == code), totals[0] if totals else None)
    yield XmlInvoice(
        number=_text(head, "{*}ID"),
        amount=_decimal(total),
        currency=_currency(code, total),
        issued_on=_date(_text(head, "{*}IssueDateTime/{*}DateTimeString")),
        references=(
            *_references(
                agreement,
                "{*}BuyerOrderReferencedDocument/{*}IssuerAssignedID",
                "{*}BuyerOrderReferencedDocument/{*}ID",
                "{*}SellerOrderReferencedDocument/{*}IssuerAssignedID",
            ),
            *_references(
                trade,
                "*/*/{*}BuyerOrderReferencedDocument/{*}IssuerAssignedID",
                "*/*/{*}BuyerOrderReferencedDocument/{*}ID",
            ),
            *_references(agreement, "{*}BuyerReference", "{*}AdditionalReferencedDocument/{*}IssuerAssignedID"),
            *_references(head, "{*}IncludedNote/{*}Content"),
        ),
        credit_note=_text(head, "{*}TypeCode") in _NO_PROOF_CODES,
        goods=_goods(trade, "{*}IncludedSupplyChainTradeLineItem", _CII_LINE),
    )


def _fattura(file: Element) -> Iterator[XmlInvoice]:
    """FatturaPA 1.2: one file may hold several invoices."""
    for body in file.findall("{*}FatturaElettronicaBody")[:_MOST_INVOICES]:
        general = body.find("{*}DatiGenerali/{*}DatiGeneraliDocumento")
        total = None if general is None else _decimal(general.find("{*}ImportoTotaleDocumento"))
        yield XmlInvoice(
            number=_text(general, "{*}Numero"),
            amount=_italian_sum(body) if total is None else total,
            currency=_currency(_text(general, "{*}Divisa"), None),
            issued_on=_date(_text(general, "{*}Data")),
            references=(
                *_references(body, "{*}DatiGenerali/{*}DatiOrdineAcquisto/{*}IdDocumento"),
                *_references(general, "{*}Causale"),
            ),
            credit_note=_text(general, "{*}TipoDocumento") in _NO_PROOF_ITALIAN,
            goods=_goods(body, "{*}DatiBeniServizi/{*}DettaglioLinee", _ITALIAN_LINE),
        )


def _italian_sum(body: Element) -> Decimal | None:
    """The total where the file leaves it out, as it may: net and tax by rates; a simplified one's prices hold tax."""
    parts = (
        "{*}DatiRiepilogo/{*}ImponibileImporto",
        "{*}DatiRiepilogo/{*}Imposta",
        "{*}DatiRiepilogo/{*}Arrotondamento",
    )
    found = [element for part in parts for element in body.iterfind(f"{{*}}DatiBeniServizi/{part}")]
    found = found or [*body.iterfind("{*}DatiBeniServizi/{*}Importo")]
    sums = [amount for element in found if (amount := _decimal(element)) is not None]
    return sum(sums, Decimal(0)) if sums and len(sums) == len(found) else None


_READERS = {
    "Invoice": _ubl,
    "CreditNote": _ubl,
    "CrossIndustryInvoice": _cii,
    "CrossIndustryDocument": _cii,
    "FatturaElettronica": _fattura,
    "FatturaElettronicaSemplificata": _fattura,
}


def _first(parent: Element, *paths: str) -> Element | None:
    return next((found for path in paths if (found := parent.find(path)) is not None), None)


def _text(parent: Element | None, path: str) -> str | None:
    text = "" if parent is None else (parent.findtext(path) or "").strip()
    return text[:_LONGEST_VALUE] or None


def _references(parent: Element | None, *paths: str) -> tuple[str, ...]:
    found = [element.text or "" for path in paths for element in ([] if parent is None else parent.iterfind(path))]
    return tuple(text.strip()[:_LONGEST_VALUE] for text in found[:_MOST_INVOICES] if text.strip())


def _goods(parent: Element, path: str, line: _LinePaths) -> tuple[GoodsRow, ...]:
    names, count, prices = line
    rows = []
    for element in parent.findall(path)[:MOST_GOODS]:
        quantity = _decimal(element.find(count))
        amounts = {value: None for price in prices if (value := _decimal(element.find(price))) is not None}
        text = " ".join(name for path in names if (name := _text(element, path)))
        if not (text and amounts) or quantity is None or quantity % 1:
            return ()
        rows.append(GoodsRow(text=text, quantity=int(quantity), amounts=tuple(amounts)))
    return tuple(rows)


def _currency(code: str | None, total: Element | None) -> str | None:
    code = code or (None if total is None else total.get("currencyID"))
    return code if code in DECIMALS else None


def _decimal(element: Element | None) -> Decimal | None:
    text = "" if element is None else (element.text or "").strip()
    return Decimal(text) if _DECIMAL.fullmatch(text) else None


def _date(text: str | None) -> date | None:
    match = _DAY.fullmatch(text or "")
    try:
        return date(*map(int, match.groups()[:3])) if match else None
    except ValueError:
        return None
