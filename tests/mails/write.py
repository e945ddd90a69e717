"""Wrap the hand-written texts into whole mails, with an order book and labels: ``python -m tests.mails.write``.

``texts/*.toml`` hold what customers write and what a careful clerk makes of it; README.md explains the fields. What is
decided follows from the clerk's facts by the tests' own telling of POLICY.md, never by the product, and has to be the
rule that stands beside the text.
"""

import base64
import json
import quopri
import random
import re
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from email.header import Header
from email.utils import format_datetime, formataddr
from html import escape
from pathlib import Path
from typing import Any

from tests.mails.papers import Paper, as_cii, as_html, as_pdf, as_picture, as_scan, as_ubl, written
from tests.policy.oracle import decide

Form = dict[str, Any]

HERE = Path(__file__).parent
ZONE = "America/New_York"
SHOP = "Aurelia & Wren"
_DEFAULT_DAY = "2026-05-12"
_RATES = {"USD": "1", "EUR": "1", "GBP": "0.9", "JPY": "150", "KWD": "0.3"}
_DIGITS = {"USD": 2, "EUR": 2, "GBP": 2, "JPY": 0, "KWD": 3}
_CURRENCIES = {"en": "USD", "zh": "USD", "ja": "JPY"}
_GOODS = {
    "R": ("R-925-07", "Adjustable silver ring", "78.00"),
    "N": ("N-PRL-42", "Pearl necklace", "118.00"),
    "B": ("B-TEN-17", "Tennis bracelet", "139.00"),
    "E": ("E-HOO-20", "Silver hoop earrings", "42.00"),
    "P": ("P-OPL-01", "Opal pendant", "64.50"),
    "A": ("A-SEA-24", "Seashell anklet", "36.00"),
    "C": ("C-FRN-03", "Fern brooch", "58.00"),
    "X": ("N-DIA-88", "Lab diamond necklace", "640.00"),
}
_DOMAINS = ("example.org", "example.com", "example.net", "mail.example", "post.example", "inbox.example")
_NAMES = {
    "en": ("invoice.pdf", "Invoice.pdf", "scan0004.pdf", "download (3).pdf"),
    "de": ("Rechnung.pdf", "rechnung_aurelia.pdf", "Scan 12.05.pdf"),
    "fr": ("facture.pdf", "Facture bijou été.pdf", "Numérisé.pdf"),
    "es": ("factura.pdf", "Factura señora.pdf", "escaneo1.pdf"),
    "it": ("fattura.pdf", "Ricevuta.pdf", "scansione0001.pdf"),
    "nl": ("factuur.pdf", "Factuur bestelling.pdf", "scan.pdf"),
    "pt": ("fatura.pdf", "Fatura João.pdf", "digitalização.pdf"),
    "pl": ("faktura.pdf", "faktura_zamówienie.pdf", "skan.pdf"),
    "ja": ("請求書.pdf", "invoice.pdf", "明細.pdf"),
    "zh": ("发票.pdf", "invoice.pdf", "订单发票.pdf"),
}
_SHAPES = ("plain8", "qp", "b64", "alt", "alt", "html", "flowed")
_ABSENT = ("", "credit")
_MISMATCHED = ("other", "sum", "shop", "currency")
_WORD = re.compile(r"[A-Za-z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One mail ready to be kept."""

    name: str
    content: bytes
    label: Form
    order: Form | None
    twin: str | None


def write_folder(folder: Path, seed: str) -> list[Written]:
    """Write every mail of ``folder/texts`` into ``folder``, with ``labels.json``; gives them back."""
    mails = [
        _mail(entry, path.stem, random.Random(f"{seed}/{entry['id']}"))
        for path in sorted((folder / "texts").glob("*.toml"))
        for entry in tomllib.loads(path.read_text(encoding="utf-8"))["mail"]
    ]
    for old in folder.glob("*.eml"):
        old.unlink()
    for mail in mails:
        (folder / mail.name).write_bytes(mail.content)
    _write_json(folder / "labels.json", [mail.label for mail in mails])
    return mails


def main() -> None:
    """Write the tuning part, the reserve, and the order book that both are about."""
    mails = write_folder(HERE, "tuning") + write_folder(HERE / "reserve", "reserve")
    names = [mail.name for mail in mails]
    if len(set(names)) < len(names):
        raise SystemExit(f"twice: {sorted(name for name in set(names) if names.count(name) > 1)}")
    orders: dict[str, Form] = {}
    for mail in mails:
        if mail.order is not None:
            for order in (mail.order, *([mail.order | {"number": mail.twin}] if mail.twin else [])):
                held = orders.setdefault(order["number"], order)
                if held != order:
                    raise SystemExit(f"{mail.name}: order {order['number']} is another mail's already")
    _write_json(HERE / "orders.json", [orders[number] for number in sorted(orders)])
    sys.stdout.write(f"{len(mails)} mails, {len(orders)} orders\n")


def _write_json(path: Path, rows: list[Form]) -> None:
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def _mail(entry: Form, language: str, chance: random.Random) -> Written:
    language = entry.get("lang", language[:2])
    hour = chance.randrange(13, 22)
    moment = f"{entry.get('at', _DEFAULT_DAY)}T{hour:02}:{chance.randrange(60):02}:{chance.randrange(60):02}+00:00"
    at = datetime.fromisoformat(entry.get("moment", moment))
    name, address = _sender(entry, chance)
    order = _order(entry, language, at, (name, address), chance) if "state" in entry else None
    label = _label(entry, language, at, order)
    file = f"{language}-{entry['id']}.eml"
    try:
        decided = _decided(entry, label, order, at)
    except KeyError as problem:
        raise SystemExit(f"{file}: {problem!r}") from problem
    content = _wrapped(entry, language, at, sender=(name, address), order=order, chance=chance)
    return Written(
        name=file, content=content, label={"file": file, **label, **decided}, order=order, twin=entry.get("twin")
    )


def _sender(entry: Form, chance: random.Random) -> tuple[str, str]:
    name, _, address = entry["by"].partition(" <")
    if address:
        return name, address.rstrip(">")
    local = ".".join(word.lower() for word in _WORD.findall(name.encode("ascii", "ignore").decode())) or "kunde"
    return name, f"{local}@{chance.choice(_DOMAINS)}"


def _order(entry: Form, language: str, at: datetime, sender: tuple[str, str], chance: random.Random) -> Form:
    name, address = sender
    state, *days = entry["state"].split()
    back = [int(day) for day in days]
    lag = {"paid": 0, "shipped": 2, "delivered": 6}[state]
    paid = at - timedelta(days=back[1] if len(back) > 1 else back[0] + lag, hours=chance.randrange(1, 3))
    gone = at - timedelta(days=back[0] + (3 if state == "delivered" else 0), hours=chance.randrange(1, 3))
    there = at - timedelta(days=back[0], hours=chance.randrange(1, 3))
    currency = entry.get("currency", _CURRENCIES.get(language, "EUR"))
    rate, unit = Decimal(_RATES[currency]), Decimal(1).scaleb(-_DIGITS[currency])

    def money(amount: Decimal) -> str:
        return str(amount.quantize(unit, ROUND_HALF_UP))

    lines: list[Form] = []
    for thing in entry.get("goods", chance.choice("RNBEPAC")).split():
        sku, _, price = _GOODS[thing[0]]
        lines.append(
            {
                "sku": sku,
                "quantity": int(thing[1:] or 1),
                "unit_price": money(Decimal(price) * rate),
                "discount": money(Decimal(entry.get("discount", "0")) * rate),
                "tax": money(Decimal(entry.get("tax", "0")) * rate),
            }
        )
    shipping = money(Decimal(entry.get("shipping", chance.choice(("0", "6.00", "8.50")))) * rate)
    captured = Decimal(shipping) + sum(
        Decimal(line["unit_price"]) * line["quantity"] + Decimal(line["tax"]) - Decimal(line["discount"])
        for line in lines
    )
    pay = entry.get("pay", chance.choice(("paypal", "card")))
    fee = money(captured * Decimal("0.029") + Decimal("0.30") * rate) if pay == "paypal" else None
    refunded = {"none": Decimal(0), "full": captured}.get(entry.get("refunded", "none"))
    return {
        "number": entry["order"],
        "status": entry.get("status", state),
        "customer": {"name": entry.get("owner", name).partition(" <")[0], "email": _owner(entry, address)},
        "invoice_number": entry.get("invoice_number", f"INV-2026-{entry['order'][-5:]}"),
        "paid_at": _iso(paid),
        "shipped_at": _iso(gone) if state != "paid" else None,
        "delivered_at": _iso(there) if state == "delivered" else None,
        "currency": currency,
        "shipping": shipping,
        "captured": money(captured),
        "refunded": money(Decimal(entry["refunded"]) * rate if refunded is None else refunded),
        "payment_method": "paypal" if pay == "paypal?" else pay,
        "transaction_fee": fee,
        "dispute_open": entry.get("dispute_open", False),
        "lines": lines,
    }


def _owner(entry: Form, address: str) -> str:
    return str(entry["owner"]).partition("<")[2].rstrip(">") if "owner" in entry else address


def _iso(moment: datetime) -> str:
    return moment.replace(second=0).isoformat().replace("+00:00", "Z")


def _paper(entry: Form, language: str, order: Form | None) -> Paper | None:
    if not entry.get("paper"):
        return None
    trick = entry.get("trick", "")
    held = order or _stand_in(entry)
    factor = Decimal("0.8") if trick == "sum" else Decimal(1)
    money = [Decimal(held[key]) for key in ("shipping", "captured")]
    digits = Decimal(1).scaleb(-_DIGITS[held["currency"]])
    goods = {sku: name for sku, name, _ in _GOODS.values()}
    number, order_number = held["invoice_number"], held["number"]
    if trick == "other":
        number, order_number = f"INV-2026-1{number[-4:]}", f"AW-1{order_number[-4:]}"
    elif trick == "shop":
        number, order_number = f"2026/{number[-3:]}/77", f"NS{order_number[-4:]}77"
    return Paper(
        language=entry.get("paper_language", language),
        shop="Northern Silver Ltd" if trick == "shop" else SHOP,
        number=number,
        order=order_number,
        issued_on=datetime.fromisoformat(held["paid_at"]).date(),
        currency={"USD": "EUR"}.get(held["currency"], "USD") if trick == "currency" else held["currency"],
        lines=[(goods[line["sku"]], line["quantity"], Decimal(line["unit_price"])) for line in held["lines"]],
        shipping=money[0],
        discount=sum((Decimal(line["discount"]) for line in held["lines"]), Decimal(0)),
        tax=sum((Decimal(line["tax"]) for line in held["lines"]), Decimal(0)),
        total=(money[1] * factor).quantize(digits, ROUND_HALF_UP),
        credit=trick == "credit",
    )


def _stand_in(entry: Form) -> Form:
    """An order that the book does not have, for its invoice."""
    line = {"sku": "P-OPL-01", "quantity": 1, "unit_price": "64.50", "discount": "0.00", "tax": "0.00"}
    number = entry.get("order", "AW-90909")
    return {
        "number": number,
        "invoice_number": f"INV-2026-{number[-5:]}",
        "paid_at": "2026-05-06T10:00:00Z",
        "currency": "USD",
        "shipping": "6.00",
        "captured": "70.50",
        "lines": [line],
    }


def _label(entry: Form, language: str, at: datetime, order: Form | None) -> Form:
    kind = entry.get("kind", "customer")
    topic = None if kind != "customer" else entry.get("topic", "refund_request")
    label: Form = {
        "kind": kind,
        "topic": topic,
        "language": None if kind != "customer" or entry.get("language_unclear") else language,
        "arrived_at": at.isoformat(),
        "sender": _sender_status(entry, order) if kind == "customer" else None,
        "order_number": None if kind != "customer" or entry.get("unread_order") else entry.get("order"),
    }
    if "note" in entry:
        label["note"] = entry["note"]
    if topic != "refund_request":
        return label
    facts = entry.get("facts", {})
    skus = {key: sku for key, (sku, _, _) in _GOODS.items()}
    lines = [{"sku": skus[part[0]], "quantity": int(part[1:] or 1)} for part in entry.get("lines", "").split()]
    paper = _paper(entry, language, order)
    status = _invoice_status(entry, order)
    label["invoice"] = {"status": status}
    if paper is not None and status != "absent" and entry.get("trick") not in ("broken", "locked"):
        digits = _DIGITS[paper.currency]
        label["invoice"] |= {
            "number": paper.number,
            "amount": f"{paper.total:.{digits}f}",
            "currency": paper.currency,
            "issued_on": paper.issued_on.isoformat(),
            "source": _source(entry["paper"]),
            "pictured": entry["paper"] in ("scan", "photo", "picture"),
        }
    label["claim"] = {
        "reason": entry.get("reason", "unspecified"),
        "or_reason": entry.get("or_reason", []),
        "sure": entry.get("sure", True),
        "wants": entry.get("wants", "unspecified"),
        "item_used": facts.get("item_used"),
        "item_altered": facts.get("item_altered"),
        "original_box": facts.get("original_box"),
        "received_on": facts.get("received_on"),
        "repurchased": facts.get("repurchased"),
        "mentions_dispute": entry.get("dispute", False),
        "lines": lines,
    }
    return label


def _source(paper: str) -> str:
    return {"scan": "image", "photo": "image", "picture": "image", "cii": "xml", "ubl": "xml", "inner": "pdf"}.get(
        paper, paper
    )


def _invoice_status(entry: Form, order: Form | None) -> str:
    trick = entry.get("trick", "")
    if not entry.get("paper") or trick == "credit":
        return "absent"
    if order is None or trick in ("broken", "locked"):
        return "unreadable"
    return "mismatched" if trick in _MISMATCHED else "matched"


def _sender_status(entry: Form, order: Form | None) -> str:
    if order is None or entry.get("unread_order") or entry.get("auth", "pass") == "fail":
        return "unverified"
    if "owner" in entry:
        return "mismatched"
    return "verified" if entry.get("auth", "pass") == "pass" else "unverified"


def _decided(entry: Form, label: Form, order: Form | None, at: datetime) -> Form:
    if label["topic"] != "refund_request":
        return {}
    claim = {key: value for key, value in label["claim"].items() if key not in {"sure", "or_reason"}}
    seen = None if entry.get("unread_order") else order
    facts = {
        "requested_at": at.isoformat(),
        "claim": claim | {"reason_confidence": 0.97 if label["claim"]["sure"] else 0.5},
        "evidence": {
            "order_number": label["order_number"],
            "invoice": label["invoice"]["status"],
            "photos": 0,
        },
        "sender": label["sender"],
        "order": seen and {key: value for key, value in seen.items() if key not in ("customer", "invoice_number")},
    }
    decision = decide(facts, ZONE)
    if decision["rule"] != entry["rule"]:
        raise SystemExit(f"{entry['id']}: says {entry['rule']}, but its facts come to {decision['rule']}")
    settlement = decision["settlement"] or (decision["proposal"] or {}).get("settlement") or {}
    return {
        "outcome": decision["outcome"],
        "rule": decision["rule"],
        "also": entry.get("also", []),
        "refund": settlement.get("refund"),
        "currency": settlement.get("currency"),
    }


def _wrapped(
    entry: Form, language: str, at: datetime, *, sender: tuple[str, str], order: Form | None, chance: random.Random
) -> bytes:
    """The whole message: trace fields, header, body, attachments; lines end with CRLF."""
    boundary = f"=-{chance.getrandbits(48):012x}"
    headers = list(_headers(entry, at, sender, chance))
    parts = [_body(entry, language, order, chance), *_attachments(entry, language, order, chance)]
    if len(parts) == 1:
        head, body = parts[0]
        fields = [*headers, "MIME-Version: 1.0", *head]
        return "\r\n".join(fields).encode() + b"\r\n\r\n" + body
    fields = [*headers, "MIME-Version: 1.0", f'Content-Type: multipart/mixed; boundary="{boundary}"']
    out = "\r\n".join(fields).encode() + b"\r\n\r\n"
    for head, body in parts:
        out += f"--{boundary}\r\n".encode() + "\r\n".join(head).encode() + b"\r\n\r\n" + body.rstrip(b"\r\n") + b"\r\n"
    return out + f"--{boundary}--\r\n".encode()


def _headers(entry: Form, at: datetime, sender: tuple[str, str], chance: random.Random) -> Iterator[str]:
    name, address = sender
    domain = address.partition("@")[2]
    given: Mapping[str, str] = entry.get("headers", {})
    auth = entry.get("auth", "pass")
    yield f"Return-Path: <{'' if entry.get('kind') == 'bounce' else address}>"
    yield "Delivered-To: support@shop.example"
    yield (
        f"Received: from out.{domain} (out.{domain} [192.0.2.{chance.randrange(2, 250)}])\r\n"
        f" by mx.shop.example with ESMTPS id {chance.getrandbits(40):010X}\r\n"
        f" for <support@shop.example>; {format_datetime(at)}"
    )
    if auth != "none":
        yield (
            f"Authentication-Results: mx.shop.example;\r\n dmarc={auth} header.from={domain};\r\n"
            f" spf={auth} smtp.mailfrom={domain}"
        )
    shown = name if name.isascii() else str(Header(name, "utf-8"))
    yield f"From: {formataddr((shown, address)) if name.isascii() else f'{shown} <{address}>'}"
    yield "To: support@shop.example"
    if entry.get("subject"):
        subject = entry["subject"]
        yield "Subject: " + (
            subject if subject.isascii() else str(Header(subject, "utf-8", maxlinelen=72)).replace("\n", "\r\n")
        )
    yield f"Date: {format_datetime(at - timedelta(seconds=chance.randrange(2, 200)))}"
    yield f"Message-ID: <{chance.getrandbits(64):016x}@{domain}>"
    for key, value in given.items():
        yield f"{key}: {value}"


def _body(entry: Form, language: str, order: Form | None, chance: random.Random) -> tuple[list[str], bytes]:
    text = entry["text"].strip("\n") + "\n"
    if entry.get("paper") == "text":
        paper = _paper(entry, language, order)
        text += "\n" + "\n".join(written(paper) if paper else ()) + "\n"
    if "below" in entry:
        text += "\n" + entry["below"].strip("\n") + "\n"
    shape = entry.get("shape", chance.choice(_SHAPES))
    charset = entry.get("charset", "utf-8")
    if "html" in entry or "hidden" in entry:
        shape = entry.get("shape", "html")
    if shape == "alt":
        inner = f"=_{chance.getrandbits(40):010x}"
        parts = [_text(text, "plain", "qp", charset), _text(_html(entry, text), "html", "qp", charset)]
        body = b"".join(
            f"--{inner}\r\n".encode() + "\r\n".join(head).encode() + b"\r\n\r\n" + content + b"\r\n"
            for head, content in parts
        )
        kind = f'Content-Type: multipart/alternative; boundary="{inner}"'
        return [kind], body + f"--{inner}--\r\n".encode()
    if shape == "html":
        return _text(_html(entry, text), "html", chance.choice(("qp", "b64")), charset)
    if shape == "flowed":
        return _text(_flowed(text), "plain", "plain8", charset, "; format=flowed")
    return _text(text, "plain", shape, charset)


def _text(text: str, kind: str, coding: str, charset: str, extra: str = "") -> tuple[list[str], bytes]:
    content = text.replace("\n", "\r\n").encode(charset)
    head = [f"Content-Type: text/{kind}; charset={charset}{extra}"]
    if coding == "qp":
        return [*head, "Content-Transfer-Encoding: quoted-printable"], quopri.encodestring(
            text.encode(charset), header=False
        ).replace(b"\n", b"\r\n")
    if coding == "b64":
        return [*head, "Content-Transfer-Encoding: base64"], base64.encodebytes(content).replace(b"\n", b"\r\n")
    return [*head, f"Content-Transfer-Encoding: {'7bit' if content.isascii() else '8bit'}"], content


def _flowed(text: str) -> str:
    lines = []
    for line in text.splitlines():
        while len(line) > 72 and not line.startswith(">") and " " in line[:72]:
            cut = line.rindex(" ", 0, 72)
            lines.append(line[: cut + 1])
            line = line[cut + 1 :]  # noqa: PLW2901 (what is left of it)
        lines.append(line)
    return "\n".join(lines) + "\n"


def _html(entry: Form, text: str) -> str:
    if "html" in entry:
        return str(entry["html"])
    blocks = []
    for chunk in text.strip().split("\n\n"):
        lines = chunk.split("\n")
        if all(line.startswith(">") for line in lines):
            inner = "<br>\n".join(escape(line.lstrip("> ")) for line in lines)
            blocks.append(f'<blockquote type="cite">{inner}</blockquote>')
        else:
            blocks.append(f"<p>{'<br>'.join(map(escape, lines))}</p>")
    hidden = entry.get("hidden", "")
    return f"<html><body>\n{chr(10).join(blocks)}\n{hidden}\n</body></html>\n"


def _attachments(
    entry: Form, language: str, order: Form | None, chance: random.Random
) -> Iterator[tuple[list[str], bytes]]:
    paper, how = _paper(entry, language, order), entry.get("paper")
    if paper is not None and how != "text":
        yield _attached(entry, paper, language, chance)
    for photo in range(entry.get("photos", 0)):
        picture = as_photo(chance)
        yield _part(f"IMG_{2200 + photo + chance.randrange(700)}.jpg", "image/jpeg", picture)
    if "enclosed" in entry:
        yield ["Content-Type: message/rfc822"], entry["enclosed"].strip("\n").replace("\n", "\r\n").encode() + b"\r\n"


def as_photo(chance: random.Random) -> bytes:
    """A small picture with nothing written on it, such as of a broken clasp."""
    from io import BytesIO  # noqa: PLC0415 (only pictures need these)

    from PIL import Image, ImageDraw  # noqa: PLC0415

    image = Image.new("RGB", (320, 240), (chance.randrange(90, 160), 120, 110))
    pen = ImageDraw.Draw(image)
    for _ in range(30):
        x, y, size = chance.randrange(320), chance.randrange(240), chance.randrange(8, 60)
        pen.ellipse((x, y, x + size, y + size), outline=(chance.randrange(255), 200, 160), width=2)
    out = BytesIO()
    image.save(out, "JPEG", quality=40)
    return out.getvalue()


def _attached(entry: Form, paper: Paper, language: str, chance: random.Random) -> tuple[list[str], bytes]:
    how, stem = entry["paper"], entry.get("name", chance.choice(_NAMES[language])).removesuffix(".pdf")
    if how == "inner":
        return ["Content-Type: message/rfc822"], _confirmation(paper)
    ending, kind, make = _PAPERS[how]
    content = make(paper, chance)
    if entry.get("trick") == "broken":
        content = content[: len(content) // 3]
    return _part(f"{stem}.{ending}", entry.get("type", kind), content)


_PAPERS: Mapping[str, tuple[str, str, Callable[[Paper, random.Random], bytes]]] = {
    "pdf": ("pdf", "application/pdf", lambda paper, _: as_pdf(paper)),
    "scan": ("pdf", "application/pdf", lambda paper, _: as_scan(as_picture(paper))),
    "picture": ("png", "image/png", lambda paper, _: as_picture(paper)),
    "photo": ("jpg", "image/jpeg", lambda paper, chance: as_picture(paper, turned=chance.uniform(-4, 4), form="JPEG")),
    "ubl": ("xml", "application/xml", lambda paper, _: as_ubl(paper)),
    "cii": ("xml", "text/xml", lambda paper, _: as_cii(paper)),
    "html": ("html", "text/html", lambda paper, _: as_html(paper).encode()),
}


def _confirmation(paper: Paper) -> bytes:
    """The shop's own confirmation, enclosed whole, with its invoice."""
    head, body = _part("invoice.pdf", "application/pdf", as_pdf(paper))
    return (
        f"From: {SHOP} <support@shop.example>\r\nTo: customer@example.org\r\nSubject: Your order {paper.order}\r\n"
        f"Date: {format_datetime(datetime.combine(paper.issued_on, datetime.min.time(), UTC))}\r\n"
        f"Message-ID: <{paper.number.lower()}@shop.example>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/mixed; boundary="conf"\r\n\r\n'
        "--conf\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
        f"Thank you for your order {paper.order}. Your invoice is attached.\r\n--conf\r\n"
    ).encode() + ("\r\n".join(head).encode() + b"\r\n\r\n" + body + b"--conf--\r\n")


def _part(name: str, kind: str, content: bytes) -> tuple[list[str], bytes]:
    quoted = f'"{name}"' if name.isascii() else f'"{Header(name, "utf-8", maxlinelen=300).encode()}"'
    head = [
        f"Content-Type: {kind}; name={quoted}",
        "Content-Transfer-Encoding: base64",
        f"Content-Disposition: attachment; filename={quoted}",
    ]
    return head, base64.encodebytes(content).replace(b"\n", b"\r\n")


if __name__ == "__main__":
    main()
