"""What an attachment may be before it is opened: by its first bytes, its type, its name and its size."""

import re
from enum import StrEnum

from mailbot.model.mail import Attachment
from mailbot.understand.invoice_lexicon import LabelKind, fold, invoice_lexicon

_PDF_HEAD = 1_024
_MARKUP_HEAD = 512
_SMALLEST_PICTURE = 4_000
_SMALLEST_INLINE_PICTURE = 30_000
_PICTURE_STARTS = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*")
_PICTURE_ENDINGS = frozenset(
    {*("png", "jpg", "jpeg", "jpe", "jfif", "gif", "webp", "heic", "heif", "avif", "bmp", "tif", "tiff", "svg")}
)
_TEXT_ENDINGS = frozenset({"txt", "text", "md", "log"})
_ENCLOSED = frozenset({"message/rfc822", "message/global"})
_NEVER_PAPER = (
    *("audio/", "video/", "text/calendar", "text/vcard", "text/x-vcard", "text/css", "text/rfc822-headers"),
    *("application/pgp-", "application/pkcs7-signature", "application/x-pkcs7-signature", "message/", "multipart/"),
)
_PAPERS = frozenset({LabelKind.INVOICE, LabelKind.ORDER, LabelKind.INVOICE_NUMBER, LabelKind.ORDER_NUMBER})
_NAME_BREAK = re.compile(r"[\W_]+|(?<=[^\W\d])(?=\d)|(?<=\d)(?=[^\W\d])|(?<=[a-z])(?=[A-Z])")
_HEX_RUN = re.compile(r"[0-9a-f]{1,12}", re.IGNORECASE)
_LETTER_RUN = re.compile(r"[^\W\d_]{3}")


class FileKind(StrEnum):
    """How an attachment is read.

    ``CLOSED`` is what is never opened (Office files, archives, enclosed messages, anything unknown), ``NEVER_PAPER``
    what cannot be an invoice: sound, calendars, signatures, delivery reports.
    """

    PDF = "pdf"
    XML = "xml"
    HTML = "html"
    TEXT = "text"
    PICTURE = "picture"
    CLOSED = "closed"
    NEVER_PAPER = "never_paper"


class NameSays(StrEnum):
    """What a file name tells about the content."""

    PAPER = "paper"
    NOTHING = "nothing"
    OTHER = "other"


def file_kind(attachment: Attachment) -> FileKind:
    """How to read an attachment: by its first bytes where they tell, else by its type and the end of its name."""
    return _by_content(attachment.data) or _by_name(attachment.content_type, _ending(attachment.file_name))


def _by_content(data: bytes) -> FileKind | None:
    head = data[:_MARKUP_HEAD].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"%PDF-" in data[:_PDF_HEAD]:
        return FileKind.PDF
    if data.startswith(_PICTURE_STARTS) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP"):
        return FileKind.PICTURE
    return FileKind.HTML if head.startswith((b"<!doctype html", b"<html")) else None


def _by_name(stated: str, ending: str) -> FileKind:
    if stated.startswith(_NEVER_PAPER) and stated not in _ENCLOSED:
        return FileKind.NEVER_PAPER
    known = (
        (FileKind.HTML, stated == "text/html" or ending in {"html", "htm", "xhtml"}),
        (FileKind.PICTURE, stated.startswith("image/") or ending in _PICTURE_ENDINGS),
        (FileKind.XML, stated.endswith(("/xml", "+xml")) or ending == "xml"),
        (FileKind.PDF, stated in {"application/pdf", "application/x-pdf"} or ending == "pdf"),
        (FileKind.TEXT, stated == "text/plain" or ending in _TEXT_ENDINGS),
    )
    return next((kind for kind, fits in known if fits), FileKind.CLOSED)


def name_says(file_name: str | None) -> NameSays:
    """Whether a name speaks of an invoice, receipt, bill or order, or is one that cameras, scanners and phones give."""
    stem = (file_name or "").removesuffix(f".{_ending(file_name)}")
    words = [word for word in _NAME_BREAK.split(stem) if word]
    lexicon = invoice_lexicon()
    folded = {fold(word) for word in words}
    if folded & lexicon.paper_names or any(label.kind in _PAPERS for label in lexicon.labels(" ".join(words))):
        return NameSays.PAPER
    telling = [word for word in folded - lexicon.nameless if _LETTER_RUN.search(word) and not _HEX_RUN.fullmatch(word)]
    return NameSays.OTHER if telling else NameSays.NOTHING


def is_layout(attachment: Attachment) -> bool:
    """Whether a picture is a logo, an icon or part of a signature: tiny, or small and shown inside the text.

    Phones mark photographs as inline, too, so that being inline alone tells nothing; and a picture whose name speaks
    of an invoice is no layout.
    """
    smallest = _SMALLEST_INLINE_PICTURE if attachment.inline else _SMALLEST_PICTURE
    return attachment.size < smallest and name_says(attachment.file_name) is not NameSays.PAPER


def _ending(file_name: str | None) -> str:
    stem, dot, ending = (file_name or "").rpartition(".")
    return ending.casefold() if stem and dot else ""
