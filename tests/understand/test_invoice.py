import re
from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.model.facts import number_key
from mailbot.model.mail import Attachment
from mailbot.model.picture import SeenLine, SeenPage, Sight
from mailbot.model.reading import InvoiceReading, InvoiceSource
from mailbot.understand.invoice import InvoiceFindings, See, read_invoices
from mailbot.understand.invoice_files import FileKind

PdfBuilder = Callable[..., bytes]

INVOICE = "Invoice INV-2026-0412\nDate: 2026-03-06\nOrder number: AW-10231\nTotal: USD 86.00\n"
CONFIRMATION = "Order confirmation\nOrder number: AW-10231\nRing $80.00\nShipping $6.00\nTotal $86.00\n"
UBL = (
    '<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"><ID>INV-2026-0412</ID>'
    "<DocumentCurrencyCode>USD</DocumentCurrencyCode><OrderReference><ID>AW-10231</ID></OrderReference>"
    '<LegalMonetaryTotal><TaxInclusiveAmount currencyID="USD">86.00</TaxInclusiveAmount></LegalMonetaryTotal></Invoice>'
)
GUIDE = ("Care guide for silver", "Keep the order of steps", "Delivery takes 5 days")
JPEG = b"\xff\xd8\xff" + bytes(90_000)


def find_order_keys(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(number_key, re.findall(r"AW-\d{5}", text))))


def an_attachment(
    data: bytes, name: str | None, content_type: str = "application/octet-stream", held_back: str | None = None
) -> Attachment:
    return Attachment(
        path="2",
        file_name=name,
        content_type=content_type,
        size=len(data),
        inline=False,
        sha256="",
        data=b"" if held_back else data,
        held_back=held_back,
    )


def read(
    *attachments: Attachment, body: str = "Please refund my order.", html: str | None = None, see: See | None = None
) -> InvoiceFindings:
    return read_invoices(attachments, body, html, find_order_keys, see)


def what(reading: InvoiceReading) -> tuple[str, str | None, Decimal | None, str | None, tuple[str, ...]]:
    return reading.source.value, reading.number, reading.amount, reading.currency, reading.order_keys


@pytest.mark.parametrize(
    ("name", "data", "source"),
    [
        pytest.param("invoice.xml", UBL.encode(), "xml", id="XML"),
        pytest.param("invoice.txt", INVOICE.encode(), "text", id="text"),
        pytest.param("invoice.txt", INVOICE.encode("utf-16"), "text", id="text in UTF-16"),
        pytest.param("invoice.html", f"<html><pre>{INVOICE}</pre></html>".encode(), "html", id="page"),
    ],
)
def test_an_attached_invoice_is_read_whatever_it_is_written_in(name: str, data: bytes, source: str) -> None:
    (invoice,) = read(an_attachment(data, name)).invoices
    assert what(invoice) == (source, "INV-2026-0412", Decimal("86.00"), "USD", ("AW10231",))
    assert invoice.attachment == "2"
    assert invoice.unreadable is None


def test_a_pdf_invoice_of_three_lines_is_read(make_pdf: PdfBuilder) -> None:
    data = make_pdf("INVOICE INV-1000000", "Order number: AW-10231", "Total: EUR 123.45")
    findings = read(an_attachment(data, "invoice-AW-10231.pdf", "application/pdf"))
    (invoice,) = findings.invoices
    assert what(invoice) == ("pdf", "INV-1000000", Decimal("123.45"), "EUR", ("AW10231",))
    (text,) = findings.texts
    assert "AW-10231" in text.text


def test_the_xml_inside_a_pdf_wins_over_what_is_printed(make_pdf: PdfBuilder) -> None:
    data = make_pdf("Rechnung 4711", "Gesamtbetrag 99,00 EUR", embedded={"factur-x.xml": UBL.encode()})
    (invoice,) = read(an_attachment(data, "r.pdf")).invoices
    assert what(invoice) == ("pdf", "INV-2026-0412", Decimal("86.00"), "USD", ("AW10231",))


def test_a_broken_xml_inside_a_pdf_leaves_what_is_printed(make_pdf: PdfBuilder) -> None:
    data = make_pdf("Rechnung 4711", "Gesamtbetrag 99,00 EUR", embedded={"factur-x.xml": b"<broken"})
    (invoice,) = read(an_attachment(data, "r.pdf")).invoices
    assert what(invoice) == ("pdf", "4711", Decimal("99.00"), "EUR", ())


@pytest.mark.parametrize(
    ("lines", "name", "may_be"),
    [
        pytest.param(GUIDE, "x.pdf", False, id="something else"),
        pytest.param(GUIDE, "receipt.pdf", True, id="its name says so"),
        pytest.param(
            ("Label for the way back", "of order no. AW-10231", "Delivery to us"), "x.pdf", True, id="an order"
        ),
        pytest.param(("Something at the price of $ 86.00", "and the delivery of it"), "x.pdf", True, id="money"),
    ],
)
def test_a_pdf_that_may_be_an_invoice_is_never_passed_over(
    make_pdf: PdfBuilder, lines: tuple[str, ...], name: str, *, may_be: bool
) -> None:
    assert bool(read(an_attachment(make_pdf(*lines), name)).invoices) is may_be


def test_a_text_file_that_does_not_say_so_is_no_invoice() -> None:
    findings = read(an_attachment(b"Order AW-10231, please cancel it", "note.txt", "text/plain"))
    assert findings.invoices == ()
    assert [text.text for text in findings.texts] == ["Order AW-10231, please cancel it"]


@pytest.mark.parametrize(
    ("name", "content_type", "why"),
    [
        pytest.param("a.pdf", "application/pdf", "the PDF is damaged", id="broken PDF"),
        pytest.param("a.xml", "text/xml", "the XML file is damaged", id="broken XML"),
        pytest.param("invoice.docx", "application/msword", "files of this kind are not opened", id="Office"),
        pytest.param(
            "winmail.dat", "application/ms-tnef", "files of this kind are not opened", id="wrapped attachments"
        ),
    ],
)
def test_what_cannot_be_read_is_said_and_not_passed_over(name: str, content_type: str, why: str) -> None:
    (invoice,) = read(an_attachment(b"junk", name, content_type)).invoices
    assert invoice.unreadable == why
    assert (invoice.number, invoice.amount, invoice.order_keys) == (None, None, ())


def test_an_attachment_beyond_a_limit_is_unreadable() -> None:
    (invoice,) = read(an_attachment(b"1", "a.pdf", held_back="attachment_too_large")).invoices
    assert invoice.unreadable == "the attachment was held back by a limit"


@pytest.mark.parametrize(
    ("name", "unreadable", "photos"),
    [
        pytest.param("invoice.jpg", 1, 0, id="named as an invoice"),
        pytest.param("IMG_2041.jpg", 1, 1, id="named by a camera"),
        pytest.param(None, 1, 1, id="without a name"),
        pytest.param("broken-clasp.jpg", 0, 1, id="named as something else"),
    ],
)
def test_a_picture_may_be_the_invoice(name: str | None, unreadable: int, photos: int) -> None:
    findings = read(an_attachment(JPEG, name, "image/jpeg"))
    assert [reading.source for reading in findings.invoices] == [InvoiceSource.IMAGE] * unreadable
    assert findings.photos == photos


def test_a_picture_is_a_photo_where_the_invoice_came_otherwise() -> None:
    findings = read(an_attachment(JPEG, "IMG_2041.jpg"), an_attachment(INVOICE.encode(), "invoice.txt"))
    assert [reading.source for reading in findings.invoices] == [InvoiceSource.TEXT]
    assert findings.photos == 1


def test_a_picture_may_be_the_invoice_where_only_a_credit_note_came() -> None:
    note = an_attachment(b"Credit note\nOrder AW-10231\nTotal: USD 86.00", "credit.txt")
    credit, picture = read(note, an_attachment(JPEG, "IMG_2041.jpg")).invoices
    assert credit.credit_note
    assert picture.unreadable == "pictures are not read"


def seen(*texts: str, unread: int = 0) -> Sight:
    lines = [SeenLine(text=text, x0=0, y0=40 * at, x1=400, y1=40 * at, height=24) for at, text in enumerate(texts)]
    return Sight(pages=(SeenPage(lines=tuple(lines), unread=unread, codes=()),))


@pytest.mark.parametrize(
    ("name", "sight", "invoices", "photos"),
    [
        pytest.param("IMG_2041.jpg", seen(*INVOICE.splitlines()), [("INV-2026-0412", None)], 0, id="invoice"),
        pytest.param(
            "ring.jpg", seen(*INVOICE.splitlines()), [("INV-2026-0412", None)], 0, id="invoice by another name"
        ),
        pytest.param("IMG_2041.jpg", seen(), [], 1, id="goods"),
        pytest.param("IMG_2041.jpg", seen("925", unread=1), [], 1, id="goods with a stamp"),
        pytest.param("invoice.jpg", seen("925"), [(None, None)], 0, id="hardly a word on what is named an invoice"),
        pytest.param(
            "IMG_2041.jpg",
            seen("Total", unread=4),
            [(None, "the picture is too blurred to be read")],
            0,
            id="blurred page",
        ),
        pytest.param("clasp.jpg", seen("Total", unread=4), [], 1, id="blurred, named as something else"),
        pytest.param(
            "IMG_2041.jpg",
            seen("qwxz vbnm lkjh", "poiu ztre wqas dfgh", "yxcv bnmq werr"),
            [(None, "no known words in it")],
            0,
            id="words of no language",
        ),
        pytest.param("IMG_2041.jpg", seen("Wash by hand", "Keep the order of steps", *GUIDE), [], 1, id="care guide"),
        pytest.param(
            "IMG_2041.jpg",
            Sight(pages=(), unreadable="the picture is damaged"),
            [(None, "the picture is damaged")],
            0,
            id="damaged",
        ),
    ],
)
def test_a_picture_that_is_looked_at_is_what_it_shows(
    name: str, sight: Sight, invoices: list[tuple[str | None, str | None]], photos: int
) -> None:
    findings = read(an_attachment(JPEG, name), see=lambda _kind, _data: sight)
    assert [(invoice.number, invoice.unreadable) for invoice in findings.invoices] == invoices
    assert findings.photos == photos


def test_pictures_are_looked_at_until_one_is_an_invoice_the_likeliest_first() -> None:
    looked: list[bytes] = []

    def see(_kind: FileKind, data: bytes) -> Sight:
        looked.append(data)
        return seen(*INVOICE.splitlines()) if data == JPEG + b"2" else seen()

    names = ("clasp.jpg", "IMG_1.jpg", "IMG_2.jpg", "IMG_3.jpg", "receipt.jpg")
    findings = read(*(an_attachment(JPEG + b"%d" % at, name) for at, name in enumerate(names)), see=see)
    assert looked == [JPEG + b"4", JPEG + b"1", JPEG + b"2"]
    assert [invoice.number for invoice in findings.invoices if not invoice.unreadable and invoice.number] == [
        "INV-2026-0412"
    ]
    assert findings.photos == 3


def test_nothing_is_looked_at_where_the_invoice_came_otherwise() -> None:
    def see(_kind: FileKind, _data: bytes) -> Sight:
        raise AssertionError

    read(an_attachment(JPEG, "IMG_2041.jpg"), an_attachment(INVOICE.encode(), "invoice.txt"), see=see)


def test_a_scanned_pdf_is_looked_at_and_is_a_picture(make_pdf: PdfBuilder) -> None:
    scan = an_attachment(make_pdf(), "scan.pdf")
    (invoice,) = read(scan, see=lambda _kind, _data: seen(*INVOICE.splitlines())).invoices
    assert what(invoice) == ("image", "INV-2026-0412", Decimal("86.00"), "USD", ("AW10231",))
    (unread,) = read(scan).invoices
    assert unread.unreadable == "a scan without text"


def test_logos_are_neither_photos_nor_invoices() -> None:
    assert read(an_attachment(b"\x89PNG" + bytes(900), "image001.png")) == read()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(CONFIRMATION, id="pasted"),
        pytest.param(
            "It does not fit.\n\n" + "".join(f"> {line}\n" for line in CONFIRMATION.splitlines()), id="quoted"
        ),
        pytest.param(
            f"See below.\n\n-----\nFrom: shop\nSubject: Your order AW-10231\n\n{CONFIRMATION}", id="forwarded"
        ),
        pytest.param("Betreff: Ihre Bestellung AW-10231\n\nGesamtbetrag: 86,00 $", id="German"),
    ],
)
def test_an_order_confirmation_in_the_mails_text_counts_as_an_invoice(body: str) -> None:
    (invoice,) = read(body=body).invoices
    assert what(invoice) == ("text", None, Decimal("86.00"), "USD", ("AW10231",))
    assert invoice.attachment is None


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("Order AW-10231, invoice INV-2026-0412, it was $86.00 in total.", id="sentence"),
        pytest.param("Order number: AW-10231\nInvoice number: INV-2026-0412\nTotal: $86.00", id="figures alone"),
        pytest.param("Order confirmation\nOrder number: AW-10231\nSee you soon", id="no total"),
        pytest.param("Order confirmation\nOrder number: AW-10231\nTotal: 86.00", id="no currency"),
        pytest.param("Order confirmation\nTotal: $86.00", id="no number"),
        pytest.param("Credit note\nOrder AW-10231\nTotal: USD 86.00", id="credit note"),
    ],
)
def test_what_the_customer_writes_is_no_invoice(body: str) -> None:
    assert read(body=body).invoices == ()


def test_an_order_of_the_customers_own_words_is_not_the_forwarded_papers() -> None:
    (invoice,) = read(body=f"I mean order AW-99999, not this one:\n\n{CONFIRMATION}").invoices
    assert invoice.order_keys == ("AW10231",)


PAGE = (
    "<html><body><p>It does not fit.</p><h2>Order confirmation</h2><table>"
    "<tr><td>Order number</td><td>AW-10231</td></tr><tr><td>Ring</td><td>$80.00</td></tr>"
    "<tr><td>Shipping</td><td>$6.00</td></tr><tr><td>Total</td><td>$86.00</td></tr></table>%s</body></html>"
)
JSON_LD = (
    '<script type="application/ld+json">{"@context": "https://schema.org", "@type": "Order",'
    ' "orderNumber": "AW-10231", "price": "86.00", "priceCurrency": "USD"}</script>'
)
MICRODATA = (
    '<div itemscope itemtype="https://schema.org/Order"><b itemprop="orderNumber">AW-10231</b>'
    '<meta itemprop="price" content="86.00"><span itemprop="priceCurrency">USD</span></div>'
)
RDFA = (
    '<div vocab="https://schema.org/" typeof="Order"><b property="orderNumber">AW-10231</b>'
    '<meta property="price" content="86.00"><span property="priceCurrency">USD</span></div>'
)


@pytest.mark.parametrize(
    "html",
    [
        pytest.param(PAGE % "", id="table"),
        pytest.param(f"<p>It does not fit.</p>{JSON_LD}", id="JSON-LD"),
        pytest.param(f"<p>It does not fit.</p>{MICRODATA}", id="microdata"),
        pytest.param(f"<p>It does not fit.</p>{RDFA}", id="RDFa"),
    ],
)
def test_an_order_confirmation_in_html_counts_as_an_invoice(html: str) -> None:
    (invoice,) = read(html=html).invoices
    assert what(invoice) == ("html", None, Decimal("86.00"), "USD", ("AW10231",))


def test_hidden_text_of_an_html_mail_is_no_invoice() -> None:
    hidden = '<div style="display:none">' + CONFIRMATION.replace("\n", "<br>") + "</div>"
    assert read(html=f"<p>Hello</p>{hidden}").invoices == ()


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("[" * 100_000, id="deep"),
        pytest.param('{"@type": "Order", "orderNumber": "\\ud800\\u0000"}', id="half a character"),
        pytest.param('{"@type": ["Order", 1, null], "orderNumber": {"a": [1]}, "price": true}', id="wrong types"),
        pytest.param('{"@type": "Order", "price": ' + "9" * 5_000 + "}", id="endless figure"),
        pytest.param("nonsense", id="no JSON"),
    ],
)
def test_markup_that_makes_no_sense_is_no_invoice(script: str) -> None:
    html = f'<p>schema.org</p><script type="application/ld+json">{script}</script>'
    assert read(html=html).invoices == ()


@given(
    st.sampled_from(["a.pdf", "a.xml", "a.html", "a.txt", "a.png", "invoice"]),
    st.binary(max_size=300),
    st.text(alphabet=st.characters(codec="utf-8"), max_size=100),
)
def test_nothing_that_a_mail_holds_can_make_it_fail(name: str, data: bytes, text: str) -> None:
    findings = read(an_attachment(data, name), body=text, html=text)
    assert all("\0" not in each.text for each in findings.texts)


SHOP_MAIL = "Thank you for your purchase!\nOrder summary\nRing\t$80.00\nShipping\t$6.00\nTotal\t$86.00 USD\n"


@pytest.mark.parametrize(
    ("above", "keys"),
    [
        pytest.param("Aurelia & Wren\tOrder #AW-10231\n\n", [("AW10231",)], id="heading"),
        pytest.param(
            "Subject: Order AW-10231 confirmed\nTo: <jane@example.org>\n\n", [("AW10231",)], id="subject line"
        ),
        pytest.param("It is about my order AW-10231, I paid for it.\n\n", [], id="sentence"),
        pytest.param("Order AW-10231\n" + "\n" * 9, [], id="far above"),
    ],
)
def test_a_confirmation_s_order_may_stand_in_a_heading_above_its_title(above: str, keys: list[tuple[str, ...]]) -> None:
    assert [invoice.order_keys for invoice in read(body=f"Please refund.\n\n{above}{SHOP_MAIL}").invoices] == keys
