import pytest

from mailbot.model.mail import Attachment
from mailbot.understand.invoice_files import FileKind, NameSays, file_kind, is_layout, name_says


def an_attachment(name: str | None, content_type: str, data: bytes = b"", *, inline: bool = False) -> Attachment:
    return Attachment(
        path="2", file_name=name, content_type=content_type, size=len(data), inline=inline, sha256="", data=data
    )


@pytest.mark.parametrize(
    ("name", "content_type", "data", "kind"),
    [
        pytest.param("x.bin", "application/octet-stream", b"\n%PDF-1.4", FileKind.PDF, id="PDF without its type"),
        pytest.param("invoice.pdf", "application/pdf", b"<html>", FileKind.HTML, id="page that calls itself a PDF"),
        pytest.param("scan.pdf", "application/octet-stream", b"junk", FileKind.PDF, id="broken PDF"),
        pytest.param("a.dat", "image/heic", b"....ftyp", FileKind.PICTURE, id="picture by type"),
        pytest.param("a.JPG", "application/octet-stream", b"....", FileKind.PICTURE, id="picture by name"),
        pytest.param(None, "application/octet-stream", b"\xff\xd8\xff\xe0", FileKind.PICTURE, id="picture by content"),
        pytest.param("e.xml", "application/octet-stream", b"<Invoice/>", FileKind.XML, id="XML by name"),
        pytest.param("e", "application/vnd.x+xml", b"<Invoice/>", FileKind.XML, id="XML by type"),
        pytest.param("o.html", "text/plain", b"<p>", FileKind.HTML, id="page by name"),
        pytest.param("o.txt", "text/plain", b"Invoice", FileKind.TEXT, id="text"),
        pytest.param("o.docx", "application/octet-stream", b"PK", FileKind.CLOSED, id="Office"),
        pytest.param("Fwd.eml", "message/rfc822", b"From: a@b", FileKind.CLOSED, id="enclosed message"),
        pytest.param("smime.p7s", "application/pkcs7-signature", b"0", FileKind.NEVER_PAPER, id="signature"),
        pytest.param("call.ics", "text/calendar", b"BEGIN", FileKind.NEVER_PAPER, id="calendar"),
    ],
)
def test_a_file_is_read_by_what_it_holds(name: str | None, content_type: str, data: bytes, kind: FileKind) -> None:
    assert file_kind(an_attachment(name, content_type, data)) is kind


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Invoice_INV-2026-0412.png", NameSays.PAPER),
        ("rechnung.jpg", NameSays.PAPER),
        ("Facture-2026.jpeg", NameSays.PAPER),
        ("my receipt.heic", NameSays.PAPER),
        ("inv0412.jpg", NameSays.PAPER),
        ("order_confirmation.png", NameSays.PAPER),
        ("領収書.jpg", NameSays.PAPER),
        ("IMG_2041.JPG", NameSays.NOTHING),
        ("20260312_101112.jpg", NameSays.NOTHING),
        ("6F9619FF-8B86-D011-B42D-00CF4FC964FF.jpeg", NameSays.NOTHING),
        ("WhatsApp Image 2026-03-12 at 10.11.12.jpeg", NameSays.NOTHING),
        ("Scan0001.tif", NameSays.NOTHING),
        ("Screenshot 2026-03-12.png", NameSays.NOTHING),
        (None, NameSays.NOTHING),
        ("broken-clasp.jpg", NameSays.OTHER),
        ("ring photo.jpg", NameSays.OTHER),
        ("DefektesArmband.png", NameSays.OTHER),
    ],
)
def test_a_file_name_speaks_of_a_paper_or_of_nothing_or_of_something_else(name: str | None, says: NameSays) -> None:
    assert name_says(name) is says


@pytest.mark.parametrize(
    ("name", "size", "inline", "layout"),
    [
        pytest.param("logo.png", 9_000, True, True, id="small and shown in the text"),
        pytest.param("pixel.gif", 43, False, True, id="tiny"),
        pytest.param("IMG_2041.jpg", 900_000, True, False, id="photograph that a phone marks as inline"),
        pytest.param("ring.jpg", 9_000, False, False, id="small but attached"),
        pytest.param("invoice.png", 9_000, True, False, id="named as an invoice"),
    ],
)
def test_layout_is_what_is_small_and_says_nothing_of_invoices(name: str, size: int, inline: bool, layout: bool) -> None:  # noqa: FBT001 (a table's columns)
    assert is_layout(an_attachment(name, "image/png", bytes(size), inline=inline)) is layout
