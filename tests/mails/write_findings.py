"""Writes ``findings/*.eml``: mails that mailbot once read wrongly, each by its name. Run it after adding one.

They are hostile bytes, so they are put together by hand. What must become of each stands in ``findings/labels.json``.
"""

import zlib
from base64 import encodebytes
from pathlib import Path

HERE = Path(__file__).with_name("findings")
_OURS = "Received: from out.example.org by mx.shop.example with ESMTPS id 1\n"
_PASS = "Authentication-Results: mx.shop.example; dmarc=pass header.from=example.org\n"
_CANCEL = "Please cancel my order AW-10001. I changed my mind.\n"


def _mail(body: str, *, top: str = _PASS + _OURS, sender: str = "jane@example.org", **fields: str) -> str:
    head = {
        "From": sender,
        "To": "support@shop.example",
        "Subject": "My order",
        "Date": "Tue, 10 Mar 2026 15:00:00 +0000",
        "Message-ID": "<finding@mail.example.org>",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=utf-8",
    }
    head |= {name.replace("_", "-"): value for name, value in fields.items()}
    path = f"Return-Path: <{sender.rpartition('<')[2].rstrip('>')}>\nDelivered-To: support@shop.example\n"
    return path + top + "".join(f"{name}: {value}\n" for name, value in head.items()) + "\n" + body


def _with_file(content: bytes, kind: str, name: str) -> str:
    octets = encodebytes(content).decode()
    body = (
        f"--cut\nContent-Type: text/plain\n\n{_CANCEL}\n--cut\nContent-Type: {kind}\n"
        f'Content-Disposition: attachment; filename="{name}"\nContent-Transfer-Encoding: base64\n\n{octets}--cut--\n'
    )
    return _mail(body, Content_Type="multipart/mixed; boundary=cut")


def _pdf_bomb() -> bytes:
    stream = zlib.compress(zlib.compress(bytes(200_000_000), 9), 9)
    head = b"<< /Length %d /Filter [/FlateDecode /FlateDecode] >>" % len(stream)
    return b"%PDF-1.7\n1 0 obj\n" + head + b"\nstream\n" + stream + b"\nendstream\nendobj\n%%EOF\n"


def _receipt(subject: str, text: str) -> str:
    return _mail(text, sender="desk@example.org", Subject=subject, In_Reply_To="<RF-000001.x@shop.example>")


FINDINGS: dict[str, str] = {
    "a-long-entity": _mail(f"<p>{_CANCEL}</p>&#{'9' * 6_000};", Content_Type="text/html; charset=utf-8"),
    "a-long-entity-beyond-the-tags": _mail(
        f"<p>{_CANCEL}</p>{'<b>' * 10_001}&#{'9' * 6_000};", Content_Type="text/html; charset=utf-8"
    ),
    "html-that-says-something-else": _mail(
        f"--cut\nContent-Type: text/plain\n\n{_CANCEL}\n--cut\nContent-Type: text/html\n\n"
        "<p>I would like to return my order AW-10002. I changed my mind.</p>\n--cut--\n",
        Content_Type="multipart/alternative; boundary=cut",
    ),
    "thousands-of-order-numbers": _mail("".join(f"AW-{number:05d}\n" for number in range(10_000, 11_900))),
    "one-order-number-too-many": _mail(_CANCEL + "".join(f"AW-{number}\n" for number in range(20_000, 20_200))),
    "a-calendar-s-answer": _mail(
        "--cut\nContent-Type: text/plain\n\nJane Doe has declined: I would like to return my order AW-10001.\n--cut\n"
        "Content-Type: text/calendar; method=REPLY\n\nBEGIN:VCALENDAR\nMETHOD:REPLY\nBEGIN:VEVENT\n"
        "SUMMARY:I would like to return my order AW-10001\nEND:VEVENT\nEND:VCALENDAR\n--cut--\n",
        Subject="Declined: I would like to return my order AW-10001",
        Content_Type="multipart/mixed; boundary=cut",
    ),
    "an-address-field-beyond-8-kb": _mail(_CANCEL, Cc=f"{'x' * 8_300} <friend@example.org>"),
    "a-content-type-beyond-4-kb": _mail(_CANCEL, Content_Type=f'text/plain; x="{"y" * 4_200}"'),
    "a-pdf-that-unpacks-to-200-mb": _with_file(_pdf_bomb(), "application/pdf", "invoice.pdf"),
    "findings-below-our-server-s-own": _mail(
        _CANCEL, top=_PASS.replace("dmarc=pass header.from=example.org", "spf=softfail") + _OURS + _PASS
    ),
    "findings-below-none": _mail(
        _CANCEL, top=_PASS.replace("dmarc=pass header.from=example.org", "none") + _OURS + _PASS
    ),
    "findings-below-a-forged-hop": _mail(
        _CANCEL,
        top=_PASS.replace("dmarc=pass header.from=example.org", "spf=pass")
        + _OURS
        + _OURS.replace("out.example.org", "mx.shop.example")
        + _PASS,
    ),
    "words-of-an-unproven-sender": _mail(
        "This is about my order AW-10001: the ring arrived broken. I want a full refund.\n", top=_OURS
    ),
    "a-further-order-of-somebody-else": _mail(
        "And please cancel AW-10002, too. I changed my mind.\n", In_Reply_To="<RF-000001.x@shop.example>"
    ),
    "a-second-number-of-a-stranger": _mail(
        "Sorry, I meant order AW-10001. Please cancel it.\n",
        top=_PASS.replace("example.org", "elsewhere.example") + _OURS,
        sender="mallory@elsewhere.example",
    ),
    "a-desk-s-receipt-en": _receipt(
        "Re: Your refund", "Thank you.\nThis is an automated response. Your request for a refund has been received.\n"
    ),
    "a-desk-s-receipt-en-subject": _receipt(
        "[Request received] Your refund", "Your request (998) is being reviewed.\n"
    ),
    "a-desk-s-receipt-de": _receipt("Re: Ihre Erstattung", "Dies ist eine automatisch generierte Nachricht.\n"),
    "a-desk-s-receipt-ja": _receipt("Re: 返金", "このメールは自動送信されています。\n"),
    "an-absence-of-one-word": _mail("Ik ben met vakantie tot en met 3 maart.\n", Subject="Afwezig"),
    "a-bounce-without-a-report": _mail(
        "** Address not found **\n\nYour message wasn't delivered because the address couldn't be found.\n",
        Subject="Delivery Status Notification (Failure)",
    ),
}


def main() -> None:
    """Write them all."""
    HERE.mkdir(exist_ok=True)
    for name, text in FINDINGS.items():
        (HERE / f"{name}.eml").write_bytes(text.replace("\n", "\r\n").encode())


if __name__ == "__main__":
    main()
