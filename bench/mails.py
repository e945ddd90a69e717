"""A shop's inbox of any size, the same for the same seed: each mail names its own order and comes from its customer."""

import base64
import json
import random
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

_GOODS = ("silver ring", "pearl necklace", "moonstone earrings", "charm bracelet", "signet ring", "locket")
_REASONS = (
    "I changed my mind and would like to send it back.",
    "It arrived with a broken clasp.",
    "It never arrived, the tracking has not moved for two weeks.",
    "The stone fell out after three days.",
    "I ordered it by mistake.",
    "It does not suit me at all, sorry.",
)
_TALK = (
    "I have been a customer for years and was always happy with you. The parcel came with the usual carrier and was "
    "left with a neighbour, who was kind enough to sign for it. Please tell me how this goes on and how long it takes. "
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """Mails, the orders that they are about, and the sections of a configuration that fit them."""

    mails: list[bytes]
    orders: list[dict[str, Any]]
    sections: dict[str, Any]


def made(count: int, seed: int, now: datetime) -> Inbox:
    """An inbox of our own."""
    pairs = [_pair(number, random.Random(f"{seed}/{number}"), now) for number in range(count)]
    return Inbox(
        mails=[mail for mail, _ in pairs],
        orders=[order for _, order in pairs],
        sections={
            "shop": {
                "name": "Bench",
                "timezone": "America/New_York",
                "currency": "USD",
                "support_address": "support@shop.example",
                "order_number": r"AW-\d{7}",
            },
            "identity": {"authserv_ids": ["mx.shop.example"]},
        },
    )


def found(folder: Path) -> Inbox:
    """An inbox from a folder with ``msgs/*.eml``, ``orders.json`` and ``config.toml``."""
    config = tomllib.loads((folder / "config.toml").read_text(encoding="utf-8"))
    return Inbox(
        mails=[file.read_bytes() for file in sorted((folder / "msgs").iterdir())],
        orders=json.loads((folder / "orders.json").read_text(encoding="utf-8")),
        sections={name: config[name] for name in ("shop", "identity")},
    )


def _pair(number: int, chance: random.Random, now: datetime) -> tuple[bytes, dict[str, Any]]:
    order_number, address = f"AW-{1_000_000 + number}", f"customer{number:07d}@mail.example"
    total = f"{chance.randint(20, 400)}.{chance.randint(0, 99):02d}"
    paid = now - timedelta(days=chance.choice((1, 6, 40)))
    shipped = paid + timedelta(days=1)
    order = {
        "number": order_number,
        "status": "delivered",
        "paid_at": paid.isoformat(),
        "shipped_at": shipped.isoformat(),
        "delivered_at": max(paid, shipped).isoformat(),
        "currency": "USD",
        "shipping": "0.00",
        "captured": total,
        "refunded": "0.00",
        "payment_method": "card",
        "transaction_fee": None,
        "dispute_open": False,
        "customer": {"name": "Robin Vale", "email": address},
        "invoice_number": f"INV-{number}",
        "lines": [{"sku": "R-1", "quantity": 1, "unit_price": total, "discount": "0.00", "tax": "0.00"}],
    }
    text = "\n".join(_lines(chance, order_number))
    return b"\r\n".join(_mail(chance, address, order_number, number=number, text=text, total=total)), order


def _lines(chance: random.Random, order_number: str) -> Iterator[str]:
    yield from ("Hello,", "", f"this is about my {chance.choice(_GOODS)}, order {order_number}. I would like a refund.")
    yield chance.choice(_REASONS)
    yield from ("", _TALK * chance.randint(0, 4), "", "Kind regards", "Robin Vale")
    if chance.random() < 0.35:
        yield from ("", "On Mon, 6 Oct 2025 at 10:12, Bench <support@shop.example> wrote:")
        yield from ("> Thank you for your order.", "> ", *(f"> Line {line} of our terms" for line in range(20)))


def _mail(
    chance: random.Random, address: str, order_number: str, *, number: int, text: str, total: str
) -> Iterator[bytes]:
    yield f"Return-Path: <{address}>".encode()
    yield b"Authentication-Results: mx.shop.example; dmarc=pass header.from=mail.example"
    yield b"Received: from mail.example by mx.shop.example with ESMTPS; Mon, 06 Oct 2025 10:00:00 +0000"
    yield f"From: Robin Vale <{address}>\r\nTo: support@shop.example\r\nSubject: My order {order_number}".encode()
    yield f"Message-ID: <{number}.{chance.getrandbits(48):x}@mail.example>\r\nMIME-Version: 1.0".encode()
    shape, body = chance.random(), text.encode()
    if shape < 0.45:
        yield b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + body
        return
    html = "".join(f"<p>{line or '&nbsp;'}</p>" for line in text.split("\n")).encode()
    parts = [(b"text/plain; charset=utf-8", body), (b"text/html; charset=utf-8", b"<html><body>" + html)]
    kind = b"alternative"
    if shape > 0.9:
        parts, kind = [parts[0], (b"application/pdf; name=invoice.pdf", _pdf(order_number, number, total))], b"mixed"
    yield b"Content-Type: multipart/" + kind + b"; boundary=part\r\n"
    for content_type, content in parts:
        yield b"--part\r\nContent-Type: " + content_type + b"\r\nContent-Transfer-Encoding: base64\r\n"
        yield base64.encodebytes(content)
    yield b"--part--"


def _pdf(order_number: str, number: int, total: str) -> bytes:
    lines = (f"INVOICE INV-{number}", f"Order number: {order_number}", f"Total: USD {total}")
    shown = b"BT /F1 12 Tf 72 760 Td " + b" 0 -20 Td ".join(f"({line}) Tj".encode() for line in lines) + b" ET"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources <</Font << /F1 5 0 R>>>> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(shown), shown),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    content, places = bytearray(b"%PDF-1.4\n"), []
    for at, entry in enumerate(objects, 1):
        places.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (at, entry)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(content))
    return bytes(content) + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + trailer
