"""A shop's orders and its customers' mails, small and plain: a test names only what it is about."""

import itertools
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from typing import Any

from mailbot.model.book import BookedOrder, parse_booked_order

SHOP = "support@shop.example"
JANE = "jane@example.org"
MALLORY = "mallory@elsewhere.example"

CANCEL = "Hello,\n\nplease cancel my order AW-10001. I changed my mind. The invoice is attached.\n\nJane"
RETURN = (
    "Hello,\n\nI would like to return my order AW-10001 for a refund. I changed my mind. It is unused and in its "
    "original box. The invoice is attached.\n\nJane"
)
RETURN_WITHOUT_INVOICE = RETURN.replace(" The invoice is attached.", "")
DEFECT = (
    "Hello,\n\nthe clasp of my order AW-10001 is broken, that is a defect. I want a refund. Invoice attached.\n\nJane"
)
DISPUTE = "Hello,\n\nI have opened a PayPal case about order AW-10001. I want my money back. Invoice attached.\n\nJane"
QUESTION = "Hello,\n\nwhat are your opening hours on Saturday?\n\nJane"

_NUMBERS = itertools.count(1)


def an_order(
    now: datetime,
    number: str = "AW-10001",
    *,
    customer: str = JANE,
    paid: float = 1,
    delivered: float | None = None,
    **changes: Any,
) -> BookedOrder:
    """Make a paid order of one ring; ``paid`` and ``delivered`` count days before ``now``.

    Args:
        now: the present time.
        number: the order's; its invoice has the same digits.
        customer: the address on file.
        paid: days ago.
        delivered: days ago; ``None``: not sent off yet.
        **changes: fields of the order's JSON form.
    """
    form: dict[str, Any] = {
        "number": number,
        "status": "paid" if delivered is None else "delivered",
        "customer": {"name": "Jane Doe", "email": customer},
        "invoice_number": number.replace("AW", "INV"),
        "paid_at": (now - timedelta(days=paid)).isoformat(),
        "shipped_at": None if delivered is None else (now - timedelta(days=delivered + 1)).isoformat(),
        "delivered_at": None if delivered is None else (now - timedelta(days=delivered)).isoformat(),
        "currency": "USD",
        "shipping": "6.00",
        "captured": "86.00",
        "refunded": "0.00",
        "payment_method": "paypal",
        "transaction_fee": "3.30",
        "dispute_open": False,
        "lines": [{"sku": "R-925-07", "quantity": 1, "unit_price": "80.00", "discount": "0.00", "tax": "0.00"}],
    }
    return parse_booked_order(form | changes)


def an_invoice(number: str = "AW-10001", total: str = "86.00") -> str:
    """Write the invoice of such an order as plain text."""
    items = Decimal(total) - Decimal("6.00")
    return (
        f"Aurelia & Wren\nInvoice {number.replace('AW', 'INV')}\nOrder {number}\n\n"
        f"Silver ring   1   ${items}   ${items}\nShipping   $6.00\nTotal paid   ${total}\n"
    )


def a_mail(
    text: str = CANCEL,
    *,
    sender: str = JANE,
    subject: str = "My order",
    dmarc: str | None = "pass",
    invoice: str | None = None,
    html: str | None = None,
    answers: str | None = None,
    message_id: str | None = None,
    fields: Mapping[str, str] | None = None,
    sent_at: datetime | None = None,
) -> bytes:
    """Write a mail as the shop's own server has stored it, with its finding about the sender.

    Args:
        text: the plain text.
        sender: what stands in From; a bare address also gives the domain that was looked at.
        subject: the Subject.
        dmarc: the server's verdict; ``None``: it has none.
        invoice: an invoice's text to enclose.
        html: what the mail says in HTML, beside the text; not with an invoice.
        answers: the Message-ID that this mail replies to.
        message_id: of this mail; ``None``: a new one, ``""``: none at all.
        fields: further header fields, or other values for those above; an empty value leaves a field out.
        sent_at: the Date.
    """
    serial = next(_NUMBERS)
    address = sender.rpartition("<")[2].rstrip(">")
    domain = address.rpartition("@")[2]
    header = {
        "Return-Path": f"<{address}>",
        "Delivered-To": SHOP,
        "Received": f"from out.{domain} by mx.shop.example with ESMTPS id {serial}",
        "Authentication-Results": f"mx.shop.example; dmarc={dmarc} header.from={domain}" if dmarc else "",
        "From": sender,
        "To": SHOP,
        "Subject": subject,
        "Date": format_datetime(sent_at) if sent_at else "Tue, 10 Mar 2026 15:00:00 +0000",
        "Message-ID": f"<{serial}@mail.{domain}>" if message_id is None else message_id,
        "In-Reply-To": answers or "",
        "References": answers or "",
        "MIME-Version": "1.0",
        **(fields or {}),
    }
    lines = [f"{name}: {value}" for name, value in header.items() if value]
    if html is not None:
        lines += ['Content-Type: multipart/alternative; boundary="cut"', ""]
        lines += ["--cut", "Content-Type: text/plain; charset=utf-8", "", text]
        lines += ["--cut", "Content-Type: text/html; charset=utf-8", "", html, "--cut--", ""]
    elif invoice is None:
        lines += ["Content-Type: text/plain; charset=utf-8", "", text, ""]
    else:
        lines += ['Content-Type: multipart/mixed; boundary="cut"', ""]
        lines += ["--cut", "Content-Type: text/plain; charset=utf-8", "", text]
        lines += ["--cut", "Content-Type: text/plain; charset=utf-8"]
        lines += ['Content-Disposition: attachment; filename="invoice.txt"', "", invoice, "--cut--", ""]
    return "\r\n".join(lines).replace("\r\n", "\n").replace("\n", "\r\n").encode()


def a_bounce(message_id: str, *, hard: bool) -> bytes:
    """Write a report (RFC 3464) that one of our messages did not arrive, or not yet."""
    action, status = ("failed", "5.1.1") if hard else ("delayed", "4.4.1")
    lines = [
        "Return-Path: <>",
        f"Delivered-To: {SHOP}",
        "From: Mail Delivery System <mailer-daemon@relay.example.net>",
        f"To: {SHOP}",
        "Subject: Undelivered Mail Returned to Sender",
        f"Message-ID: <{next(_NUMBERS)}@relay.example.net>",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; boundary="cut"; report-type=delivery-status',
        "",
        *("--cut", "Content-Type: text/plain", "", "This is the mail system at relay.example.net.", ""),
        *("--cut", "Content-Type: message/delivery-status", "", "Reporting-MTA: dns; relay.example.net", ""),
        *(f"Final-Recipient: rfc822; {JANE}", f"Action: {action}", f"Status: {status}", ""),
        *("--cut", "Content-Type: text/rfc822-headers", "", f"From: {SHOP}", f"Message-ID: {message_id}", ""),
        *("--cut--", ""),
    ]
    return "\r\n".join(lines).encode()
