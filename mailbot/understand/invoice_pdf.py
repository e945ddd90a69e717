"""What a PDF holds: the text of its pages and the electronic invoice that may be embedded in it."""

import ctypes
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import pypdfium2
import pypdfium2.raw as pdfium

from mailbot.understand.invoice_rows import MOST_TEXT
from mailbot.understand.pdf_bounds import check_bounds
from mailbot.understand.unreadable import UnreadableError

_MOST_BYTES = 15_000_000
_MOST_PAGES = 20
_MOST_EMBEDDED = 10
_MOST_EMBEDDED_BYTES = 5_000_000
_BROKEN_HYPHEN = "\ufffe"


@dataclass(frozen=True, slots=True, kw_only=True)
class PdfContent:
    """What was found in a PDF.

    Attributes:
        text: of all pages, LF line ends; empty for a scan.
        embedded: the XML files inside it.
    """

    text: str
    embedded: tuple[bytes, ...]


def read_pdf(data: bytes) -> PdfContent:
    """Open a PDF without forms, scripts and links, and take its text and its embedded XML files.

    Limits: 15 MB, 20 pages, 200 KB of text, 5 MB for one embedded file, and those of ``pdf_bounds``. A small file can
    still ask for gigabytes: the caller runs in a process with a memory limit (RELIABILITY.md, Limits).

    Raises:
        UnreadableError: damaged, protected by a password, or beyond a limit.
    """
    if len(data) > _MOST_BYTES:
        raise UnreadableError("the PDF is too large")
    check_bounds(data)
    try:
        with closing(pypdfium2.PdfDocument(data)) as document:
            if len(document) > _MOST_PAGES:
                raise UnreadableError("the PDF has too many pages")
            return PdfContent(text=_text(document), embedded=tuple(_embedded_xml(document)))
    except pypdfium2.PdfiumError as problem:
        protected = getattr(problem, "err_code", None) == pdfium.FPDF_ERR_PASSWORD
        raise UnreadableError("the PDF asks for a password" if protected else "the PDF is damaged") from None


def _text(document: pypdfium2.PdfDocument) -> str:
    pages: list[str] = []
    for number in range(len(document)):
        with closing(document[number]) as page, closing(page.get_textpage()) as shown:
            count = min(shown.count_chars(), MOST_TEXT - sum(map(len, pages)))
            pages.append(shown.get_text_range(0, count) if count > 0 else "")
    text = "\n".join(pages).replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("\0", "").replace(_BROKEN_HYPHEN, "-").strip()


def _embedded_xml(document: pypdfium2.PdfDocument) -> Iterator[bytes]:
    for number in range(min(pdfium.FPDFDoc_GetAttachmentCount(document), _MOST_EMBEDDED)):
        attachment = pdfium.FPDFDoc_GetAttachment(document, number)
        if attachment and _name(attachment).endswith(".xml"):
            size = ctypes.c_ulong()
            pdfium.FPDFAttachment_GetFile(attachment, None, 0, size)
            if 0 < size.value <= _MOST_EMBEDDED_BYTES:
                buffer = ctypes.create_string_buffer(size.value)
                if pdfium.FPDFAttachment_GetFile(attachment, buffer, size.value, size):
                    yield buffer.raw


def _name(attachment: object) -> str:
    size = pdfium.FPDFAttachment_GetName(attachment, None, 0)
    buffer = ctypes.create_string_buffer(min(size, 1_000))
    pdfium.FPDFAttachment_GetName(attachment, ctypes.cast(buffer, ctypes.POINTER(pdfium.FPDF_WCHAR)), len(buffer))
    return buffer.raw.decode("utf-16-le", "ignore").rstrip("\0").casefold()
