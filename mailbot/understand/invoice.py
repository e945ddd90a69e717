"""Which invoices, receipts and order confirmations came with a mail, and what each of them says."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from mailbot.model.card_numbers import find_card_numbers
from mailbot.model.mail import Attachment
from mailbot.model.picture import MOST_SEEN, Sight
from mailbot.model.reading import GoodsRow, InvoiceReading, InvoiceSource
from mailbot.understand.invoice_files import FileKind, NameSays, file_kind, is_layout, name_says
from mailbot.understand.invoice_papers import (
    UNHURRIED,
    Document,
    Readers,
    decode_text,
    read_html_document,
    read_marked_document,
    read_pdf_document,
    read_seen_document,
    read_text_document,
    read_xml_documents,
)
from mailbot.understand.invoice_text import from_title, may_hold_title, orders_above

FindOrderKeys = Callable[[str], tuple[str, ...]]
See = Callable[[FileKind, bytes], Sight]

_HELD_BACK = "the attachment was held back by a limit"
_PICTURE = "pictures are not read"
_CLOSED = "files of this kind are not opened"
_SCAN = "a scan without text"
_SHORTEST_CARD = 15
_PROMISING = {NameSays.PAPER: 0, NameSays.NOTHING: 1, NameSays.OTHER: 2}
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
        cards: SHA-256 of a PDF or picture to the payment card numbers that it shows. Those of 13 and 14 digits do not
            count here: no such card is issued any more, and invoices are full of article and company numbers (GS1).
    """

    invoices: tuple[InvoiceReading, ...]
    photos: int
    texts: tuple[AttachmentText, ...]
    cards: Mapping[str, tuple[str, ...]]


def read_invoices(
    attachments: Sequence[Attachment],
    body_text: str,
    html: str | None,
    find_order_keys: FindOrderKeys,
    see: See | None = None,
    *,
    readers: Readers = UNHURRIED,
) -> InvoiceFindings:
    """Read every attachment, and the mail's own text, for invoices. Never raises.

    An order confirmation counts as an invoice: many shops send no other paper. Credit notes, delivery notes, offers
    and reminders are marked as no proof of purchase. A file that may be an invoice and cannot be read gives a reading
    that says why: unknown is not no, and a person must look at it.

    Pictures and scans are looked at only where nothing else was read whole, and only until one is: first those whose
    names speak of an invoice or an order, then scans, then such as cameras, scanners and phones give
    (``IMG_2041.jpg``), then the rest (``broken-clasp.jpg``). One with hardly a word on it, or with words of something
    else, is a photo. What is not looked at goes by its name alone: of the first three kinds it may be the invoice and
    is unreadable, of the last it is a photo. Office files are never opened and go by their names, too.

    Args:
        attachments: of the mail, decoded.
        body_text: the mail's text with all that it quotes; a forwarded confirmation stands there.
        html: the mail's HTML text, or ``None``.
        find_order_keys: gives the keys of the shop's order numbers in a text.
        see: has a picture or a PDF looked at; ``None`` where nobody can.
        readers: opens PDF files and HTML.

    Source: C8; RELIABILITY.md, Limits; CONTRACT.md, ``invoice``.
    """
    desk = _Desk(find_order_keys)
    for attachment in attachments:
        documents = _documents(attachment, readers)
        if documents is None:
            desk.unopened.append(attachment)
        elif any(document.scanned for document in documents):
            desk.scans.append(attachment)
        else:
            desk.take(attachment, documents)
    desk.invoices += _in_body(body_text, html, find_order_keys, readers)
    if see is not None:
        _look(desk, see)
    return desk.findings()


def goods_in(invoices: Sequence[InvoiceReading]) -> tuple[GoodsRow, ...]:
    """The rows of the enclosed invoice; none where two invoices sell different goods."""
    several = {invoice.goods for invoice in invoices if invoice.goods and not invoice.credit_note}
    return several.pop() if len(several) == 1 else ()


class _Desk:
    """What was read so far, and what lies there unread."""

    def __init__(self, find_order_keys: FindOrderKeys) -> None:
        self._find_order_keys = find_order_keys
        self._texts: list[AttachmentText] = []
        self.invoices: list[InvoiceReading] = []
        self.unopened: list[Attachment] = []
        self.scans: list[Attachment] = []
        self.photos = 0
        self._cards: dict[str, tuple[str, ...]] = {}

    def take(self, attachment: Attachment, documents: Sequence[Document]) -> bool:
        """Keep what one attachment says; tells whether any of it may be an invoice."""
        readings = [
            reading
            for document in documents
            if _may_be_invoice(document, reading := self._reading(document, attachment), attachment)
        ]
        self.invoices += readings
        text = "\n".join(document.text for document in documents if document.text)
        if documents and documents[0].source in {InvoiceSource.PDF, InvoiceSource.IMAGE}:
            self._note_cards(attachment, text)
        if text and (readings or documents[0].source is not InvoiceSource.IMAGE):
            self._texts.append(AttachmentText(path=attachment.path, text=text))
        return bool(readings)

    def _note_cards(self, attachment: Attachment, text: str) -> None:
        numbers = tuple(card.digits for card in find_card_numbers(text) if len(card.digits) >= _SHORTEST_CARD)
        if numbers:
            self._cards[attachment.sha256] = numbers

    def findings(self) -> InvoiceFindings:
        """All of it; what was not looked at goes by its name."""
        papers = [each for each in self.unopened if name_says(each.file_name) is not NameSays.OTHER]
        pictures = [each for each in self.unopened if file_kind(each) is FileKind.PICTURE]
        if not self.is_served():
            self.invoices += [_unread(each) for each in (*self.scans, *papers)]
        photos = self.photos + sum(name_says(each.file_name) is not NameSays.PAPER for each in pictures)
        return InvoiceFindings(
            invoices=tuple(self.invoices), photos=photos, texts=tuple(self._texts), cards=self._cards
        )

    def is_served(self) -> bool:
        """Whether an invoice was read whole."""
        return any(map(_read_whole, self.invoices))

    def _reading(self, document: Document, attachment: Attachment) -> InvoiceReading:
        return _reading(document, attachment.path, self._find_order_keys)


def _look(desk: _Desk, see: See) -> None:
    pictures = [each for each in desk.unopened if file_kind(each) is FileKind.PICTURE and each.held_back is None]
    worth = sorted((*desk.scans, *pictures), key=lambda each: (_PROMISING[name_says(each.file_name)], each in pictures))
    for attachment in worth[:MOST_SEEN]:
        if desk.is_served():
            return
        document = read_seen_document(see(file_kind(attachment), attachment.data))
        (desk.scans if attachment in desk.scans else desk.unopened).remove(attachment)
        if document.unreadable is not None and name_says(attachment.file_name) is NameSays.OTHER:
            document = Document(source=InvoiceSource.IMAGE)
        if not desk.take(attachment, (document,)):
            desk.photos += 1


def _documents(attachment: Attachment, readers: Readers) -> tuple[Document, ...] | None:
    """What an attachment says; nothing for layout and the like, ``None`` for what is not opened."""
    kind, data = file_kind(attachment), attachment.data
    if kind is FileKind.NEVER_PAPER or (kind is FileKind.PICTURE and is_layout(attachment)):
        return ()
    if kind in {FileKind.PICTURE, FileKind.CLOSED}:
        return None
    if attachment.held_back is not None:
        return (Document(source=_SOURCES.get(kind, InvoiceSource.TEXT), unreadable=_HELD_BACK),)
    if kind is FileKind.PDF:
        return (read_pdf_document(data, readers.pdf),)
    if kind is FileKind.XML:
        return read_xml_documents(data)
    text = decode_text(data)
    return (read_html_document(text, readers.page) if kind is FileKind.HTML else read_text_document(text),)


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
        goods=document.goods,
    )


def _may_be_invoice(document: Document, reading: InvoiceReading, attachment: Attachment) -> bool:
    """Whether a document says that it is an invoice, or a PDF may be one all the same.

    A PDF in a language that is not known, or of an odd layout, may be one where it names an order of the shop, an
    invoice, or any money; a picture where it names an order or has a number, and money; a text or page must say so.
    Any file may be one that has such a name.
    """
    if document.unreadable is not None or document.says_so or name_says(attachment.file_name) is NameSays.PAPER:
        return True
    if document.source is InvoiceSource.IMAGE:
        return document.hints and (bool(reading.order_keys) or reading.number is not None)
    return document.source is InvoiceSource.PDF and (document.hints or bool(reading.order_keys))


def _in_body(
    body_text: str, html: str | None, find_order_keys: FindOrderKeys, readers: Readers
) -> list[InvoiceReading]:
    """The invoice or order confirmation that was pasted or forwarded into the mail's own text, if there is one.

    Its text begins at a title, so that what the customer writes above is no part of it. It must name its number or
    an order, there or in a heading right above, and a total with the currency next to it; markup that says "Invoice"
    needs no number.
    """
    marked = None if html is None else read_marked_document(html)
    if marked is not None and marked.marked and marked.amount is not None:
        return [_reading(marked, None, find_order_keys)]
    page = readers.page(html).text if html is not None and may_hold_title(html) else ""
    for source, text in ((InvoiceSource.HTML, page), (InvoiceSource.TEXT, body_text)):
        passage = from_title(text)
        if passage is None:
            continue
        document = read_text_document(passage, source)
        if document.amount is None or not document.marked or document.no_proof:
            continue
        if not (document.number or document.references or find_order_keys(passage)):
            document = replace(document, references=orders_above(text.removesuffix(passage)))
        reading = _reading(document, None, find_order_keys)
        if reading.currency and (reading.number or document.references or reading.order_keys):
            return [reading]
    return []


def _read_whole(reading: InvoiceReading) -> bool:
    named = reading.number is not None or bool(reading.order_keys)
    return named and reading.amount is not None and reading.currency is not None and not reading.credit_note


def _unread(attachment: Attachment) -> InvoiceReading:
    kind = file_kind(attachment)
    why = _PICTURE if kind is FileKind.PICTURE else _SCAN if kind is FileKind.PDF else _CLOSED
    document = Document(source=_SOURCES.get(kind, InvoiceSource.TEXT), unreadable=why)
    return _reading(document, attachment.path, lambda _: ())
