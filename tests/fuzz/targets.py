"""What is fuzzed: each parser of what comes by mail as a function of bytes, what it promises, where it starts."""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path

from mailbot.inbound.arrival import read_arrival
from mailbot.inbound.authentication_results import parse_results, read_receiver
from mailbot.inbound.bounce import find_bounce, find_returned
from mailbot.inbound.card_redaction import apply_edits, find_edits
from mailbot.inbound.from_field import find_author
from mailbot.inbound.header_lines import split_header
from mailbot.inbound.kind import classify
from mailbot.inbound.mime import parse_mail
from mailbot.inbound.mime_fields import parse_content_field
from mailbot.inbound.mime_text import decode_octets, decode_words
from mailbot.inbound.mime_transfer import decode_transfer
from mailbot.model.card_numbers import find_card_numbers, mask_card_numbers
from mailbot.understand.body import read_body
from mailbot.understand.claim import read_claim
from mailbot.understand.html_text import read_html
from mailbot.understand.invoice_pdf import read_pdf
from mailbot.understand.invoice_text import read_paper
from mailbot.understand.invoice_xml import read_xml
from mailbot.understand.language import detect_language
from mailbot.understand.lexicons import load_lexicons
from mailbot.understand.order_number import compile_order_numbers
from mailbot.understand.unreadable import UnreadableError
from tests.hostile.mails import NAMED

_MAILS = Path(__file__).parents[1] / "mails"
_SMALL = 20_000  # bytes of a mail to begin with
_ORDERS = compile_order_numbers(r"AW-\d{5}")
_LEXICONS = load_lexicons()
_DAY = date(2026, 5, 12)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _header(raw: bytes) -> None:
    author = find_author(split_header(b"From: " + raw))
    assert (author.address is None) == (author.fault is not None)
    read_arrival(raw)


def _results(raw: bytes) -> None:
    parse_results(raw)
    read_receiver(raw)


def _mime(raw: bytes) -> None:
    mail = parse_mail(raw)
    classify(mail, ["support@shop.example"], "desk", "bounce@shop.example")
    find_bounce(mail)
    find_returned(mail, "bounce@shop.example")


def _fields(raw: bytes) -> None:
    for value in parse_content_field(_text(raw)).parameters.values():
        value.encode()
    decode_words(raw.decode("ascii", "surrogateescape")).encode()
    text, _ = decode_octets(raw[8:], raw[:8].decode("ascii", "replace"))
    assert "\0" not in text


def _transfer(raw: bytes) -> None:
    for encoding in ("base64", "quoted-printable", "x-uuencode"):
        assert isinstance(decode_transfer(raw, encoding)[0], bytes)


def _cards(raw: bytes) -> None:
    masked = mask_card_numbers(_text(raw))
    assert find_card_numbers(masked) == []
    clean = apply_edits(raw, find_edits(raw))
    assert find_edits(clean) == ()
    assert parse_mail(clean).holds_cards is False


def _html(raw: bytes) -> None:
    read_html(_text(raw)).text.encode()
    read_body(None, _text(raw))


def _body(raw: bytes) -> None:
    body = read_body(_text(raw), None)
    ends = [0, *(part.end for part in body.segments)]
    assert all(part.start >= before for part, before in zip(body.segments, ends, strict=False))
    assert ends[-1] <= len(body.text)


def _claim(raw: bytes) -> None:
    subject, _, text = _text(raw).partition("\n")
    body = read_body(text, None)
    reading = read_claim(subject, body, _LEXICONS, detect_language(text), asked_on=_DAY, day_first=True)
    sources = {"subject": subject, "body": body.text}
    assert all(sources[span.part][span.start : span.end] == span.quote for span in reading.spans)
    assert 0 <= reading.claim.reason_confidence <= 1


def _orders(raw: bytes) -> None:
    assert all(re.fullmatch(r"AW-\d{5}", key) for key in _ORDERS.keys(_text(raw)))


def _paper(raw: bytes) -> None:
    read_paper(_text(raw))


def _xml(raw: bytes) -> None:
    with suppress(UnreadableError):
        read_xml(raw)


def _pdf(raw: bytes) -> None:
    with suppress(UnreadableError):
        read_pdf(raw)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "header": _header,
    "results": _results,
    "mime": _mime,
    "fields": _fields,
    "transfer": _transfer,
    "cards": _cards,
    "html": _html,
    "body": _body,
    "claim": _claim,
    "orders": _orders,
    "paper": _paper,
    "xml": _xml,
    "pdf": _pdf,
}


def beginnings(target: str) -> Iterator[bytes]:
    """What a target starts from: whole mails, or what it reads of them."""
    own = [path.read_bytes() for path in sorted(_MAILS.glob("*.eml"))]
    for raw in [*(raw for build in NAMED.values() if len(raw := build()) < _SMALL), *own]:
        if target in {"mime", "cards"}:
            yield raw
            continue
        mail = parse_mail(raw)
        if target in {"header", "results"}:
            name = b"from" if target == "header" else b"authentication-results"
            yield from (line.partition(b":")[2].strip() for line in raw.split(b"\r\n") if line.lower().startswith(name))
        elif target in {"xml", "pdf"}:
            head = b"%PDF" if target == "pdf" else b"<"
            yield from (each.data for each in mail.attachments if each.data.lstrip().startswith(head))
        elif target == "html":
            yield (mail.html or "").encode()
        else:
            yield f"{mail.subject}\n{mail.plain or ''}".encode()
