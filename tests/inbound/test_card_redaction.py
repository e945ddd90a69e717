"""Card numbers leave the raw copy and the text, in whatever way they are written; other numbers stay."""

import base64
from random import Random

import pytest

from mailbot.inbound.card_redaction import apply_edits, find_edits
from mailbot.inbound.mime import parse_mail
from mailbot.model.card_numbers import find_card_numbers, mask_card_numbers
from mailbot.understand.body import read_body
from tests.campaigns.cards import ENCODINGS, NOTATIONS, a_card, a_mail_with, an_order_number, digits_of

CARD = "4111111111111111"


def redacted(raw: bytes) -> bytes:
    return apply_edits(raw, find_edits(raw))


def shown(raw: bytes) -> str:
    """All that a reader of the mail can see, markup and transfer encoding gone."""
    mail = parse_mail(raw)
    parts = [mail.subject, read_body(mail.plain, mail.html).text, mail.plain or "", mail.html or ""]
    parts += [attachment.data.decode("utf-8", "replace") for attachment in mail.attachments]
    return "\n".join([*parts, *(attachment.file_name or "" for attachment in mail.attachments)])


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("notation", NOTATIONS)
def test_no_notation_keeps_a_card_number_in_the_raw_copy(notation: str, encoding: str) -> None:
    subtype = "html" if notation in {"entities", "tags"} else "plain"
    raw = a_mail_with(f"My card is {NOTATIONS[notation](CARD)}, please.", subtype=subtype, encoding=encoding)
    clean = redacted(raw)
    assert CARD not in digits_of(shown(clean))
    assert find_edits(clean) == ()
    assert "please" in shown(clean)
    assert parse_mail(clean).content_key == parse_mail(raw).content_key
    assert parse_mail(clean).message_id == "<4111111111111111@example.org>"


def test_a_thousand_card_numbers_are_masked_and_a_thousand_order_numbers_are_not() -> None:
    chance = Random(16)
    kept, touched = [], []
    for number in range(1_000):
        card, order = a_card(chance), an_order_number(chance)
        notation = list(NOTATIONS)[number % len(NOTATIONS)]
        if notation in {"entities", "tags"}:
            continue
        text = f"order {order}, card {NOTATIONS[notation](card)} thank you"
        masked = mask_card_numbers(text)
        kept += [text] if card in digits_of(masked) or len(masked) != len(text) else []
        touched += [order] if order not in masked or mask_card_numbers(order) != order else []
    assert (kept, touched) == ([], [])


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("4111 1111 1111 1111", "4111 11** **** 1111"),
        ("378282246310005 cvv 1234", "378282*****0005 cvv ****"),
        ("4111111111111111 12/27 123", "411111******1111 12/27 ***"),
        ("4111111111111111, Prüfnummer: 123", "411111******1111, Prüfnummer: ***"),
        ("order 10231 4111111111111111", "order 10231 411111******1111"),
        ("4111111111111112 is none", "4111111111111112 is none"),
        ("AW-10231, AW-10232, AW-10233", "AW-10231, AW-10232, AW-10233"),
        ("cvv 123 without a card", "cvv 123 without a card"),
        ("0000000000000000", "0000000000000000"),
        ("41111111111111111111111", "41111111111111111111111"),
    ],
)
def test_what_is_kept_of_a_card_number(text: str, masked: str) -> None:
    assert mask_card_numbers(text) == masked


def test_a_known_number_stays() -> None:
    assert mask_card_numbers(f"invoice {CARD}", {CARD}) == f"invoice {CARD}"


def test_parts_fields_file_names_and_enclosed_messages_lose_theirs() -> None:
    inner = f"Subject: inner\r\n\r\ninner {CARD} text"
    raw = (
        f"From: j@e.org\r\nSubject: =?utf-8?b?{base64.b64encode(f'é {CARD}'.encode()).decode()}?=\r\n"
        'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\nfirst\r\n'
        f'--b\r\nContent-Type: text/csv\r\nContent-Disposition: attachment; filename="{CARD}.csv"\r\n'
        f"Content-Transfer-Encoding: base64\r\n\r\n{base64.b64encode(f'a;{CARD}'.encode()).decode()}\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n"
        "--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVsbG8=\r\n--b--\r\n"
    ).encode()
    clean = redacted(raw)
    text = shown(clean) + clean.decode("latin-1")
    assert CARD not in digits_of(text)
    assert parse_mail(clean).subject == "é 411111******1111"
    assert [part.content_type for part in parse_mail(clean).attachments] == [
        part.content_type for part in parse_mail(raw).attachments
    ]
    assert parse_mail(clean).content_key == parse_mail(raw).content_key


def test_a_body_that_would_need_too_many_edits_goes_whole() -> None:
    lines = "".join(f"{CARD} {number}\r\n" for number in range(20_000))
    raw = a_mail_with(lines, subtype="plain", encoding="base64")
    clean = redacted(raw)
    assert b"The body was removed" in clean
    assert len(clean) < 1_000
    assert clean.startswith(b"From: jane@example.org")


@pytest.mark.parametrize("word", ["4111 ", "1 ", "4111-", "4.", "4\u200b", "41111111 "])
def test_time_grows_with_the_text_alone(word: str) -> None:
    assert len(find_card_numbers(word * 20_000)) >= 0


@pytest.mark.parametrize("subject", ["My order", CARD])
@pytest.mark.parametrize("middle", [b"", b"--x\r\nContent-Type: text/plain\r\n\r\n"])
def test_a_header_that_ends_without_an_empty_line_hides_no_card_number(subject: str, middle: bytes) -> None:
    kind = b'multipart/mixed; boundary="x"' if middle else b"text/plain"
    head = f"From: jane@example.org\r\nSubject: {subject} ".encode()
    raw = head + b"\r\nContent-Type: " + kind + b"\r\nX: y\r10001\r\n" + middle + CARD.encode()
    assert CARD.encode() not in redacted(raw)
    assert find_edits(redacted(raw)) == ()


@pytest.mark.parametrize("parameter", [b"", b"; bound=y", b'; boundary="y"'])
@pytest.mark.parametrize("field", [b"", b"X-Odd\x00 \x00: y\r\n", b"X-Long: " + b"y" * 70_000 + b"\r\n"])
def test_a_boundary_that_only_the_body_uses_hides_no_card_number(parameter: bytes, field: bytes) -> None:
    part = b"--x\r\nContent-Type: text/plain\r\n\r\nmine: " + CARD.encode() + b"\r\n--x--\r\n"
    raw = b"From: jane@example.org\r\nContent-Type: multipart/mixed" + parameter + b"\r\n" + field + b"\r\n" + part
    assert CARD not in shown(redacted(raw))
    assert CARD.encode() not in redacted(raw)


@pytest.mark.parametrize("encoding", ["7bit", "base64"])
def test_no_card_number_lies_too_deep(encoding: str) -> None:
    body = base64.b64encode(CARD.encode()) if encoding == "base64" else CARD.encode()
    raw = b"Content-Type: text/plain\r\nContent-Transfer-Encoding: " + encoding.encode() + b"\r\n\r\n" + body
    for _ in range(9):
        raw = b"Content-Type: message/rfc822\r\n\r\n" + raw
    assert parse_mail(raw).holds_cards
    assert not parse_mail(redacted(raw)).holds_cards
    assert body not in redacted(raw)
