"""The sample mails are whole, dated by the day of the demonstration, and of every MIME shape that they are to show."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import Message
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

import pypdfium2
import pytest

from mailbot.demo.samples import Sample, sample_mails, sample_orders
from mailbot.model.book import BookedOrder
from mailbot.model.money import Money

ZONE = ZoneInfo("America/New_York")
NOW = datetime(2026, 11, 23, 15, 30, 20, 123456, tzinfo=UTC)
MOMENTS = [
    pytest.param(NOW, id="an afternoon"),
    pytest.param(datetime(2026, 3, 8, 5, 1, tzinfo=UTC), id="one past midnight in the shop, clocks go forward"),
    pytest.param(datetime(2026, 11, 2, 4, 59, tzinfo=UTC), id="one before midnight in the shop, clocks went back"),
    pytest.param(datetime(2028, 3, 1, 12, tzinfo=UTC), id="the day after a leap day"),
]
MAILS = {mail.name: mail for mail in sample_mails(NOW, ZONE)}
ORDERS = sample_orders(NOW, ZONE)


def leaves(name: str) -> Iterator[Message]:
    return (part for part in message_from_bytes(MAILS[name].raw).walk() if not part.is_multipart())


def content(part: Message) -> bytes:
    decoded = part.get_payload(decode=True)
    assert isinstance(decoded, bytes)
    return decoded


def structure(message: Message) -> str:
    """The MIME tree on one line, such as ``mixed(plain pdf)``."""
    if not message.is_multipart():
        return message.get_content_subtype()
    inner = " ".join(structure(part) for part in message.get_payload() if isinstance(part, Message))
    return f"{message.get_content_subtype()}({inner})"


@pytest.mark.parametrize("now", MOMENTS)
def test_no_placeholder_is_left(now: datetime) -> None:
    for mail in sample_mails(now, ZONE):
        parts = message_from_bytes(mail.raw).walk()
        assert b"{{" not in mail.raw, mail.name
        assert not any(b"{{" in content(part) for part in parts if not part.is_multipart()), mail.name


@pytest.mark.parametrize("mail", MAILS.values(), ids=MAILS)
def test_a_sample_is_a_whole_mail(mail: Sample) -> None:
    message = message_from_bytes(mail.raw)
    for name in ("Return-Path", "Authentication-Results", "Received", "From", "To", "Date", "Message-ID"):
        assert message[name], name
    assert message["Authentication-Results"].startswith("mx.shop.example;")
    assert not [part.defects for part in message.walk() if part.defects]
    assert mail.raw.count(b"\n") == mail.raw.count(b"\r\n")
    assert max(map(len, mail.raw.split(b"\r\n"))) <= 998  # RFC 5322 §2.1.1
    assert parsedate_to_datetime(message["Date"]) < mail.received_at


@pytest.mark.parametrize("now", MOMENTS)
def test_the_mails_came_in_the_last_hours_and_the_orders_are_older(now: datetime) -> None:
    mails = sample_mails(now, ZONE)
    assert [mail.name for mail in mails] == sorted(MAILS)
    assert all(now - timedelta(hours=4) < mail.received_at < now for mail in mails)
    assert all(booked.order.paid_at < mails[0].received_at for booked in sample_orders(now, ZONE))


@pytest.mark.parametrize("booked", ORDERS, ids=[booked.order.number for booked in ORDERS])
def test_an_order_was_paid_in_full(booked: BookedOrder) -> None:
    order = booked.order
    goods = [line.unit_price.amount * line.quantity for line in order.lines]
    assert order.captured == Money.parse(str(sum(goods) + order.shipping.amount), order.currency)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("03-cancel-late.eml", "plain"),
        ("01-cancel.eml", "mixed(plain pdf)"),
        ("31-newsletter.eml", "alternative(plain html)"),
        ("02-cancel-large.eml", "mixed(alternative(plain html) pdf)"),
        ("04-return.eml", "mixed(mixed(alternative(plain html) pdf) plain)"),
        ("14-exchange.eml", "html"),
        ("05-return-one-of-two.eml", "mixed(plain html)"),
        ("10-other-address.eml", "mixed(plain rfc822(plain))"),
        ("12-photo-of-invoice.eml", "mixed(plain png)"),
        ("17-wrong-item.eml", "mixed(plain pdf png)"),
        ("30-bounce.eml", "report(plain delivery-status(plain plain) rfc822-headers)"),
    ],
)
def test_a_mail_is_nested_as_it_is_to_show(name: str, shape: str) -> None:
    assert structure(message_from_bytes(MAILS[name].raw)) == shape


@pytest.mark.parametrize(
    ("name", "encoding", "charset"),
    [
        ("06-no-invoice.eml", "7bit", "us-ascii"),
        ("09-no-dmarc.eml", "base64", "utf-8"),
        ("15-customer-damage.eml", "quoted-printable", "utf-8"),
        ("20-guarantee-over.eml", "8bit", "iso-8859-1"),
    ],
)
def test_a_text_is_encoded_as_it_is_to_show(name: str, encoding: str, charset: str) -> None:
    text = next(leaves(name))
    assert (text["Content-Transfer-Encoding"], text.get_content_charset()) == (encoding, charset)
    assert content(text).isascii() == (charset == "us-ascii")


def test_one_text_is_flowed() -> None:
    text = next(leaves("18-damaged-parcel.eml"))
    assert text.get_param("format") == "flowed"
    assert b" \r\n" in content(text)


def test_one_answer_stands_above_a_quoted_mail() -> None:
    text = content(next(leaves("06-no-invoice.eml"))).decode()
    assert re.search(r"\nOn \w{3}, \w{3} \d{1,2}, \d{4} at .* wrote:\r\n> Hello Tom,", text)


def test_the_redelivered_mail_differs_in_its_trace_alone() -> None:
    first, again = (MAILS[name].raw for name in ("01-cancel.eml", "34-redelivered.eml"))
    _, _, rest = first.partition(b"Received: from out.example.com")
    assert rest.partition(b";")[2].partition(b"\r\n")[2] in again
    assert again.count(b"\r\nReceived:") == 2


@pytest.mark.parametrize(
    ("name", "root"),
    [("19-quality.eml", b"<Invoice xmlns="), ("09-no-dmarc.eml", b"<rsm:CrossIndustryInvoice ")],
    ids=["UBL", "CII"],
)
def test_an_electronic_invoice_is_dated_like_the_order(name: str, root: bytes) -> None:
    invoice = content(list(leaves(name))[1])
    (number,) = re.findall(rb"AW-\d{5}", invoice)
    paid_at = next(booked.order.paid_at for booked in ORDERS if booked.order.number == number.decode())
    assert root in invoice
    assert f"{paid_at.astimezone(ZONE):%Y%m%d}".encode() in invoice.replace(b"-", b"")


@pytest.mark.parametrize(
    "name",
    [name for name in MAILS if any(part.get_content_subtype() == "pdf" for part in leaves(name))],
)
def test_a_pdf_invoice_opens_and_names_its_order(name: str) -> None:
    data = next(content(part) for part in leaves(name) if part.get_content_subtype() == "pdf")
    with pypdfium2.PdfDocument(data) as document:
        text = document[0].get_textpage().get_text_range()
    assert re.search(r"AW-\d{5}", text)
    assert re.search(r"INV-\d{6}", text)
    assert re.search(r"(October|November|September) \d{1,2}, 2026", text)
    table = data[int(re.findall(rb"startxref\n(\d+)", data)[0]) :]
    for number, place in enumerate(re.findall(rb"(\d{10}) 00000 n", table), 1):
        assert data[int(place) :].startswith(b"%d 0 obj" % number)
