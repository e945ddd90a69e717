"""Which From fields name one address to every program, and which do not."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mailbot.inbound.from_field import Author, find_author
from mailbot.inbound.header_lines import HeaderLines, split_header

JANE = "jane@example.org"


def author_of(header: bytes) -> Author:
    return find_author(split_header(header + b"\r\n\r\ntext"))


@pytest.mark.parametrize(
    ("value", "address", "display_name"),
    [
        pytest.param(b"jane@example.org", JANE, "", id="bare"),
        pytest.param(b"<jane@example.org>", JANE, "", id="in brackets"),
        pytest.param(b"  Jane@EXAMPLE.org\t", JANE, "", id="any case, blanks around"),
        pytest.param(b"Jane <jane@example.org>", JANE, "Jane", id="a word"),
        pytest.param(b"Jane Q. Doe-O'Neil <jane@example.org>", JANE, "Jane Q. Doe-O'Neil", id="words and a dot"),
        pytest.param(b'"Doe, Jane (home)" <jane@example.org>', JANE, "Doe, Jane (home)", id="quoted"),
        pytest.param(b'"Jane \\"J\\" Doe" <jane@example.org>', JANE, 'Jane "J" Doe', id="quotes in quotes"),
        pytest.param(b"=?utf-8?q?Chlo=C3=A9?= <jane@example.org>", JANE, "Chloé", id="an encoded word"),
        pytest.param("Chloé <jane@example.org>".encode(), JANE, "Chloé", id="undeclared bytes in the name"),
        pytest.param(b"Jane\r\n Doe\r\n\t<jane@example.org>", JANE, "Jane Doe", id="folded"),
        pytest.param(b"Jane<jane@example.org>", JANE, "Jane", id="no blank before the bracket"),
        pytest.param(b"jane+shop.x_y@mail.example.org", "jane+shop.x_y@mail.example.org", "", id="tags stay"),
        pytest.param(b"jane@xn--bcher-kva.example", "jane@xn--bcher-kva.example", "", id="an international domain"),
        pytest.param(b"!#$%&'*+/=?^_`{|}~-@example.org", "!#$%&'*+/=?^_`{|}~-@example.org", "", id="odd but plain"),
    ],
)
def test_a_plain_from_names_one_address(value: bytes, address: str, display_name: str) -> None:
    author = author_of(b"From: " + value)
    assert (author.address, author.display_name, author.fault) == (address, display_name, None)


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(b"Subject: x", id="no From"),
        pytest.param(b"From:", id="an empty From"),
        pytest.param(b"From: Jane", id="no address"),
        pytest.param(b"From: Jane <>", id="an empty address"),
        pytest.param(b"From: a@example.net\r\nFrom: jane@example.org", id="two From"),
        pytest.param(b"From: jane@example.org\r\nFROM: jane@example.org", id="the same twice, in another case"),
        pytest.param(b"From: a@example.net\r\nFrom : jane@example.org", id="a second with a blank before the colon"),
        pytest.param(b"From : jane@example.org", id="a blank before the colon"),
        pytest.param(b"From\t: jane@example.org", id="a tab before the colon"),
        pytest.param(b"From\r\n : a@example.net\r\nFrom: jane@example.org", id="a folded name"),
        pytest.param(b" From: a@example.net\r\nFrom: jane@example.org", id="a leading continuation line"),
        pytest.param(b"\tx\r\nFrom: jane@example.org", id="a leading tab"),
        pytest.param(b"From: jane@example.org\r\n \r\n x", id="a blank continuation line"),
        pytest.param(b"From: a@example.net\rFrom: jane@example.org", id="a bare CR"),
        pytest.param(b"Subject: x\rFrom: a@example.net\r\nFrom: jane@example.org", id="a bare CR in another field"),
        pytest.param(b"From: jane@example.org\0", id="NUL"),
        pytest.param(b"From: <jane@example.org\0.example.net>", id="NUL in the address"),
        pytest.param(b"X: \0\r\nFrom: jane@example.org", id="NUL in another field"),
        pytest.param(b"no field\r\nFrom: jane@example.org", id="a line that is no field"),
        pytest.param("Fröm: a\r\nFrom: jane@example.org".encode(), id="a name that is not ASCII"),
        pytest.param(b": x\r\nFrom: jane@example.org", id="no name before the colon"),
        pytest.param(b"From: a@example.net, jane@example.org", id="two addresses"),
        pytest.param(b"From: <a@example.net>, <jane@example.org>", id="two in brackets"),
        pytest.param(b"From: <a@example.net> <jane@example.org>", id="two without a comma"),
        pytest.param(b"From: <a@example.net>jane@example.org", id="an address behind the bracket"),
        pytest.param(b"From: jane@example.org <a@example.net>", id="an address for an unquoted name"),
        pytest.param(b"From: jane@example.org <a@example.net> x", id="words behind the bracket"),
        pytest.param(b"From: ,jane@example.org", id="an empty first address"),
        pytest.param(b"From: Jane <jane@example.org>;", id="a semicolon at the end"),
        pytest.param(b"From: friends: jane@example.org;", id="a group"),
        pytest.param(b"From: <@a.example,@b.example:jane@example.org>", id="a route"),
        pytest.param(b"From: jane@example.org (Jane)", id="a comment behind"),
        pytest.param(b"From: (jane@example.org) a@example.net", id="a comment before"),
        pytest.param(b"From: Jane (x) <jane@example.org>", id="a comment in the name"),
        pytest.param(b"From: jane@(x)example.org", id="a comment in the address"),
        pytest.param(b'From: "jane"@example.org', id="a quoted local part"),
        pytest.param(b'From: "jane@example.org"@example.net', id="an address as a local part"),
        pytest.param(b"From: jane@[192.0.2.1]", id="a domain literal"),
        pytest.param("From: jané@example.org".encode(), id="a local part that is not ASCII"),
        pytest.param("From: jane@exämple.org".encode(), id="a domain that is not ASCII"),
        pytest.param(b"From: =?utf-8?q?jane=40example.org?=", id="an encoded word for the address"),
        pytest.param(b"From: Jane <=?utf-8?q?jane?=@example.org>", id="an encoded word in the address"),
        pytest.param(
            b"From: =?utf-8?q?=3Cjane@example.org=3E?= <a@example.net>", id="an encoded bracket, a bare at sign"
        ),
        pytest.param(b"From: < jane@example.org >", id="blanks in the brackets"),
        pytest.param(b"From: jane @example.org", id="a blank before the at sign"),
        pytest.param(b"From: jane@example.org>", id="a bracket that closes nothing"),
        pytest.param(b"From: <jane@example.org", id="a bracket that stays open"),
        pytest.param(b"From: <<jane@example.org>>", id="brackets in brackets"),
        pytest.param(b'From: "Jane <jane@example.org>', id="a quote that stays open"),
        pytest.param(b'From: "Jane\\" <jane@example.org>', id="a quote closed by an escaped one"),
        pytest.param(b"From: jane@@example.org", id="two at signs"),
        pytest.param(b"From: jane@example.org@example.net", id="two domains"),
        pytest.param(b"From: jane.@example.org", id="a dot at the end"),
        pytest.param(b"From: .jane@example.org", id="a dot at the start"),
        pytest.param(b"From: ja..ne@example.org", id="two dots"),
        pytest.param(b"From: jane@example..org", id="an empty label"),
        pytest.param(b"From: jane@example.org.", id="the root's dot"),
        pytest.param(b"From: jane@-example.org", id="a hyphen first"),
        pytest.param(b"From: jane@exam_ple.org", id="an underscore in the domain"),
        pytest.param(b"From: " + b"a" * 65 + b"@example.org", id="a long local part"),
        pytest.param(b"From: jane@" + b"a" * 64 + b".org", id="a long label"),
        pytest.param(b"From: jane@" + b"a." * 130 + b"org", id="a long domain"),
        pytest.param(b"From: " + b"x " * 5_000 + b"<jane@example.org>", id="a long field"),
        pytest.param(b"X: y\r\n" * 1_001 + b"From: jane@example.org", id="too many fields"),
        pytest.param(b"X: " + b"y" * 70_000 + b"\r\nFrom: jane@example.org", id="another field is too long"),
        pytest.param(b"X: " + b"y" * 300_000 + b"\r\nFrom: jane@example.org", id="the header is too long"),
        pytest.param(b"\r\nFrom: jane@example.org", id="a From in the body"),
    ],
)
def test_an_ambiguous_from_names_nobody(header: bytes) -> None:
    author = author_of(header)
    assert author.address is None
    assert author.fault


@pytest.mark.parametrize(
    ("value", "flags"),
    [
        pytest.param(b'"Jane" <jane@example.org>', (), id="a name"),
        pytest.param(b'"Jane@Example.org" <jane@example.org>', (), id="its own address"),
        pytest.param(b'"jane@example.net" <jane@example.org>', ("display_name_holds_other_address",), id="another's"),
        pytest.param(
            b"=?utf-8?q?bob=40example=2Enet?= <jane@example.org>", ("display_name_holds_other_address",), id="encoded"
        ),
        pytest.param(
            "bob＠example.net <jane@example.org>".encode(),  # noqa: RUF001 (the wide sign is what the test is about)
            ("display_name_holds_other_address",),
            id="with a wide at sign",
        ),
        pytest.param("Иван Иванов <jane@example.org>".encode(), (), id="one script"),
        pytest.param("Ivan Иванов <jane@example.org>".encode(), (), id="two words, two scripts"),
        pytest.param("日本 Corp <jane@example.org>".encode(), (), id="scripts that nobody confuses"),
        pytest.param("p\u0430ypal <jane@example.org>".encode(), ("display_name_mixes_scripts",), id="a foreign a"),
        pytest.param(
            "Jane \u202egro.elpmaxe <jane@example.org>".encode(), ("display_name_has_bidi_controls",), id="turned round"
        ),
    ],
)
def test_a_display_name_made_to_deceive_is_flagged(value: bytes, flags: tuple[str, ...]) -> None:
    author = author_of(b"From: " + value)
    assert (author.address, author.flags) == (JANE, flags)


def test_a_display_name_cannot_break_lines() -> None:
    assert author_of(b"From: =?utf-8?q?a=0D=0ABcc:_x=00?= <jane@example.org>").display_name == "aBcc: x"


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_either_line_end_will_do(end: bytes) -> None:
    header = end.join([b"From jane@example.org Tue Mar 10 09:00:00 2026", b"From: jane@example.org", b"", b"From: x"])
    assert find_author(split_header(header)).address == JANE


STRICTER = ("quoted local part", "domain literal", "comment or folding")


def stricter_reason(address: str) -> str | None:
    if address.startswith('"'):
        return STRICTER[0]
    if "[" in address:
        return STRICTER[1]
    return STRICTER[2] if any(mark in address for mark in "( \t\r\n") else None


def test_addresses_are_judged_as_a_strict_reader_does(corpus: Callable[[str], Path]) -> None:
    accepted, refused = [], []
    for line in (corpus("spoof") / "isemail-addresses.jsonl").read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        value = case["address"].encode("utf-8", "surrogateescape")
        author = find_author(HeaderLines(fields=(("from", value),), fault=None))
        if case["category"] == "ISEMAIL_ERR" and author.address is not None:
            accepted.append(case)
        if case["category"] == "ISEMAIL_VALID_CATEGORY" and author.address is None:
            refused.append(case)
    assert accepted == []
    assert [case for case in refused if stricter_reason(case["address"]) is None] == []
