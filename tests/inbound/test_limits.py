"""Each limit is reached by a mail just within it, which is read whole, and by one just beyond, which is marked."""

from collections.abc import Callable

import pytest

from mailbot.inbound.from_field import find_author
from mailbot.inbound.header_lines import split_header
from mailbot.inbound.mime import PARTIAL, parse_mail
from mailbot.understand.body import read_body
from mailbot.understand.html_text import read_html

HEAD = b"From: jane@example.org\r\nTo: support@shop.example\r\n"
MB = 1024 * 1024


def with_field(line: bytes) -> bytes:
    return HEAD + line + b"\r\n\r\ntext"


def multiparts(depth: int) -> bytes:
    opened = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (at, at) for at in range(depth))
    return b"From: a@b\n" + opened + b"\ntext\n"


def messages(depth: int) -> bytes:
    return b"Content-Type: message/rfc822\n\n" * depth + b"Subject: x\n\ntext"


def parts(count: int, part: bytes = b"\n\nx") -> bytes:
    return HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + (b"--b" + part + b"\n") * count + b"--b--\n"


def attached(count: int, size: int) -> bytes:
    return parts(count, b"\nContent-Type: image/png\nContent-Disposition: attachment\n\n" + b"\0" * size)


LIMITS: dict[str, tuple[Callable[[], bytes], Callable[[], bytes], str]] = {
    "header block": (
        lambda: HEAD + b"X: y\r\n" * 900 + b"\r\ntext",
        lambda: HEAD + (b"X: " + b"y" * 60_000 + b"\r\n") * 5 + b"\r\ntext",
        "header_block_too_long",
    ),
    "one field": (
        lambda: with_field(b"X: " + b"y" * 65_000),
        lambda: with_field(b"X: " + b"y" * 66_000),
        "header_field_too_long",
    ),
    "fields": (
        lambda: HEAD + b"X: y\r\n" * 998 + b"\r\ntext",
        lambda: HEAD + b"X: y\r\n" * 999 + b"\r\ntext",
        "too_many_header_fields",
    ),
    "address field": (
        lambda: with_field(b"Cc: " + b"x" * 8_000 + b" <a@b.example>"),
        lambda: with_field(b"Cc: " + b"x" * 8_300 + b" <a@b.example>"),
        "address_field_too_long",
    ),
    "addresses": (
        lambda: with_field(b"Cc: " + b", ".join(b"a%d@b.example" % at for at in range(99))),
        lambda: with_field(b"Cc: " + b", ".join(b"a%d@b.example" % at for at in range(100))),
        "too_many_addresses",
    ),
    "References": (
        lambda: with_field(b"References: " + b" ".join(b"<%d@b>" % at for at in range(50))),
        lambda: with_field(b"References: " + b" ".join(b"<%d@b>" % at for at in range(51))),
        "too_many_references",
    ),
    "MIME depth": (lambda: multiparts(20), lambda: multiparts(21), "mime_too_deep"),
    "parts": (lambda: parts(19), lambda: parts(200), "too_many_parts"),
    "nested messages": (lambda: messages(5), lambda: messages(6), "too_many_nested_messages"),
    "attachments": (lambda: attached(20, 10), lambda: attached(21, 10), "too_many_attachments"),
    "one attachment": (lambda: attached(1, 15 * MB - 9), lambda: attached(1, 15 * MB + 9), "attachment_too_large"),
    "all attachments": (lambda: attached(3, 13 * MB), lambda: attached(3, 14 * MB), "attachments_too_large"),
    "text": (
        lambda: with_field(b"X: y") + b"a" * 200_000,
        lambda: with_field(b"X: y") + b"a" * 205_000,
        "text_too_long",
    ),
    "text lines": (
        lambda: with_field(b"X: y") + b"\nx" * 1_990,
        lambda: with_field(b"X: y") + b"\nx" * 2_010,
        "text_too_long",
    ),
    "HTML": (
        lambda: with_field(b"Content-Type: text/html") + b"a" * 262_000,
        lambda: with_field(b"Content-Type: text/html") + b"a" * 263_000,
        "html_too_long",
    ),
    "raw message": (lambda: with_field(b"X: y"), lambda: with_field(b"X: y") + bytes(50 * MB), "message_too_large"),
}


@pytest.mark.parametrize("limit", LIMITS)
def test_a_mail_within_a_limit_is_read_whole_and_one_beyond_is_marked(limit: str) -> None:
    within, beyond, defect = LIMITS[limit]
    assert not PARTIAL.intersection(parse_mail(within()).defects)
    found = parse_mail(beyond()).defects
    assert defect in found
    assert defect in PARTIAL


def test_every_mark_of_a_limit_is_reached() -> None:
    assert {defect for _, _, defect in LIMITS.values()} == PARTIAL


@pytest.mark.parametrize(
    ("html", "defect"),
    [
        (b"<b>x</b>" * 10_001, "html_over_10000_tags"),
        (b"<div>" * 201 + b"x", "html_over_200_deep"),
        (b"<p>" + b"a" * 270_000, "html_cut_at_256_kb"),
    ],
)
def test_html_beyond_a_limit_is_marked_and_still_read(html: bytes, defect: str) -> None:
    read = read_html(html.decode())
    assert defect in read.defects
    assert read.text


def test_what_html_hides_stands_apart_and_is_no_text() -> None:
    hidden = (
        '<p style="display:none">one</p><p style="visibility:hidden">two</p><p style="font-size:0">three</p>'
        '<p style="color:#fff">four</p><p style="position:absolute;left:-9999px">five</p>'
        '<p style="opacity:0">six</p><p hidden>seven</p><p style="text-indent:-9999px">eight</p>'
    )
    body = read_body(None, f"<p>Hello</p>{hidden}<p>r\u200be\u200bfund</p>")
    assert body.text.split() == ["Hello", "refund"]
    assert set(" ".join(body.hidden).split()) == {"one", "two", "three", "four", "five", "six", "seven", "eight"}


@pytest.mark.parametrize("length", [8_100, 8_300])
def test_a_from_field_beyond_its_limit_names_nobody(length: int) -> None:
    author = find_author(split_header(b"From: " + b"x" * (length - 20) + b" <jane@example.org>\r\n\r\n"))
    assert (author.address is None) == (length > 8 * 1024)


def test_a_file_name_is_shown_short_and_plain() -> None:
    name = "\u202e" + "a" * 300 + "\x1b[2J\u200b.pdf"
    raw = HEAD + f'Content-Type: application/pdf; name="{name}"\r\nContent-Disposition: attachment\r\n\r\nx'.encode()
    shown = parse_mail(raw).attachments[0].file_name or ""
    assert len(shown) == 120
    assert shown.isascii()
    assert shown.isprintable()
