from contextlib import suppress
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.understand.invoice_xml import XmlInvoice, read_xml
from mailbot.understand.unreadable import UnreadableError

UBL = "urn:oasis:names:specification:ubl:schema:xsd"


def a_ubl(root: str = "Invoice", code: str = "380", total: str = "86.00", currency: str = "USD") -> str:
    return (
        f'<{root} xmlns="{UBL}:{root}-2" xmlns:cac="{UBL}:CommonAggregateComponents-2"'
        f' xmlns:cbc="{UBL}:CommonBasicComponents-2">'
        "<cbc:ID>INV-2026-0412</cbc:ID><cbc:IssueDate>2026-03-06</cbc:IssueDate>"
        f"<cbc:{root}TypeCode>{code}</cbc:{root}TypeCode>"
        f"<cbc:DocumentCurrencyCode>{currency}</cbc:DocumentCurrencyCode>"
        "<cac:OrderReference><cbc:ID>AW-10231</cbc:ID></cac:OrderReference>"
        "<cac:LegalMonetaryTotal>"
        f'<cbc:TaxExclusiveAmount currencyID="{currency}">71.67</cbc:TaxExclusiveAmount>'
        f'<cbc:TaxInclusiveAmount currencyID="{currency}">{total}</cbc:TaxInclusiveAmount>'
        f'<cbc:PayableAmount currencyID="{currency}">0.00</cbc:PayableAmount>'
        f"</cac:LegalMonetaryTotal></{root}>"
    )


def a_cii(code: str = "380", total: str = "12800", currency: str = "JPY") -> str:
    return (
        '<rsm:CrossIndustryInvoice xmlns:rsm="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"'
        ' xmlns:ram="urn:ram" xmlns:udt="urn:udt">'
        f"<rsm:ExchangedDocument><ram:ID>INV-77</ram:ID><ram:TypeCode>{code}</ram:TypeCode><ram:IssueDateTime>"
        '<udt:DateTimeString format="102">20260306</udt:DateTimeString></ram:IssueDateTime></rsm:ExchangedDocument>'
        "<rsm:SupplyChainTradeTransaction><ram:ApplicableHeaderTradeAgreement><ram:BuyerOrderReferencedDocument>"
        "<ram:IssuerAssignedID>AW-10231</ram:IssuerAssignedID></ram:BuyerOrderReferencedDocument>"
        "</ram:ApplicableHeaderTradeAgreement><ram:ApplicableHeaderTradeSettlement>"
        f"<ram:InvoiceCurrencyCode>{currency}</ram:InvoiceCurrencyCode>"
        "<ram:SpecifiedTradeSettlementHeaderMonetarySummation>"
        f"<ram:GrandTotalAmount>{total}</ram:GrandTotalAmount><ram:DuePayableAmount>0</ram:DuePayableAmount>"
        "</ram:SpecifiedTradeSettlementHeaderMonetarySummation></ram:ApplicableHeaderTradeSettlement>"
        "</rsm:SupplyChainTradeTransaction></rsm:CrossIndustryInvoice>"
    )


def a_fattura(*numbers: str, kind: str = "TD01") -> str:
    body = (
        "<FatturaElettronicaBody><DatiGenerali><DatiGeneraliDocumento>"
        f"<TipoDocumento>{kind}</TipoDocumento><Divisa>EUR</Divisa><Data>2026-03-06</Data><Numero>%s</Numero>"
        "<ImportoTotaleDocumento>86.00</ImportoTotaleDocumento></DatiGeneraliDocumento>"
        "<DatiOrdineAcquisto><IdDocumento>AW-10231</IdDocumento></DatiOrdineAcquisto>"
        "</DatiGenerali></FatturaElettronicaBody>"
    )
    bodies = "".join(body % number for number in numbers)
    return f'<p:FatturaElettronica xmlns:p="urn:fatture:v1.2">{bodies}</p:FatturaElettronica>'


def only(text: str) -> XmlInvoice:
    (invoice,) = read_xml(text.encode())
    return invoice


@pytest.mark.parametrize(
    ("text", "number", "amount", "currency"),
    [
        pytest.param(a_ubl(), "INV-2026-0412", "86.00", "USD", id="UBL"),
        pytest.param(a_cii(), "INV-77", "12800", "JPY", id="CII"),
        pytest.param(a_fattura("412"), "412", "86.00", "EUR", id="FatturaPA"),
    ],
)
def test_each_kind_of_electronic_invoice_is_read(text: str, number: str, amount: str, currency: str) -> None:
    invoice = only(text)
    assert (invoice.number, invoice.amount, invoice.currency) == (number, Decimal(amount), currency)
    assert invoice.issued_on == date(2026, 3, 6)
    assert invoice.references[0] == "AW-10231"
    assert not invoice.credit_note


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(a_ubl(root="CreditNote", code="381"), id="UBL credit note"),
        pytest.param(a_ubl(code="384"), id="UBL correction"),
        pytest.param(a_ubl(code="325"), id="UBL pro-forma invoice"),
        pytest.param(a_cii(code="381"), id="CII credit note"),
        pytest.param(a_fattura("412", kind="TD04"), id="Italian credit note"),
    ],
)
def test_a_credit_note_or_correction_is_marked(text: str) -> None:
    assert only(text).credit_note


@pytest.mark.parametrize("code", ["380", "326", "386", "389"])
def test_partial_prepaid_and_self_billed_invoices_are_invoices(code: str) -> None:
    assert not only(a_cii(code=code)).credit_note


def test_one_file_may_hold_several_invoices() -> None:
    assert [invoice.number for invoice in read_xml(a_fattura("1", "2").encode())] == ["1", "2"]


def test_an_invoice_in_an_envelope_is_found() -> None:
    assert only(f"<Envelope><Body>{a_ubl()}</Body></Envelope>").number == "INV-2026-0412"


def test_any_character_set_that_the_file_names_is_read() -> None:
    assert read_xml(a_ubl().encode("utf-16"))[0].number == "INV-2026-0412"


@pytest.mark.parametrize("total", ["", "1,234.56", "1e5", "NaN", "9" * 40])
def test_an_amount_that_is_no_plain_number_is_none(total: str) -> None:
    assert only(a_ubl(total=total)).amount is None


def test_a_currency_that_does_not_circulate_is_none() -> None:
    assert only(a_ubl(currency="DEM")).currency is None


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("<Order><ID>1</ID></Order>", id="order"),
        pytest.param("<Invoice>paid</Invoice>", id="another Invoice"),
        pytest.param("<rss/>", id="something else"),
    ],
)
def test_other_xml_is_no_invoice(text: str) -> None:
    assert read_xml(text.encode()) == ()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        pytest.param(b"", "damaged", id="empty"),
        pytest.param(a_ubl().encode()[:-20], "damaged", id="cut off"),
        pytest.param(b'<?xml version="1.0" encoding="nonsense"?><Invoice/>', "damaged", id="unknown character set"),
        pytest.param(b"<!DOCTYPE a [<!ENTITY b 'c'>]><Invoice>&b;</Invoice>", "DTD", id="entity"),
        pytest.param(b"<!DOCTYPE Invoice SYSTEM 'file:///etc/passwd'><Invoice/>", "DTD", id="outside DTD"),
        pytest.param(b"<a>" * 200_000, "too many or too deep", id="deep"),
        pytest.param(b"<a>" * 101 + b"</a>" * 101, "too many or too deep", id="101 deep"),
        pytest.param(b"<Invoice>" + b"<a/>" * 200_000 + b"</Invoice>", "too many or too deep", id="wide"),
        pytest.param(b"<Invoice>" + b" " * 5_000_000, "too large", id="long"),
    ],
)
def test_what_is_beyond_a_limit_is_refused_with_a_reason(data: bytes, why: str) -> None:
    with pytest.raises(UnreadableError, match=why):
        read_xml(data)


def test_what_is_within_every_limit_is_read() -> None:
    assert read_xml(b"<a>" * 100 + b"</a>" * 100) == ()
    assert read_xml(b"<a>" + b"<b/>" * 99_999 + b"</a>") == ()


def test_no_more_than_twenty_invoices_of_a_file_are_read() -> None:
    file = b"<FatturaElettronica>" + b"<FatturaElettronicaBody/>" * 25 + b"</FatturaElettronica>"
    assert len(read_xml(file)) == 20


@given(st.binary(max_size=200))
def test_no_bytes_make_an_invoice_by_chance(data: bytes) -> None:
    with suppress(UnreadableError):
        assert read_xml(data) == ()


@pytest.mark.parametrize(
    ("goods", "amount"),
    [
        pytest.param(
            "<DatiRiepilogo><ImponibileImporto>60.00</ImponibileImporto><Imposta>13.20</Imposta></DatiRiepilogo>"
            "<DatiRiepilogo><ImponibileImporto>12.80</ImponibileImporto><Imposta>0.00</Imposta></DatiRiepilogo>",
            "86.00",
            id="by rates",
        ),
        pytest.param("<Importo>80.00</Importo><Importo>6.00</Importo>", "86.00", id="simplified"),
        pytest.param("<Importo>80.00</Importo><Importo>?</Importo>", None, id="one sum is none"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_an_italian_total_that_is_left_out_is_added_up(goods: str, amount: str | None) -> None:
    file = (
        "<FatturaElettronica><FatturaElettronicaBody><DatiGenerali><DatiGeneraliDocumento><TipoDocumento>TD01"
        "</TipoDocumento><Divisa>EUR</Divisa><Numero>31</Numero></DatiGeneraliDocumento></DatiGenerali>"
        f"<DatiBeniServizi>{goods}</DatiBeniServizi></FatturaElettronicaBody></FatturaElettronica>"
    )
    (invoice,) = read_xml(file.encode())
    assert invoice.amount == (None if amount is None else Decimal(amount))
