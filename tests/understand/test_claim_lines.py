"""A claim about a part of an order: which lines it is about, or that a clerk would ask (``parts.toml``)."""

import tomllib
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from mailbot.model.facts import ClaimLine, Order, OrderLine, OrderStatus
from mailbot.model.money import Money
from mailbot.model.reading import Body, ClaimedPiece, GoodsRow, Segment, SegmentKind
from mailbot.understand.claim import ClaimReading, read_claim
from mailbot.understand.claim_lines import find_lines
from mailbot.understand.invoice_text import read_paper
from mailbot.understand.invoice_xml import read_xml
from mailbot.understand.lexicons import load_lexicons

MAILS = tomllib.loads((Path(__file__).parent / "parts.toml").read_text(encoding="utf-8"))["mail"]


def read(text: str, language: str, goods: tuple[GoodsRow, ...]) -> ClaimReading:
    body = Body(text=text, segments=(Segment(kind=SegmentKind.NEW, start=0, end=len(text)),))
    return read_claim(
        "", body, load_lexicons(), language, asked_on=date(2026, 5, 12), day_first=language != "en", goods=goods
    )


def goods_of(*rows: str) -> tuple[GoodsRow, ...]:
    """The rows as they are read from a whole invoice, with its numbers and totals."""
    head = ["Aurelia & Wren", "Invoice", "Invoice no.: INV-2026-20001", "Date: 2 May 2026", "Order: AW-20001", ""]
    return read_paper("\n".join([*head, *rows, "Subtotal   999.00", "Shipping   6.00", "Total paid   1,005.00"])).goods


def order(goods: tuple[GoodsRow, ...]) -> Order:
    """The order whose invoice sells these goods; its lines have other names than the rows."""
    zero = Money.parse("0", "USD")
    lines = [
        OrderLine(
            sku=f"S-{place}",
            quantity=row.quantity or 1,
            unit_price=Money.rounded(max(row.amounts) / (row.quantity or 1), "USD"),
            discount=zero,
            tax=zero,
        )
        for place, row in enumerate(goods)
    ]
    paid = datetime(2026, 5, 2, 10, tzinfo=UTC)
    return Order(
        number="AW-20001",
        status=OrderStatus.DELIVERED,
        paid_at=paid,
        shipped_at=paid,
        delivered_at=paid,
        currency="USD",
        shipping=zero,
        captured=Money.parse("1005.00", "USD"),
        refunded=zero,
        payment_method="card",
        transaction_fee=None,
        dispute_open=False,
        lines=tuple(lines),
    )


@pytest.mark.parametrize("mail", [pytest.param(mail, id=mail["id"]) for mail in MAILS])
def test_the_lines_are_those_that_a_clerk_is_sure_of(mail: dict[str, Any]) -> None:
    goods = goods_of(*mail["goods"])
    assert len(goods) == len(mail["goods"])
    reading = read(mail["text"], mail["id"][:2], goods)
    wanted = [told.split(" of ") for told in mail.get("lines", ())]
    found = find_lines(reading.part, goods, order(goods)) if reading.part else None
    assert found == (tuple(ClaimLine(sku=f"S-{row}", quantity=int(count)) for count, row in wanted) or None)
    if found:
        assert all(mail["text"][span.start : span.end] == span.quote for span in reading.spans)
        assert "lines" in {span.fact for span in reading.spans}


def test_what_stays_says_nothing_of_what_goes_back() -> None:
    goods = goods_of("1 x Adjustable silver ring 78.00", "1 x Silver hoop earrings 42.00")
    reading = read(
        "AW-20001: I'm keeping the earrings, I wear them every day. Please refund the ring, I have never worn it.",
        "en",
        goods,
    )
    assert [piece.row.text for piece in reading.part] == ["Adjustable silver ring"]
    assert reading.claim.item_used is False
    assert "item_used" not in reading.doubts


def test_that_the_piece_that_stays_was_worn_is_not_told_of_the_other() -> None:
    goods = goods_of("1 x Adjustable silver ring 78.00", "1 x Silver hoop earrings 42.00")
    text = (
        "AW-20001: I want to return only the ring; I have worn the earrings and love them, so I'm keeping the earrings."
    )
    assert read(text, "en", goods).part == ()


def test_a_part_that_is_not_certain_is_named_and_left_to_people() -> None:
    goods = goods_of("1 x Adjustable silver ring 78.00", "1 x Gold signet ring 90.00")
    reading = read("Please refund only the ring from AW-20001, unworn, I changed my mind.", "en", goods)
    assert reading.part == ()
    assert "lines" in {span.fact for span in reading.spans}


def test_an_article_number_tells_rows_of_one_price_apart() -> None:
    goods = goods_of("1 x Adjustable silver ring S-1 78.00", "1 x Fern brooch S-0 78.00")
    bought = order(goods)
    ring = ClaimedPiece(row=goods[0], quantity=1)
    assert find_lines([ring], goods, bought) == (ClaimLine(sku="S-1", quantity=1),)


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(["1 x Adjustable silver ring 78.00", "1 x Fern brooch 78.00"], id="two lines of one price"),
        pytest.param(
            ["1 x Adjustable silver ring 77.00", "1 x Fern brooch 58.00"], id="another price than the order's"
        ),
        pytest.param(["1 x Adjustable silver ring 78.00"], id="fewer rows than the order has lines"),
        pytest.param(["2 x Adjustable silver ring 78.00", "1 x Fern brooch 58.00"], id="another quantity"),
    ],
)
def test_a_row_that_is_no_one_line_for_certain_is_none(rows: list[str]) -> None:
    last = rows[-1].rpartition(" ")[2] if len(rows) > 1 else "58.00"
    bought = order(tuple(GoodsRow(text="piece", quantity=1, amounts=(Decimal(price),)) for price in ("78.00", last)))
    goods = goods_of(*rows)
    assert find_lines([ClaimedPiece(row=goods[0], quantity=1)], goods, bought) is None


_LINE = (
    "<cac:InvoiceLine><cbc:InvoicedQuantity>2</cbc:InvoicedQuantity><cbc:LineExtensionAmount>84.00"
    "</cbc:LineExtensionAmount><cac:Item><cbc:Name>Silver hoop earrings</cbc:Name><cac:SellersItemIdentification>"
    "<cbc:ID>E-HOO-20</cbc:ID></cac:SellersItemIdentification></cac:Item><cac:Price><cbc:PriceAmount>42.00</cbc:PriceAmount>"
    "</cac:Price></cac:InvoiceLine>"
)
_UBL = (
    '<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2" xmlns:cac="urn:c" xmlns:cbc="urn:b">'
    "<cbc:ID>INV-1</cbc:ID><cac:LegalMonetaryTotal><cbc:TaxInclusiveAmount>84.00</cbc:TaxInclusiveAmount>"
    f"</cac:LegalMonetaryTotal>{_LINE}</Invoice>"
)
_CII = (
    '<CrossIndustryInvoice xmlns="urn:x"><ExchangedDocument><ID>1</ID></ExchangedDocument><SupplyChainTradeTransaction>'
    "<IncludedSupplyChainTradeLineItem><SpecifiedTradeProduct><SellerAssignedID>E-HOO-20</SellerAssignedID><Name>"
    "Silver "
    "hoop earrings</Name></SpecifiedTradeProduct><SpecifiedLineTradeAgreement><NetPriceProductTradePrice><ChargeAmount>"
    "42.00</ChargeAmount></NetPriceProductTradePrice></SpecifiedLineTradeAgreement><SpecifiedLineTradeDelivery>"
    "<BilledQuantity>2</BilledQuantity></SpecifiedLineTradeDelivery><SpecifiedLineTradeSettlement>"
    "<SpecifiedTradeSettlementLineMonetarySummation><LineTotalAmount>84.00</LineTotalAmount>"
    "</SpecifiedTradeSettlementLineMonetarySummation></SpecifiedLineTradeSettlement></IncludedSupplyChainTradeLineItem>"
    "</SupplyChainTradeTransaction></CrossIndustryInvoice>"
)
_FATTURA = (
    "<FatturaElettronica><FatturaElettronicaBody><DatiBeniServizi><DettaglioLinee><CodiceArticolo><CodiceValore>E-HOO-20"
    "</CodiceValore></CodiceArticolo><Descrizione>Silver hoop earrings</Descrizione><Quantita>2.00</Quantita>"
    "<PrezzoUnitario>42.00</PrezzoUnitario><PrezzoTotale>84.00</PrezzoTotale></DettaglioLinee></DatiBeniServizi>"
    "</FatturaElettronicaBody></FatturaElettronica>"
)


@pytest.mark.parametrize("xml", [_UBL, _CII, _FATTURA], ids=["UBL", "CII", "FatturaPA"])
def test_electronic_invoices_say_what_they_sell(xml: str) -> None:
    (invoice,) = read_xml(xml.encode())
    wanted = GoodsRow(text="Silver hoop earrings E-HOO-20", quantity=2, amounts=(Decimal("42.00"), Decimal("84.00")))
    assert invoice.goods == (wanted,)
    assert read_xml(xml.replace(">2<", ">2.5<").replace("2.00</Q", "2.50</Q").encode())[0].goods == ()


@pytest.mark.parametrize(
    ("row", "wanted"),
    [
        ("2 x Silver hoop earrings   84.00", ("Silver hoop earrings", 2, ["84.00"])),
        ("Silver hoop earrings \u00d7 2   $84.00", ("Silver hoop earrings", 2, ["84.00"])),
        ("Silver hoop earrings | 2 | 42.00 | 84.00", ("Silver hoop earrings", 2, ["42.00", "84.00"])),
        ("E-HOO-20\tSilver hoop earrings\t$42.00\t2\t$84.00", ("E-HOO-20 Silver hoop earrings", 2, ["42.00", "84.00"])),
        ("Silver hoop earrings   42.00", ("Silver hoop earrings", 1, ["42.00"])),
        ("Silver ring, size 7   78.00", ("Silver ring, size", None, ["78.00"])),
    ],
)
def test_a_row_of_goods_says_how_many_and_for_how_much(row: str, wanted: tuple[str, int | None, list[str]]) -> None:
    (goods,) = goods_of(row)
    assert (goods.text, goods.quantity, [str(amount) for amount in goods.amounts]) == wanted


def test_every_language_has_a_word_for_every_piece_and_every_list() -> None:
    told = tomllib.loads((files("mailbot.understand") / "lexicon" / "pieces.toml").read_text(encoding="utf-8"))
    english = told["en"].keys()
    for language in load_lexicons():
        assert {*english} - {"article"} <= told[language].keys(), language
        assert all(words[language] for words in told["kinds"].values()), language
    assert {*told["pairs"], *(kind for kinds in told["alike"] for kind in kinds)} <= told["kinds"].keys()


ONLY_THE_RING = "From AW-20001 only the ring goes back, unworn. Please refund the ring."
RING_AND_BROOCH = ("1 x Adjustable silver ring 78.00", "1 x Fern brooch 58.00")


def test_goods_beyond_the_limit_are_not_kept() -> None:
    assert len(goods_of(*[f"1 x Silver ring {chr(65 + at % 26)}   {at}.00" for at in range(1, 131)])) == 100


def test_a_part_is_not_looked_for_in_a_book() -> None:
    goods = goods_of(*RING_AND_BROOCH)
    assert read(f"{ONLY_THE_RING} {'It is late. ' * 150}", "en", goods).part
    assert not read(f"{ONLY_THE_RING} {'It is late. ' * 250}", "en", goods).part
