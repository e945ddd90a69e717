"""Whatever the bytes are, a mail comes out, its text is valid Unicode, and kind and sender can be asked of it."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.inbound.bounce import find_bounce
from mailbot.inbound.kind import classify
from mailbot.inbound.mime import parse_mail
from mailbot.inbound.sender import prove_sender, read_identity
from mailbot.model.mail import InboundMail

SEED = (
    b"Received: from a by mx.shop.example; x\r\n"
    b"Authentication-Results: mx.shop.example; dmarc=pass (p=none) header.from=example.org; dkim=pass header.d=x\r\n"
    b'From: "Jane" <jane@example.org>\r\nTo: <a@b.c>, d@e.f\r\nSubject: =?utf-8?q?caf=C3=A9?= =?iso-2022-jp?b?GyRC?='
    b"\r\n"
    b"Date: Tue, 10 Mar 2026 09:00:00 +0100\r\nMessage-ID: <1@example.org>\r\nReferences: <0@b>\r\n"
    b'Content-Type: multipart/mixed; boundary="=b"\r\n\r\n--=b\r\nContent-Type: text/plain; charset=gb2312\r\n'
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\nHello =E9\r\n--=b\r\nContent-Type: message/rfc822\r\n\r\n"
    b"Message-ID: <in@b>\r\nContent-Type: multipart/report; boundary=c\r\n\r\n--c\r\n"
    b"Content-Type: message/delivery-status"
    b"\r\n\r\nFinal-Recipient: rfc822; a@b\r\nStatus: 5.1.1\r\n--c--\r\n--=b\r\nContent-Type: application/pdf;\r\n"
    b" name*0*=utf-8''a%20; name*1=b\r\nContent-Transfer-Encoding: base64\r\nContent-ID: <x@y>\r\n\r\n"
    b"SGVsbG8=\r\n--=b--\r\n"
)
TOKENS = [
    *(
        b"\0",
        b"\r",
        b"\n",
        b"\r\n\r\n",
        b'"',
        b"<",
        b">",
        b"(",
        b")",
        b";",
        b":",
        b"=",
        b"\\",
        b"\xff",
        b"\xe2\x80\xae",
    ),
    *(b"=?utf-8?b?", b"?=", b"=?x?q?=00=0D=0A?=", b"--=b", b"--=b--", b"boundary=", b"charset=utf-16", b"charset=hz"),
    *(b"charset=zlib", b"*=idna''%FF", b"begin 644 x\n", b"Content-Type: message/rfc822\n\n", b"From: x@y\n", b" :"),
    *(b"Content-Type: multipart/digest; boundary=\n", b"Content-Transfer-Encoding: x-uuencode\n", b"dmarc=fail "),
]


def texts(mail: InboundMail) -> Iterator[str]:
    yield from (value for pair in mail.headers for value in pair)
    yield from (mail.subject, mail.plain or "", mail.html or "", mail.message_id or "")
    yield from (*mail.in_reply_to, *mail.references, *mail.recipients, *mail.enclosed_ids)
    for attachment in mail.attachments:
        yield from (attachment.file_name or "", attachment.content_type)


def survives(raw: bytes) -> None:
    mail = parse_mail(raw)
    identity = read_identity(raw, ["mx.shop.example"], trust_unnamed=True, received_hosts=["*.shop.example"])
    sort, bounce, proof = classify(mail, ["a@b.c"], "i"), find_bounce(mail), prove_sender(identity, "jane@example.org")
    for text in (*texts(mail), sort.why, *bounce.recipients, proof.why, identity.display_name):
        assert "\0" not in text
        text.encode()


@settings(max_examples=150)
@given(st.binary(max_size=2_000))
def test_any_bytes_are_a_mail(raw: bytes) -> None:
    survives(raw)


@settings(max_examples=150)
@given(st.lists(st.sampled_from([*TOKENS, b"text", b"Subject: x\n", b"Content-Type: text/plain; "]), max_size=60))
def test_any_words_of_mail_are_a_mail(words: list[bytes]) -> None:
    survives(b"".join(words))


@settings(max_examples=400)
@given(
    st.lists(
        st.tuples(st.integers(0, len(SEED)), st.integers(0, 40), st.sampled_from(TOKENS), st.integers(0, 30)),
        max_size=6,
    )
)
def test_a_damaged_mail_is_a_mail(changes: list[tuple[int, int, bytes, int]]) -> None:
    raw = SEED
    for at, gone, token, times in changes:
        raw = raw[:at] + token * times + raw[at + gone :]
    survives(raw)


def field(name: str, value: bytes) -> bytes:
    return name.encode() + b": " + value + b"\n\ntext"


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(field("From", b'"' * 50_000), id="From of quotes"),
        pytest.param(field("From", b"(" * 50_000), id="From of brackets"),
        pytest.param(field("From", b"<" * 50_000 + b"a@b"), id="From of angle brackets"),
        pytest.param(field("To", b'"\\"' * 20_000), id="To of escaped quotes"),
        pytest.param(field("To", b"a@" * 30_000), id="To of at signs"),
        pytest.param(field("Subject", b"=?utf-8?q?" * 20_000), id="Subject of open words"),
        pytest.param(field("Subject", b"=?a?q??" * 9_000), id="Subject of question marks"),
        pytest.param(field("Content-Type", b'multipart/mixed; x="' + b";" * 300_000), id="semicolons in a quote"),
        pytest.param(field("Content-Type", b"multipart/mixed; boundary*=a; boundary*0=b; boundary*x=c"), id="RFC 2231"),
        pytest.param(field("Content-Type", b'text/plain; charset="a\0b"'), id="NUL in a charset"),
        pytest.param(field("Authentication-Results", b"mx.shop.example; " + b"(" * 10_000), id="open comments"),
        pytest.param(field("Received", b"by " * 20_000), id="Received of by"),
        pytest.param(field("Content-Type", b"text/rfc822-headers") + b"\nMessage-ID: <a\0\xff@b>", id="NUL in an id"),
        pytest.param(
            field("Content-Type", b"message/delivery-status") + b"\nFinal-Recipient: rfc822; a\0@b",
            id="NUL in a report",
        ),
        pytest.param(b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 100_000, id="100,000 parts"),
        pytest.param(b"Content-Type: multipart/mixed; boundary=b\n\n--b\n" * 3_000, id="one boundary, 3,000 deep"),
        pytest.param(b"Content-Type: message/rfc822\n\n" * 5_000, id="messages, 5,000 deep"),
        pytest.param(b"X: a\n" * 200_000 + b"\ntext", id="200,000 fields"),
        pytest.param(b"a b\n" * 60_000 + b"\ntext", id="60,000 lines that are no fields"),
        pytest.param(b"X: y" + b"\n " * 60_000 + b"\n\ntext", id="a field folded 60,000 times"),
        pytest.param(b"From: Mail Delivery System\n\n" + b"\n " * 30_000, id="a blank bounce"),
    ],
)
def test_mail_made_to_hurt_is_a_mail(raw: bytes) -> None:
    survives(raw)
