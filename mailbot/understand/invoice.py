"""Which invoices, receipts and order confirmations came with a mail, and what each of them says."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mailbot.model.mail import Attachment
from mailbot.model.reading import InvoiceReading, InvoiceSource
from mailbot.understand.html_text import read_html
from mailbot.understand.invoice_files import FileKind, NameSays, file_kind, is_layout, name_says
from mailbot.understand.invoice_papers import (
    Document,
    decode_text,
    read_html_document,
    read_marked_document,
    read_pdf_document,
    read_text_document,
    read_xml_documents,
)
from mailbot.understand.invoice_text import from_title, may_hold_title

FindOrderKeys = Callable[[str], tuple[str, ...]]

_HELD_BACK = "the attachment was held back by a limit"
_PICTURE = "pictures are not read"
_CLOSED = "files of this kind are not opened"
_SOURCES = {
    FileKind.PDF: InvoiceSource.PDF,
    FileKind.XML: InvoiceSource.XML,
    FileKind.HTML: InvoiceSource.HTML,
    FileKind.PICTURE: InvoiceSource.IMAGE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentText:
    """What was read out of one attachment; spans with part ``"attachment:<path>"`` point into ``text``."""

    path: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceFindings:
    """Everything about invoices in one mail.

    Attributes:
        photos: pictures that are neither the invoice, as far as their names tell, nor part of the layout.
    """

    invoices: tuple[InvoiceReading, ...]
    photos: int
    texts: tuple[AttachmentText, ...]


def read_invoices(
    attachments: Sequence[Attachment], body_text: str, html: str | None, find_order_keys: FindOrderKeys
) -> InvoiceFindings:
    """Read every attachment, and the mail's own text, for invoices. Never raises.

    An order confirmation counts as an invoice: many shops send no other paper. Credit notes, delivery notes, offers
    and reminders are marked as no proof of purchase. A file that may be an invoice and cannot be read gives a reading
    that says why: unknown is not no, and a person must look at it.

    Pictures and Office files are not read. One whose name speaks of an invoice or an order, or is such as cameras,
    scanners and phones give (``IMG_2041.jpg``), may be the invoice; unless another paper was read whole, it is
    reported as unreadable, never passed over. A name like ``broken-clasp.jpg`` says that it is something else.

    Args:
        attachments: of the mail, decoded.
        body_text: the mail's text with all that it quotes; a forwarded confirmation stands there.
        html: the mail's HTML text, or ``None``.
        find_order_keys: gives the keys of the shop's order numbers in a text.

    Source: C8; RELIABILITY.md, Limits; CONTRACT.md, ``invoice``.
    """
    invoices: list[InvoiceReading] = []
    texts: list[AttachmentText] = []
    unopened: list[Attachment] = []
    for attachment in attachments:
        documents = _documents(attachment)
        if documents is None:
            unopened.append(attachment)
            continue
        for document in documents:
            reading = _reading(document, attachment.path, find_order_keys)
            invoices += [reading] if _may_be_invoice(document, reading, attachment) else []
        text = "\n".join(document.text for document in documents if document.text)
        texts += [AttachmentText(path=attachment.path, text=text)] if text else []
    invoices += _in_body(body_text, html, find_order_keys)
    names = [name_says(attachment.file_name) for attachment in unopened]
    if not any(map(_read_whole, invoices)):
        invoices += [_unread(each) for each, name in zip(unopened, names, strict=True) if name is not NameSays.OTHER]
    pictures = [file_kind(attachment) is FileKind.PICTURE for attachment in unopened]
    photos = sum(is_one and name is not NameSays.PAPER for is_one, name in zip(pictures, names, strict=True))
    return InvoiceFindings(invoices=tuple(invoices), photos=photos, texts=tuple(texts))


def _documents(attachment: Attachment) -> tuple[Document, ...] | None:
    """What an attachment says; nothing for layout and the like, ``None`` for what is not opened."""
    kind, data = file_kind(attachment), attachment.data
    if kind is FileKind.NEVER_PAPER or (kind is FileKind.PICTURE and is_layout(attachment)):
        return ()
    if kind in {FileKind.PICTURE, FileKind.CLOSED}:
        return None
    if attachment.held_back is not None:
        return (Document(source=_SOURCES.get(kind, InvoiceSource.TEXT), unreadable=_HELD_BACK),)
    if kind is FileKind.PDF:
        return (read_pdf_document(data),)
    if kind is FileKind.XML:
        return read_xml_documents(data)
    text = decode_text(data)
    return (read_html_document(text) if kind is FileKind.HTML else read_text_document(text),)


def _reading(document: Document, path: str | None, find_order_keys: FindOrderKeys) -> InvoiceReading:
    return InvoiceReading(
        source=document.source,
        attachment=path,
        unreadable=document.unreadable,
        number=document.number,
        amount=document.amount,
        currency=document.currency,
        issued_on=document.issued_on,
        order_keys=find_order_keys("\n".join((document.text, *document.references))),
        credit_note=document.no_proof,
    )


def _may_be_invoice(document: Document, reading: InvoiceReading, attachment: Attachment) -> bool:
    """Whether a document says that it is an invoice, or a PDF may be one all the same.

    A PDF in a language that is not known, or of an odd layout, may be one where it names an order of the shop, an
    invoice, or any money; a text or page must say so, or have such a name.
    """
    if document.unreadable is not None or document.says_so or name_says(attachment.file_name) is NameSays.PAPER:
        return True
    return document.source is InvoiceSource.PDF and (document.hints or bool(reading.order_keys))


def _in_body(body_text: str, html: str | None, find_order_keys: FindOrderKeys) -> list[InvoiceReading]:
    """The invoice or order confirmation that was pasted or forwarded into the mail's own text, if there is one.

    Its text begins at a title, so that what the customer writes above is no part of it. It must name its number or
    an order, and a total with the currency next to it; markup that says "Invoice" needs no number.
    """
    marked = None if html is None else read_marked_document(html)
    if marked is not None and marked.marked and marked.amount is not None:
        return [_reading(marked, None, find_order_keys)]
    page = read_html(html).text if html is not None and may_hold_title(html) else ""
    for source, text in ((InvoiceSource.HTML, page), (InvoiceSource.TEXT, body_text)):
        passage = from_title(text)
        document = read_text_document(passage, source) if passage else None
        if document is not None and document.amount is not None and document.marked and not document.no_proof:
            reading = _reading(document, None, find_order_keys)
            if reading.currency and (reading.number or document.references or reading.order_keys):
                return [reading]
    return []


def _read_whole(reading: InvoiceReading) -> bool:
    named = reading.number is not None or bool(reading.order_keys)
    return named and reading.amount is not None and reading.currency is not None and not reading.credit_note


def _unread(attachment: Attachment) -> InvoiceReading:
    kind = file_kind(attachment)
    why = _PICTURE if kind is FileKind.PICTURE else _CLOSED
    document = Document(source=_SOURCES.get(kind, InvoiceSource.TEXT), unreadable=why)
    return _reading(document, attachment.path, lambda _: ())
