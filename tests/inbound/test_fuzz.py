"""Each parser of hostile bytes, by itself: whatever comes in, an answer comes out, and what it promises holds."""

import os

from hypothesis import example, given, settings
from hypothesis import strategies as st

from mailbot.inbound.arrival import read_arrival
from mailbot.inbound.authentication import find_verdict, trusted_names
from mailbot.inbound.authentication_results import parse_results, read_receiver
from mailbot.inbound.card_redaction import apply_edits, find_edits
from mailbot.inbound.from_field import find_author
from mailbot.inbound.header_lines import split_header
from mailbot.inbound.mime import parse_mail
from mailbot.inbound.mime_fields import parse_content_field
from mailbot.inbound.mime_text import decode_octets, decode_words
from mailbot.inbound.mime_transfer import decode_transfer
from mailbot.model.card_numbers import find_card_numbers, mask_card_numbers
from mailbot.model.mail import Verdict
from mailbot.understand.body import read_body
from mailbot.understand.html_text import read_html

FUZZ = settings(
    derandomize="MAILBOT_FUZZ_EXAMPLES" not in os.environ,
    max_examples=int(os.environ.get("MAILBOT_FUZZ_EXAMPLES", "120")),
)
TRUST = trusted_names(["mx.shop.example"], [], unnamed=False)
RESULTS = st.lists(
    st.sampled_from(
        [
            *(
                "mx.shop.example",
                "evil.example",
                ";",
                " ",
                "dmarc",
                "dkim",
                "spf",
                "=",
                "pass",
                "fail",
                "none",
                "(",
                ")",
                '"',
            ),
            *(
                "header.from=example.org",
                "header.d=example.org",
                "\\",
                "1",
                "2",
                "/",
                "reason",
                "\x00",
                "é",
                "policy.x=y",
            ),
        ]
    ),
    max_size=30,
).map("".join)
DIGITS = st.lists(
    st.sampled_from(
        [
            *"0123456789",
            "4111",
            "1111",
            " ",
            "-",
            ".",
            "\n",
            "\u200b",
            "\uff11",
            "&#49;",
            "<b>",
            "</b>",
            "<td>",
            "cvv 123",
            "x",
            "é",
        ]
    ),
    max_size=60,
).map("".join)
MARKUP = st.lists(
    st.sampled_from(
        ["<b>", "</b>", "<p style='display:none'>", "<", ">", "&", "&#9;", "<!--", "-->", "x", "<style>", "{", "}"]
    ),
    max_size=60,
).map("".join)


@FUZZ
@given(RESULTS)
def test_results_are_read_or_refused(value: str) -> None:
    octets = value.encode("utf-8")
    parse_results(octets)
    read_receiver(octets)
    field = b"Authentication-Results: " + octets.replace(b"\n", b" ") + b"\r\n\r\n"
    verdict, why = find_verdict(split_header(field), "victim.example", TRUST)
    assert verdict is not Verdict.PASS  # none of them is about that domain
    assert why


@FUZZ
@given(st.binary(max_size=300))
def test_no_bytes_break_a_header(raw: bytes) -> None:
    author = find_author(split_header(b"From: " + raw))
    assert (author.address is None) == (author.fault is not None)
    read_arrival(raw)


@FUZZ
@given(st.text(max_size=200))
def test_no_content_field_breaks(text: str) -> None:
    field = parse_content_field(text)
    assert field.token is not None
    for value in field.parameters.values():
        value.encode()


@FUZZ
@given(st.binary(max_size=300), st.text(max_size=20))
def test_bytes_of_any_charset_become_text(octets: bytes, charset: str) -> None:
    text, _ = decode_octets(octets, charset)
    assert "\0" not in text
    text.encode()
    decode_words(octets.decode("ascii", "surrogateescape"), charset).encode()


@FUZZ
@given(st.binary(max_size=300), st.sampled_from(["base64", "quoted-printable", "x-uuencode", "7bit", ""]))
def test_any_transfer_encoding_is_undone(octets: bytes, encoding: str) -> None:
    content, _ = decode_transfer(octets, encoding)
    assert isinstance(content, bytes)


@FUZZ
@given(MARKUP)
def test_any_markup_is_text(markup: str) -> None:
    for text in (read_html(markup).text, read_body(None, markup).text):
        assert "\0" not in text
        text.encode()


@FUZZ
@given(DIGITS)
def test_masking_keeps_every_place_and_leaves_no_card_number(text: str) -> None:
    masked = mask_card_numbers(text)
    assert len(masked) == len(text)
    assert find_card_numbers(masked) == []
    assert mask_card_numbers(masked) == masked


@FUZZ
@example("304111\N{FULLWIDTH DIGIT ONE}500097", "plain", "8bit")  # undeclared UTF-8 in a field
@given(DIGITS, st.sampled_from(["plain", "html", "xml"]), st.sampled_from(["8bit", "quoted-printable", "base64"]))
def test_a_redacted_mail_holds_no_card_number_and_is_the_same_mail(text: str, subtype: str, encoding: str) -> None:
    head = f"Subject: {text.replace(chr(10), ' ')}\r\nContent-Type: text/{subtype}; charset=utf-8\r\n"
    raw = f"{head}Content-Transfer-Encoding: {encoding}\r\n\r\n".encode() + text.encode() + b"\r\n"
    clean = apply_edits(raw, find_edits(raw))
    assert find_edits(clean) == ()
    assert parse_mail(clean).holds_cards is False
    assert parse_mail(clean).content_key == parse_mail(raw).content_key
