"""What one file or text says as an invoice, whatever it is written in, before anybody asks whose invoice it is."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from mailbot.model.picture import Sight
from mailbot.model.reading import GoodsRow, InvoiceSource
from mailbot.understand.html_text import HtmlText, read_html
from mailbot.understand.invoice_markup import read_markup
from mailbot.understand.invoice_pdf import PdfContent, read_pdf
from mailbot.understand.invoice_rows import MOST_TEXT
from mailbot.understand.invoice_text import PaperKind, read_paper
from mailbot.understand.invoice_xml import XmlInvoice, read_xml
from mailbot.understand.payment_codes import find_payment
from mailbot.understand.picture_rows import page_text
from mailbot.understand.unreadable import UnreadableError

_SCAN = "a scan without text"
_STRANGE = "no known words in it"
_BLURRED = "the picture is too blurred to be read"
_SHORTEST_TEXT = 40
_FEW_PLACES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document as read.

    Attributes:
        text: what it says in words; order numbers are looked for in it.
        unreadable: why nothing could be read out of it; ``None`` where something was.
        number, amount, currency, issued_on, goods: as in ``InvoiceReading``.
        references: order numbers as printed.
        no_proof: a credit note, delivery note, offer or reminder.
        says_so: it calls itself an invoice, a receipt, an order confirmation or one of those.
        hints: it speaks of an invoice or of money at all.
        understood: it has words that are known; where there are none, nobody can say what it is not.
        marked: the currency stands next to the amount.
        scanned: a PDF whose pages are pictures, or whose text is none; they must be looked at.
    """

    source: InvoiceSource
    text: str = ""
    unreadable: str | None = None
    number: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    issued_on: date | None = None
    references: tuple[str, ...] = ()
    no_proof: bool = False
    says_so: bool = False
    hints: bool = False
    understood: bool = True
    marked: bool = False
    scanned: bool = False
    goods: tuple[GoodsRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Readers:
    """How files are opened; whoever reads what strangers send limits the time of each."""

    pdf: Callable[[bytes], PdfContent] = read_pdf
    page: Callable[[str], HtmlText] = read_html


UNHURRIED = Readers()


def read_pdf_document(data: bytes, open_pdf: Callable[[bytes], PdfContent] = read_pdf) -> Document:
    """A PDF; where an electronic invoice is embedded, its values win over the printed ones.

    One with hardly any text is a scan, stamped at most. One without known words is garbled or in another language.
    """
    try:
        content = open_pdf(data)
    except UnreadableError as problem:
        return Document(source=InvoiceSource.PDF, unreadable=str(problem))
    embedded = next((invoice for file in content.embedded for invoice in _electronic(file)), None)
    shown = read_text_document(content.text, InvoiceSource.PDF)
    if embedded is not None:
        return _from_xml(embedded, InvoiceSource.PDF, shown)
    short = sum(map(str.isalnum, content.text)) < _SHORTEST_TEXT
    if shown.hints or (shown.understood and not short):
        return shown
    return Document(source=InvoiceSource.PDF, text=content.text, unreadable=_SCAN if short else _STRANGE, scanned=True)


def read_seen_document(sight: Sight) -> Document:
    """A picture or a scan as it was seen; where hardly anything can be read on it, it says nothing.

    What barcodes and QR codes say is a hint: an order's number counts, a sum to pay where no total could be read.
    """
    if sight.unreadable is not None:
        return Document(source=InvoiceSource.IMAGE, unreadable=sight.unreadable)
    shown = "\n".join(page_text(page) for page in sight.pages)
    codes = [code for page in sight.pages for code in page.codes]
    text = "\n".join((shown, *codes))
    paper = read_text_document(shown, InvoiceSource.IMAGE)
    letters, unread = sum(map(str.isalnum, shown)), sum(page.unread for page in sight.pages)
    lines = sum(len(page.lines) for page in sight.pages)
    if unread > max(lines, _FEW_PLACES):
        return Document(source=InvoiceSource.IMAGE, text=text, unreadable=_BLURRED)
    if letters >= _SHORTEST_TEXT and not (paper.understood or paper.hints):
        return Document(source=InvoiceSource.IMAGE, text=text, unreadable=_STRANGE)
    to_pay = next((sum_ for code in codes if (sum_ := find_payment(code)) is not None), None)
    if paper.amount is None and to_pay is not None:
        paper = replace(paper, amount=to_pay.amount, currency=to_pay.currency, marked=True, hints=True)
    return replace(paper, text=text)


def read_xml_documents(data: bytes) -> tuple[Document, ...]:
    """An XML file: every invoice in it; none where it is something else."""
    try:
        nothing = Document(source=InvoiceSource.XML)
        return tuple(_from_xml(invoice, InvoiceSource.XML, nothing) for invoice in read_xml(data))
    except UnreadableError as problem:
        return (Document(source=InvoiceSource.XML, unreadable=str(problem)),)


def read_html_document(html: str, read_page: Callable[[str], HtmlText] = read_html) -> Document:
    """An HTML file as a person sees it; what it says in schema.org markup wins where both say something."""
    text = read_page(html).text
    shown, marked = read_text_document(text, InvoiceSource.HTML), read_marked_document(html)
    if marked is None:
        return shown
    total = shown if marked.amount is None else marked
    return replace(
        marked,
        text=text,
        number=marked.number or shown.number,
        amount=total.amount,
        currency=total.currency,
        marked=total.marked,
        issued_on=marked.issued_on or shown.issued_on,
        references=marked.references or shown.references,
        no_proof=shown.no_proof,
        goods=shown.goods,
    )


def read_marked_document(html: str) -> Document | None:
    """The invoice or the numbered order that an HTML page describes in schema.org markup, or ``None``."""
    found = read_markup(html)
    if found is None or not (found.is_invoice or found.references):
        return None
    return Document(
        source=InvoiceSource.HTML,
        number=found.number,
        amount=found.amount,
        currency=found.currency,
        marked=found.currency is not None,
        issued_on=found.issued_on,
        references=found.references,
        says_so=True,
        hints=True,
    )


def read_text_document(text: str, source: InvoiceSource = InvoiceSource.TEXT) -> Document:
    """A document as shown: plain text, or what a PDF or an HTML page shows."""
    paper = read_paper(text)
    return Document(
        source=source,
        text=text,
        number=paper.number,
        amount=paper.total.amount if paper.total else None,
        currency=paper.total.currency if paper.total else None,
        marked=paper.total is not None and paper.total.marked,
        issued_on=paper.issued_on,
        references=paper.references,
        no_proof=paper.kind is PaperKind.NO_PROOF,
        says_so=paper.kind is not PaperKind.UNKNOWN,
        hints=paper.mentions_invoice or paper.names_money,
        understood=paper.understood,
        goods=paper.goods,
    )


def decode_text(data: bytes) -> str:
    """A text file whose character set nobody stated: UTF-8 or UTF-16 where that fits, else Windows-1252."""
    charset = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = data.decode(charset)
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    return text.replace("\0", "")[:MOST_TEXT]


def _electronic(data: bytes) -> tuple[XmlInvoice, ...]:
    try:
        return read_xml(data)
    except UnreadableError:
        return ()


def _from_xml(invoice: XmlInvoice, source: InvoiceSource, shown: Document) -> Document:
    named = (shown.text, invoice.number, *invoice.references)
    own_total = invoice.amount is not None
    return Document(
        source=source,
        text="\n".join(value for value in named if value),
        number=invoice.number or shown.number,
        amount=invoice.amount if own_total else shown.amount,
        currency=invoice.currency or shown.currency,
        marked=invoice.currency is not None or (shown.marked and not own_total),
        issued_on=invoice.issued_on or shown.issued_on,
        references=invoice.references or shown.references,
        no_proof=invoice.credit_note,
        says_so=True,
        hints=True,
        goods=invoice.goods or shown.goods,
    )
