"""Scanned and photographed invoices, read by the real child; few, for a page takes seconds: see ``make pictures``."""

import io
import os
import re
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from email.message import EmailMessage
from pathlib import Path

import pytest
from PIL import Image

from mailbot.cli.doctor import WeakError, _pictures
from mailbot.model.facts import number_key
from mailbot.model.reading import InvoiceSource
from mailbot.sandbox import pictures
from mailbot.sandbox.pictures import PictureChild
from mailbot.sandbox.pool import Sandbox
from mailbot.sandbox.wire import DOCUMENT, PICTURE
from mailbot.understand.invoice_papers import read_seen_document
from tests.sandbox.photographed import (
    Invoice,
    a_photo_of_goods,
    an_invoice,
    drawn,
    encoded,
    headings,
    letter,
    photographed,
    receipt,
    scanned,
    turned,
)
from tests.sandbox.test_pool import RULES

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
pytestmark = pytest.mark.skipif(bool(pictures.missing_modules()), reason="the extra ocr is not installed")


@pytest.fixture(scope="module")
def child() -> Iterator[PictureChild]:
    opened = PictureChild()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(replace(RULES, sees_pictures=True), children=1) as opened:
        yield opened


def a_mail(*files: tuple[str, bytes]) -> bytes:
    message = EmailMessage()
    message["From"] = "jane@example.org"
    message["To"] = "support@shop.example"
    message["Subject"] = "Refund"
    message.set_content("I would like to return my order. The invoice is enclosed.\n")
    for name, data in files:
        kind, form = ("application", "pdf") if name.endswith("pdf") else ("image", "jpeg")
        message.add_attachment(data, maintype=kind, subtype=form, filename=name)
    return message.as_bytes()


@pytest.mark.parametrize(
    ("invoice", "kind", "file"),
    [
        pytest.param(of := an_invoice("de", 1), DOCUMENT, scanned(turned(drawn(letter(of)), 2.5)), id="scan, askew"),
        pytest.param(of := an_invoice("fr", 2), PICTURE, encoded(turned(drawn(headings(of)), 90)), id="on its side"),
        pytest.param(of := an_invoice("en", 3), PICTURE, encoded(photographed(drawn(receipt(of)), 3)), id="photograph"),
    ],
)
def test_an_invoice_is_read_from_its_picture(child: PictureChild, invoice: Invoice, kind: bytes, file: bytes) -> None:
    read = read_seen_document(child.see(kind + file, 1))
    assert (read.number, read.amount, read.currency, read.issued_on) == (
        invoice.number,
        invoice.amount,
        invoice.currency,
        invoice.issued_on,
    )
    assert number_key(invoice.order) in map(number_key, read.references)


def test_a_mail_s_scan_is_read_and_its_photo_of_goods_is_none(sandbox: Sandbox) -> None:
    invoice = an_invoice("en", 4)
    photo = ("IMG_2041.jpg", encoded(a_photo_of_goods(1)))
    reading = sandbox.read(a_mail(photo, ("scan.pdf", scanned(drawn(letter(invoice))))), NOON)
    (found,) = reading.invoices
    assert (found.source, found.number, found.amount) == (InvoiceSource.IMAGE, invoice.number, invoice.amount)
    assert reading.photos == 1
    assert [each.number for each in reading.order_numbers] == [invoice.order]


def test_a_photo_of_goods_alone_is_no_invoice(sandbox: Sandbox) -> None:
    reading = sandbox.read(a_mail(("IMG_2041.jpg", encoded(a_photo_of_goods(2)))), NOON)
    assert (reading.invoices, reading.photos) == ((), 1)


def test_what_a_qr_code_says_is_seen(child: PictureChild) -> None:
    zxingcpp = pytest.importorskip("zxingcpp")
    transfer = "BCD\n002\n1\nSCT\n\nAurelia & Wren\nDE71110220330123456789\nEUR86.00\n\n\nAW-10231"
    code = zxingcpp.create_barcode(transfer, zxingcpp.BarcodeFormat.QRCode).to_image(scale=6)
    page = Image.new("RGB", (900, 600), "white")
    page.paste(Image.fromarray(code), (200, 100))
    read = read_seen_document(child.see(PICTURE + encoded(page, "PNG"), 1))
    assert (read.amount, read.currency) == (Decimal("86.00"), "EUR")
    assert "AW-10231" in read.text


@pytest.mark.parametrize(
    ("kind", "file", "why"),
    [
        pytest.param(PICTURE, b"\x89PNG junk", "pictures of this kind are not read", id="no picture"),
        pytest.param(
            PICTURE, b"<svg xmlns='http://www.w3.org/2000/svg'/>", "pictures of this kind are not read", id="SVG"
        ),
        pytest.param(
            PICTURE, encoded(Image.new("L", (6500, 6500)), "PNG"), "the picture has too many pixels", id="area"
        ),
        pytest.param(PICTURE, encoded(Image.new("L", (12001, 9)), "PNG"), "the picture has too many pixels", id="side"),
        pytest.param(PICTURE, encoded(a_photo_of_goods(3))[:9000], "the picture is damaged", id="cut off"),
        pytest.param(DOCUMENT, b"%PDF-1.7 junk", "the PDF is damaged", id="damaged PDF"),
    ],
)
def test_a_file_beyond_a_limit_is_refused_and_the_child_goes_on(
    child: PictureChild, kind: bytes, file: bytes, why: str
) -> None:
    assert child.see(kind + file, 5).unreadable == why


def test_more_pages_than_are_left_are_refused(child: PictureChild) -> None:
    page, out = Image.new("RGB", (60, 60)), io.BytesIO()
    page.save(out, "PDF", save_all=True, append_images=[page])
    assert child.see(DOCUMENT + out.getvalue(), 1).unreadable == "the scan has more pages than are read"
    assert child.see(PICTURE, 0).unreadable == "the mail has more pictures and pages than are read"


def test_a_child_that_dies_costs_one_picture_and_is_started_again(child: PictureChild) -> None:
    dot = PICTURE + encoded(Image.new("L", (9, 9)), "PNG")
    assert child.see(dot, 1).unreadable is None
    assert child._process is not None
    first = child._process.pid
    os.kill(first, signal.SIGSTOP)  # so that it is at work when it dies
    timer = threading.Timer(0.2, os.kill, (first, signal.SIGKILL))
    timer.start()
    assert child.see(dot, 1).unreadable == "the picture asks for more time or memory than it may"
    timer.join()
    assert child.see(dot, 1).unreadable is None
    assert child._process.pid != first


def test_the_child_has_little_of_everything_and_no_network(child: PictureChild) -> None:
    child.see(PICTURE + encoded(Image.new("L", (9, 9)), "PNG"), 1)
    assert child._process is not None
    home = Path(f"/proc/{child._process.pid}")
    limits = dict(re.findall(r"^(Max [a-z ]+?) {2,}(\S+)", (home / "limits").read_text(), re.MULTILINE))
    assert limits["Max address space"] == str(1280 * 1024 * 1024)
    assert limits["Max file size"] == "0"
    assert b"MAILBOT" not in (home / "environ").read_bytes()


def test_a_child_that_does_not_start_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "_SERVER", "raise SystemExit({fd} + len({path!r}))")
    broken = PictureChild()
    assert broken.see(PICTURE, 1).unreadable == "the process that reads pictures does not start; run mailbot doctor"
    broken.close()


def test_the_doctor_says_what_is_missing(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "find_spec", lambda _name: None)
    with pytest.raises(
        WeakError, match=r"the extra ocr is not installed \(cv2, onnxruntime, PIL, rapidocr, zxingcpp missing"
    ):
        _pictures(sandbox)


def test_the_doctor_tries_the_child(sandbox: Sandbox) -> None:
    assert "are read" in _pictures(sandbox)
