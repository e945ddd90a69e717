"""Each limit is reached by a mail just within it, which is read whole, and by one just beyond, which is marked."""

from collections.abc import Callable

import pytest

from mailbot.inbound.authentication_results import parse_results
from mailbot.inbound.bounce import Bounce, find_bounce
from mailbot.inbound.card_redaction import apply_edits, find_edits
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
    "lines of the message": (
        lambda: with_field(b"X: y"),
        lambda: with_field(b"X: y") + b"\n" * 2_000_001,
        "message_too_large",
    ),
    "content field": (
        lambda: with_field(b"Content-Type: text/plain; x=" + b"y" * 4_000),
        lambda: with_field(b"Content-Type: text/plain; x=" + b"y" * 4_200),
        "header_field_too_long",
    ),
    "boundaries": (
        lambda: with_field(b"X: y") + b"boundary=b\r\n" * 50,
        lambda: with_field(b"X: y") + b"boundary=b\r\n" * 51,
        "mime_too_deep",
    ),
    "dashed lines": (
        lambda: with_field(b"Content-Type: image/png") + b"\r\n--" * 5_000,
        lambda: with_field(b"Content-Type: image/png") + b"\r\n--" * 5_001,
        "too_many_parts",
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
        pytest.param(b"<b>x</b>" * 10_001, "html_over_10000_tags", id="tags"),
        pytest.param(b"<div>" * 201 + b"x", "html_over_200_deep", id="deep"),
        pytest.param(b"<p>" + b"a" * 270_000, "html_cut_at_256_kb", id="cut"),
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


@pytest.mark.parametrize(
    ("within", "beyond"),
    [
        pytest.param(b"X: y\r\n" * 990, b"".join(b"X: " + b"y" * 60_000 + b"\r\n" for _ in range(5)), id="block"),
        pytest.param(b"X: " + b"y" * 65_000 + b"\r\n", b"X: " + b"y" * 66_000 + b"\r\n", id="field"),
        pytest.param(b"X: y\r\n" * 998, b"X: y\r\n" * 999, id="fields"),
    ],
)
def test_a_header_beyond_a_limit_names_nobody(within: bytes, beyond: bytes) -> None:
    known, unknown = (find_author(split_header(HEAD + more + b"\r\ntext")) for more in (within, beyond))
    assert (known.address, unknown.address) == ("jane@example.org", None)
    assert unknown.fault is not None


@pytest.mark.parametrize(
    ("within", "beyond"),
    [
        pytest.param(b"(" + b"y" * 16_000 + b")", b"(" + b"y" * 16_400 + b")", id="length"),
        pytest.param(b"; spf=pass" * 99, b"; spf=pass" * 100, id="results"),
    ],
)
def test_findings_beyond_a_limit_are_none(within: bytes, beyond: bytes) -> None:
    known, unknown = (parse_results(b"mx; dmarc=pass header.from=a.b" + more).results for more in (within, beyond))
    assert known is not None
    assert unknown is None


def test_no_more_than_fifty_enclosed_ids_are_read() -> None:
    ids = b"".join(b"Message-ID: <%d@b>\n" % at for at in range(60))
    assert parse_mail(with_field(b"X: y") + b"\n" + ids).enclosed_ids == tuple(f"<{at}@b>" for at in range(50))


def report(text: bytes) -> Bounce:
    head = b"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
    return find_bounce(parse_mail(HEAD + head + text + b"\r\n--b--\r\n"))


def test_a_report_of_delivery_is_read_up_to_its_limits() -> None:
    status = b"Status: 5.1.1\r\n"
    assert report(b"X: %s\r\n" % (b"y" * 65_000) + status).codes == ("5.1.1",)
    assert report(b"X: %s\r\n" % (b"y" * 66_000) + status).codes == ()
    named = report(b"".join(b"Final-Recipient: rfc822; a%d@b.example\r\n" % at for at in range(30))).recipients
    assert named == tuple(f"a{at}@b.example" for at in range(20))


CARD = b"4111 1111 1111 1111"


@pytest.mark.parametrize("depth", [1, 4, 5])
def test_card_numbers_are_taken_out_of_messages_as_deep_as_they_are_read(depth: int) -> None:
    raw = b"Content-Type: message/rfc822\n\n" * depth + b"Subject: x\n\n" + CARD + b"\n"
    assert CARD not in apply_edits(raw, find_edits(raw))


@pytest.mark.parametrize("length", [1_000, 1024 * 1024 + 100], ids=["short", "markup"])
def test_card_numbers_leave_markup_and_files_of_any_length(length: int) -> None:
    raw = with_field(b"Content-Type: text/html") + b"<p>" + b"a " * (length // 2) + CARD
    assert CARD not in apply_edits(raw, find_edits(raw))


def test_an_untyped_file_beyond_a_limit_is_not_searched() -> None:
    typed = with_field(b"Content-Type: application/octet-stream")
    within, beyond = (typed + b"a " * (size // 2) + CARD for size in (MB - 100, MB + 100))
    assert CARD not in apply_edits(within, find_edits(within))
    assert find_edits(beyond) == ()
