"""What people see of a mail's parts: bytes for a download, harmless HTML, pages drawn anew; all made by the child."""

import io
import struct
from collections.abc import Iterator
from contextlib import closing
from email.message import EmailMessage

import pypdfium2
import pytest

from mailbot.sandbox.pool import ReadingFailedError, Sandbox
from mailbot.sandbox.show import PNG, may_be_drawn
from tests.sandbox.test_pool import NOON, RULES
from tests.sandbox.test_pool import mail as a_plain_mail

SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>hit()</script></svg>"


@pytest.fixture(scope="module")
def reader() -> Iterator[Sandbox]:
    """Give the limited child as it is."""
    with Sandbox(RULES, children=1) as sandbox:
        yield sandbox


def a_pdf(pages: int) -> bytes:
    made = io.BytesIO()
    with closing(pypdfium2.PdfDocument.new()) as document:
        for _ in range(pages):
            document.new_page(200, 400).close()
        document.save(made)
    return made.getvalue()


def a_mail(data: bytes, kind: str, name: str) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "jane@example.org", "support@shop.example", "Invoice"
    message.set_content("See below.")
    message.add_alternative("<p onclick=hit()>See <b>below</b>.<script>hit()</script>", subtype="html")
    message.add_attachment(data, maintype=kind.split("/", maxsplit=1)[0], subtype=kind.split("/")[1], filename=name)
    return message.as_bytes()


def path_in(reader: Sandbox, raw: bytes) -> str:
    return reader.read(raw, NOON).attachments[0].path


def size_of(png: bytes) -> tuple[int, int]:
    assert png.startswith(PNG)
    assert png[12:16] == b"IHDR"
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def test_an_attachment_is_taken_out_byte_for_byte(reader: Sandbox) -> None:
    data = bytes(range(256)) * 50
    raw = a_mail(data, "application/zip", "../ë.zip")
    part = reader.take_part(raw, path_in(reader, raw))
    assert part is not None
    assert (part.data, part.file_name) == (data, "../ë.zip")
    assert reader.take_part(raw, "9.9") is None


def test_html_comes_back_without_anything_that_acts(reader: Sandbox) -> None:
    html = reader.show_html(a_mail(b"x", "application/zip", "x.zip"))
    assert "<b>below</b>" in html
    assert "hit()" not in html


@pytest.mark.parametrize(("side", "size"), [(320, (160, 320)), (100, (50, 100))])
def test_each_page_of_a_pdf_is_drawn_as_large_as_asked(side: int, size: tuple[int, int], reader: Sandbox) -> None:
    raw = a_mail(a_pdf(3), "application/pdf", "invoice.pdf")
    path = path_in(reader, raw)
    for page in (1, 3):
        drawn = reader.draw_page(raw, path, page, side)
        assert (drawn.pages, size_of(drawn.png)) == (3, size)


def test_a_drawn_page_is_a_picture_that_others_read_too(reader: Sandbox) -> None:
    pillow = pytest.importorskip("PIL.Image")
    raw = a_mail(a_pdf(1), "application/pdf", "invoice.pdf")
    with pillow.open(io.BytesIO(reader.draw_page(raw, path_in(reader, raw), 1, 200).png)) as picture:
        picture.load()
        assert (picture.mode, picture.size, picture.getpixel((50, 50))) == ("RGB", (100, 200), (255, 255, 255))


def test_a_picture_is_drawn_anew_without_what_else_is_in_its_file(reader: Sandbox) -> None:
    pillow = pytest.importorskip("PIL.Image")
    made = io.BytesIO()
    pillow.new("RGB", (800, 400), "red").save(made, "JPEG", comment=b"<script>hit()</script>")
    raw = a_mail(made.getvalue() + b"<script>hit()</script>", "image/jpeg", "ring.jpg")
    drawn = reader.draw_page(raw, path_in(reader, raw), 1, 200)
    assert (drawn.pages, size_of(drawn.png)) == (1, (200, 100))
    assert b"script" not in drawn.png


@pytest.mark.parametrize(
    ("sent", "page", "why"),
    [
        pytest.param((a_pdf(2), "application/pdf", "x.pdf"), 3, "no such page", id="a page beyond the last"),
        pytest.param((a_pdf(2), "application/pdf", "x.pdf"), 0, "no such page", id="page nought"),
        pytest.param((a_pdf(2)[:300], "application/pdf", "x.pdf"), 1, "damaged", id="half a PDF"),
        pytest.param((SVG, "image/png", "x.png"), 1, "not read|extra ocr", id="SVG that says PNG"),
        pytest.param((b"<script>hit()</script>", "image/jpeg", "x.jpg"), 1, "not read|extra ocr", id="HTML as JPEG"),
        pytest.param((PNG + b"\0" * 50, "image/png", "x.png"), 1, "damaged|not read|extra ocr", id="half a PNG"),
        pytest.param((b"\xff\xd8\xff", "image/jpeg", "x.jpg"), 2, "one page", id="a second page of a picture"),
    ],
)
def test_what_cannot_be_drawn_is_said_to_be_so(
    sent: tuple[bytes, str, str], page: int, why: str, reader: Sandbox
) -> None:
    raw = a_mail(*sent)
    with pytest.raises(ReadingFailedError, match=why):
        reader.draw_page(raw, path_in(reader, raw), page, 200)
    assert reader.read(a_plain_mail("next"), NOON).subject == "next"


@pytest.mark.parametrize(("kind", "name"), [("application/pdf", None), ("application/octet-stream", "Rechnung.PDF")])
def test_a_paper_is_offered(kind: str, name: str | None) -> None:
    assert may_be_drawn(kind, name)


@pytest.mark.parametrize(
    ("kind", "name"), [("image/svg+xml", "x.svg"), ("text/html", "x.html"), ("application/zip", None)]
)
def test_what_acts_or_is_no_paper_is_not_offered(kind: str, name: str | None) -> None:
    assert not may_be_drawn(kind, name)
