"""Structure, text, attachments and limits of a mail."""

import base64
import hashlib
from datetime import UTC, datetime

import pytest

from mailbot.inbound.mime import PARTIAL, parse_mail
from mailbot.model.mail import InboundMail


def a_mail(body: bytes = b"Hello\r\n", **fields: str) -> bytes:
    """An ordinary mail; keywords replace or add fields, underscores standing for hyphens."""
    ordinary = {"From": "Jane <jane@example.org>", "To": "support@shop.example", "Subject": "My order"}
    ordinary |= {"Date": "Tue, 10 Mar 2026 09:00:00 +0100", "Message-ID": "<1@example.org>"}
    header = ordinary | {name.replace("_", "-"): value for name, value in fields.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in header.items())
    return lines.encode("utf-8", "surrogateescape") + b"\r\n" + body


def a_multipart(*parts: bytes, subtype: str = "mixed", **fields: str) -> bytes:
    body = b"".join(b"--=b\r\n" + part + b"\r\n" for part in parts) + b"--=b--\r\n"
    return a_mail(body, Content_Type=f'multipart/{subtype}; boundary="=b"', **fields)


def a_part(content: bytes, content_type: str = "text/plain", *fields: str) -> bytes:
    return "\r\n".join([f"Content-Type: {content_type}", *fields]).encode() + b"\r\n\r\n" + content


def named(mail: InboundMail) -> list[tuple[str, str | None]]:
    return [(attachment.path, attachment.file_name) for attachment in mail.attachments]


def test_an_ordinary_mail_is_taken_apart() -> None:
    mail = parse_mail(a_mail(b"Hello\r\nworld\r\n", In_Reply_To="<0@shop.example>", Cc="Bob <BOB@Example.org>"))
    assert mail.subject == "My order"
    assert mail.message_id == "<1@example.org>"
    assert mail.in_reply_to == ("<0@shop.example>",)
    assert mail.sent_at == datetime(2026, 3, 10, 8, tzinfo=UTC)
    assert mail.recipients == ("support@shop.example", "bob@example.org")
    assert mail.plain == "Hello\nworld\n"
    assert (mail.html, mail.attachments, mail.enclosed_ids, mail.defects) == (None, (), (), ())
    assert mail.values("subject") == ("My order",)


@pytest.mark.parametrize(
    ("charset", "octets", "text"),
    [
        pytest.param("utf-8", "né".encode(), "né", id="utf-8"),
        pytest.param("utf-8", b"\xef\xbb\xbfn", "n", id="utf-8 with a byte order mark"),
        pytest.param('"UTF8"', "né".encode(), "né", id="an alias in quotes"),
        pytest.param("iso-8859-1", b"\x93n\xe9\x94 \x80", "“né” €", id="latin-1 as writers mean it"),
        pytest.param("us-ascii", "né".encode(), "né", id="ascii that is utf-8"),
        pytest.param("us-ascii", b"n\xe9", "né", id="ascii that is windows-1252"),
        pytest.param("gb2312", "朱镕基".encode("gb18030"), "朱镕基", id="gb2312 that is gb18030"),
        pytest.param("ks_c_5601-1987", "안녕".encode("cp949"), "안녕", id="korean by its old name"),
        pytest.param("Shift_JIS", "①日本".encode("cp932"), "①日本", id="shift_jis with vendors' letters"),
        pytest.param("iso-2022-jp", "日本".encode("iso-2022-jp"), "日本", id="iso-2022-jp"),
        pytest.param("iso-2022-jp", b"\x1b$B-b\x1b(B1", "№1", id="iso-2022-jp with vendors' letters"),
        pytest.param("utf-7", b"n+AOk-", "né", id="utf-7"),
        pytest.param("utf-16", "né".encode("utf-16"), "né", id="utf-16"),
        pytest.param("utf-16", b"plain", "plain", id="utf-16 that is ascii"),
        pytest.param("windows-1251", "привет".encode("cp1251"), "привет", id="windows-1251"),
        pytest.param("cp-1250", "čau".encode("cp1250"), "čau", id="a family's odd spelling"),
        pytest.param("koi8-r", "привет".encode("koi8-r"), "привет", id="koi8-r"),
        pytest.param("shift_jis", "日本語".encode(), "日本語", id="utf-8 under a wrong name"),
        pytest.param("utf-8", b"n\xe9e \xe0", "née à", id="windows-1252 under the name of utf-8"),
        pytest.param("utf-8", "näh, größer".encode() + b"\xff", "näh, größer\ufffd", id="utf-8 with one bad byte"),
        pytest.param("x-unknown", "né".encode(), "né", id="a name that nobody knows"),
        pytest.param("punycode", b"abc-def", "abc-def", id="a codec that is no charset"),
        pytest.param("idna", b"abc", "abc", id="another"),
        pytest.param("zlib", b"abc", "abc", id="a codec that is none for text"),
        pytest.param("", b"n\xe9", "né", id="an empty name"),
    ],
)
def test_text_is_decoded_by_any_charset(charset: str, octets: bytes, text: str) -> None:
    assert parse_mail(a_mail(octets, Content_Type=f"text/plain; charset={charset}")).plain == text


@pytest.mark.parametrize(
    ("value", "subject"),
    [
        pytest.param("=?utf-8?Q?Caf=C3=A9?=", "Café", id="q"),
        pytest.param("=?UTF-8?b?Q2Fmw6k=?=", "Café", id="b in lower case"),
        pytest.param("=?utf-8?q?a?=\r\n =?utf-8?q?b?= c", "ab c", id="blanks between words vanish"),
        pytest.param("=?utf-8?B?4oI=?= =?utf-8?B?rA==?=", "€", id="a letter cut in two"),
        pytest.param("=?utf-8?Q?Hello World?=", "Hello World", id="a blank inside a word"),
        pytest.param("=?utf-8?Q?really??=", "really?", id="a question mark inside a word"),
        pytest.param("=?utf-8*en?q?caf=C3=A9?=", "café", id="with a language"),
        pytest.param("=?x-unknown?q?n=C3=A9?=", "né", id="unknown charset"),
        pytest.param("=?iso-8859-1?q?=80?=", "€", id="latin-1 as writers mean it"),
        pytest.param("=?utf-8?q?broken", "=?utf-8?q?broken", id="no end"),
        pytest.param("=?utf-8?b?@@@?= x", "x", id="no base64"),
        pytest.param("Größe", "Größe", id="undeclared utf-8"),
        pytest.param("Gr\udcf6\udcdfe", "Größe", id="undeclared windows-1252"),
        pytest.param("=?utf-8?q?a=0D=0ABcc:_x=00?=", "a  Bcc: x", id="line breaks and NUL inside"),
        pytest.param("a\r\n\tb", "a b", id="folded"),
    ],
)
def test_a_subject_is_decoded(value: str, subject: str) -> None:
    assert parse_mail(a_mail(Subject=value)).subject == subject


def test_undeclared_bytes_of_a_header_are_read_by_the_body_s_charset() -> None:
    koi8 = "привет".encode("koi8-r").decode("ascii", "surrogateescape")
    assert parse_mail(a_mail(Subject=koi8, Content_Type="text/plain; charset=koi8-r")).subject == "привет"


@pytest.mark.parametrize(
    ("encoding", "body", "plain", "damaged"),
    [
        pytest.param("base64", b"SGVsbG8=", "Hello", False, id="base64"),
        pytest.param("BASE64 (as usual)", b"SGVsbG8=", "Hello", False, id="base64 with a comment"),
        pytest.param("base64", b"SGVs\r\nbG8", "Hello", False, id="base64 without padding"),
        pytest.param("base64", b"SGVsbG8=SGVsbG8=", "HelloHello", True, id="base64 padded in the middle"),
        pytest.param(
            "base64",
            b"SGVsbG8h" * 99 + b"SGVsbG8=\r\n-- \r\nby a list",
            "Hello!" * 99 + "Hello",
            True,
            id="text behind the base64",
        ),
        pytest.param("base64", b"SGVsbG8x" * 10 + b"*", "Hello1" * 10, True, id="base64 with a foreign byte"),
        pytest.param("base64", b"Plain text, really.", "Plain text, really.", True, id="no base64 at all"),
        pytest.param("quoted-printable", b"n=C3=A9 =\r\nend", "né end", False, id="quoted-printable"),
        pytest.param("quoted-printable", b"100 %=ZZ =", "100 %=ZZ ", False, id="broken quoted-printable"),
        pytest.param("x-uuencode", b"begin 644 a\r\n%2&5L;&\\\r\n`\r\nend\r\n", "Hello", False, id="uuencode"),
        pytest.param("x-uuencode", b"no begin", "no begin", True, id="no uuencode"),
        pytest.param("8bit", "né".encode(), "né", False, id="8bit"),
        pytest.param("made-up", b"Hello", "Hello", False, id="unknown"),
    ],
)
def test_transfer_encodings_are_undone_as_far_as_they_go(
    encoding: str, body: bytes, plain: str, *, damaged: bool
) -> None:
    mail = parse_mail(a_mail(body, Content_Type="text/plain; charset=utf-8", Content_Transfer_Encoding=encoding))
    assert mail.plain == plain
    assert ("transfer_encoding_damaged" in mail.defects) == damaged


@pytest.mark.parametrize(
    ("disposition", "content_type", "name"),
    [
        pytest.param('attachment; filename="a b.pdf"', "application/pdf", "a b.pdf", id="quoted"),
        pytest.param("attachment; filename=a b.pdf", "application/pdf", "a b.pdf", id="unquoted with a blank"),
        pytest.param("attachment", 'application/pdf; name="a.pdf"', "a.pdf", id="in the content type"),
        pytest.param("attachment; filename*=utf-8''caf%C3%A9.pdf", "application/pdf", "café.pdf", id="RFC 2231"),
        pytest.param(
            "attachment; filename*0*=utf-8''caf%C3; filename*1*=%A9; filename*2=.pdf",
            "application/pdf",
            "café.pdf",
            id="RFC 2231 in pieces, a letter cut in two",
        ),
        pytest.param(
            'attachment; filename*1="b.pdf"; filename*0="a"', "application/pdf", "ab.pdf", id="pieces out of order"
        ),
        pytest.param("attachment; filename=x.pdf; filename*=utf-8''y.pdf", "application/pdf", "y.pdf", id="both forms"),
        pytest.param('attachment; filename="=?utf-8?Q?caf=C3=A9.pdf?="', "application/pdf", "café.pdf", id="word"),
        pytest.param('attachment; filename="café.pdf"', "application/pdf", "café.pdf", id="undeclared bytes"),
        pytest.param('attachment; filename="a\\"b.pdf"', "application/pdf", 'a"b.pdf', id="an escaped quote"),
        pytest.param('attachment; filename="C:\\tmp\\b.pdf"', "application/pdf", "C:\\tmp\\b.pdf", id="backslashes"),
        pytest.param('attachment; filename="open', "application/pdf", "open", id="an open quote"),
        pytest.param("attachment; filename*=utf-8''a%00b%E2%80%AEfdp.exe", "text/plain", "abfdp.exe", id="controls"),
        pytest.param("attachment; filename*=idna''a", "application/pdf", "a", id="a charset that is none"),
        pytest.param("attachment; filename=" + "a" * 200, "application/pdf", "a" * 120, id="too long"),
        pytest.param("attachment", "application/pdf", None, id="none"),
    ],
)
def test_file_names_are_decoded_and_harmless(disposition: str, content_type: str, name: str | None) -> None:
    part = f"Content-Type: {content_type}\r\nContent-Disposition: {disposition}\r\n\r\nx".encode()
    mail = parse_mail(a_multipart(a_part(b"Hello"), part))
    assert named(mail) == [("2", name)]


def test_an_attachment_keeps_its_place_size_hash_and_content() -> None:
    pdf = b"%PDF-1.7 \x00\xff"
    encoded = a_part(base64.encodebytes(pdf), "Application/PDF", "Content-Transfer-Encoding: base64")
    inner = a_multipart(a_part(b"Hi"), a_part(b"<p>Hi</p>", "text/html"), subtype="alternative")
    alternative = inner.replace(b"=b", b"=c")
    mail = parse_mail(a_multipart(alternative[alternative.index(b"Content-Type") :], encoded))
    assert (mail.plain, mail.html) == ("Hi", "<p>Hi</p>")
    (attachment,) = mail.attachments
    assert (attachment.path, attachment.content_type, attachment.size) == ("2", "application/pdf", len(pdf))
    assert (attachment.data, attachment.sha256) == (pdf, hashlib.sha256(pdf).hexdigest())
    assert (attachment.inline, attachment.held_back) == (False, None)


def test_a_picture_that_the_html_shows_is_inline() -> None:
    html = a_part(b'<img src="cid:Logo@shop">', "text/html")
    logo = a_part(b"GIF", "image/gif", "Content-ID: <logo@SHOP>", "Content-Disposition: attachment")
    photo = a_part(b"JPG", "image/jpeg")
    assert [picture.inline for picture in parse_mail(a_multipart(html, logo, photo)).attachments] == [True, False]


def test_several_texts_are_joined_and_blank_ones_do_not_count() -> None:
    mail = parse_mail(a_multipart(a_part(b"one"), a_part(b" \r\n"), a_part(b"two"), a_part(b"", "text/html")))
    assert (mail.plain, mail.html) == ("one\ntwo", None)


def test_a_text_file_is_an_attachment_and_a_named_body_is_the_body() -> None:
    body = a_part(b"Hello", 'text/plain; name="message.txt"')
    mail = parse_mail(a_multipart(body, a_part(b"x", "text/plain", 'Content-Disposition: inline; filename="a.txt"')))
    assert mail.plain == "Hello"
    assert named(mail) == [("2", "a.txt")]


def test_html_names_its_own_charset() -> None:
    html = '<meta charset="windows-1251"><p>привет'.encode("cp1251")
    assert "привет" in (parse_mail(a_mail(html, Content_Type="text/html")).html or "")


ENCLOSED = (
    b"From: bob@example.net\r\nMessage-ID: <inner@example.net>\r\nSubject: inner\r\n"
    b"Content-Type: multipart/mixed; boundary=in\r\n\r\n--in\r\n\r\ninner text\r\n"
    b"--in\r\nContent-Type: application/pdf; name=invoice.pdf\r\n\r\nPDF\r\n--in--\r\n"
)


@pytest.mark.parametrize("encoding", ["7bit", "base64"])
def test_an_enclosed_message_is_attached_and_its_text_is_not_ours(encoding: str) -> None:
    content = base64.encodebytes(ENCLOSED) if encoding == "base64" else ENCLOSED
    forward = a_part(content, "message/rfc822; name=old.eml", f"Content-Transfer-Encoding: {encoding}")
    mail = parse_mail(a_multipart(a_part(b"See below"), forward))
    assert mail.plain == "See below"
    assert named(mail) == [("2", "old.eml"), ("2.1", None), ("2.2", "invoice.pdf")]
    assert mail.attachments[1].data.strip() == b"inner text"
    assert mail.attachments[0].data.strip() == ENCLOSED.strip()
    assert mail.enclosed_ids == ("<inner@example.net>",)


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        pytest.param("text/rfc822-headers", b"Subject: x\r\nMessage-Id:\r\n <ours@shop.example>\r\n", id="headers"),
        pytest.param(
            "message/delivery-status",
            b"Reporting-MTA: dns; mx\r\nX-Original-Message-ID: <ours@shop.example>\r\n\r\nStatus: 5.1.1\r\n",
            id="delivery report",
        ),
        pytest.param(
            "message/disposition-notification", b"Original-Message-ID: <ours@shop.example>\r\n", id="read receipt"
        ),
        pytest.param(
            "text/plain", b"Hi.\r\n\r\n> Message-ID: <ours@shop.example>\r\n> Subject: x\r\n", id="pasted headers"
        ),
    ],
)
def test_reports_name_the_mail_that_they_are_about(content_type: str, content: bytes) -> None:
    mail = parse_mail(a_multipart(a_part(b"Sorry"), a_part(content, content_type), subtype="report"))
    assert mail.enclosed_ids == ("<ours@shop.example>",)


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        pytest.param(b"", None, id="nothing"),
        pytest.param(b"Subject: x\n", None, id="a header without its end"),
        pytest.param(b"Subject: x\r\n\r\n", None, id="a header alone"),
        pytest.param(b"\r\njust text", "just text", id="no header"),
        pytest.param(b"Subject: x\r\rtext\rmore", "text\nmore", id="CR alone ends lines"),
        pytest.param(b"Content-Type: text\n\ntext", "text", id="half a content type"),
        pytest.param(b"Content-Type: multipart/mixed\n\ntext", "text", id="multipart without parts"),
        pytest.param(b"Content-Type: multipart/mixed\n\n--x\n\ntext\n--x--", "text", id="no boundary named"),
        pytest.param(b"Content-Type: multipart/mixed; boundary=y\n\n--x\n\ntext\n--x--", "text", id="wrong boundary"),
        pytest.param(b"Content-Type: multipart/mixed; boundary=y\n\n--y\n\ntext\n", "text", id="boundary never closed"),
        pytest.param(
            b'Content-Type: multipart/mixed;\n boundary="a\n b"\n\n--a b\n\ntext', "text", id="folded boundary"
        ),
        pytest.param(b"Subject : x\nContent-Type: text/plain\n\ntext", "text", id="space before a colon"),
        pytest.param(b"To: a@b\njunk\nContent-Type: text/plain\n\ntext", "text", id="a line that is no field"),
        pytest.param(b"Subject: x\n\na\0b", "ab", id="NUL"),
        pytest.param(b"Content-Type: application/ms-tnef\n\nTNEF", None, id="TNEF is an attachment"),
    ],
)
def test_broken_mail_is_still_a_mail(raw: bytes, plain: str | None) -> None:
    assert parse_mail(raw).plain == plain


def test_parts_behind_the_closing_line_are_found() -> None:
    same = b'Content-Type: multipart/alternative; boundary="=b"\r\n\r\n--=b\r\n\r\ntext\r\n--=b--'
    mail = parse_mail(a_multipart(same, a_part(b"GIF", "image/gif; name=x.gif")))
    assert mail.plain == "text"
    assert [name for _, name in named(mail)] == ["x.gif"]


@pytest.mark.parametrize(
    ("date", "sent_at"),
    [
        pytest.param("Tue, 10 Mar 2026 09:00:00 -0000", datetime(2026, 3, 10, 9, tzinfo=UTC), id="no zone known"),
        pytest.param("10 Mar 26 09:00 GMT", datetime(2026, 3, 10, 9, tzinfo=UTC), id="old form"),
        pytest.param("yesterday", None, id="no date"),
        pytest.param("Tue, 10 Mar 9999 09:00:00 +0000", None, id="beyond all reason"),
        pytest.param("Tue, 99 Mar 2026 99:00:00 +9999", None, id="no such day"),
        pytest.param("9" * 5000, None, id="digits"),
    ],
)
def test_a_date_is_read_or_unknown(date: str, sent_at: datetime | None) -> None:
    assert parse_mail(a_mail(Date=date)).sent_at == sent_at


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        pytest.param("<a@b> <c@d>", ("<a@b>", "<c@d>"), id="two"),
        pytest.param("<a@\r\n b>", ("<a@b>",), id="folded inside"),
        pytest.param("0002", ("0002",), id="no brackets"),
        pytest.param("mail of <a@b> (Jane)", ("<a@b>",), id="with words"),
        pytest.param("", (), id="empty"),
    ],
)
def test_message_ids_are_kept_as_sent(value: str, ids: tuple[str, ...]) -> None:
    assert parse_mail(a_mail(In_Reply_To=value)).in_reply_to == ids


def test_recipients_are_bare_addresses_of_all_four_fields() -> None:
    raw = a_mail(
        To='"x@y, z" <A@shop.example>, b@shop.example (c@d)', Delivered_To="e@shop.example", X_Original_To="<f@g>"
    )
    assert parse_mail(raw).recipients == ("a@shop.example", "b@shop.example", "c@d", "e@shop.example", "f@g")


def test_a_redelivered_copy_has_the_same_content_key() -> None:
    first = a_mail("Größe\r\n".encode(), Content_Type="text/plain; charset=utf-8", Received="from a by b; now")
    again = a_mail(
        b"Gr=C3=B6=C3=9Fe\n", Content_Type="text/plain; charset=utf-8", Content_Transfer_Encoding="quoted-printable"
    )
    again = again.replace(b"Subject: My order", b"Subject: =?utf-8?q?My_order?=").replace(b"\r\n", b"\n")
    assert parse_mail(first).content_key == parse_mail(b"Delivered-To: x@y\n" + again).content_key


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(a_mail(b"Bye\r\n"), id="text"),
        pytest.param(a_mail(Subject="Your order"), id="subject"),
        pytest.param(a_mail(Date="Tue, 10 Mar 2026 09:00:01 +0100"), id="date"),
        pytest.param(a_mail(From="joe@example.org"), id="sender"),
        pytest.param(a_mail(Message_ID="<2@example.org>"), id="message id"),
        pytest.param(a_multipart(a_part(b"Hello\r\n"), a_part(b"x", "image/gif")), id="attachment"),
    ],
)
def test_another_mail_has_another_content_key(other: bytes) -> None:
    assert parse_mail(a_mail()).content_key != parse_mail(other).content_key


def _deep(levels: int) -> bytes:
    opened = (f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(levels))
    return ("Subject: deep\n" + "".join(opened) + "\ntext\n").encode()


@pytest.mark.parametrize(
    ("raw", "defect"),
    [
        pytest.param(b"X: " + b"a" * 300_000 + b"\n\ntext", "header_block_too_long", id="header block"),
        pytest.param(b"X: " + b"a" * 70_000 + b"\n\ntext", "header_field_too_long", id="header field"),
        pytest.param(b"X: a\n" * 1_001 + b"\ntext", "too_many_header_fields", id="header fields"),
        pytest.param(
            b"To: " + b"".join(b"a%d@b.c, " % n for n in range(101)) + b"\n\n", "too_many_addresses", id="addresses"
        ),
        pytest.param(
            b"References: " + b"".join(b"<%d@b> " % n for n in range(51)) + b"\n\n",
            "too_many_references",
            id="references",
        ),
        pytest.param(_deep(21), "mime_too_deep", id="depth"),
        pytest.param(_deep(2_000), "mime_too_deep", id="depth beyond any stack"),
        pytest.param(a_multipart(*[a_part(b"x")] * 200), "too_many_parts", id="parts"),
        pytest.param(a_multipart(*[a_part(b"x")] * 6_000), "too_many_parts", id="parts beyond patience"),
        pytest.param(
            b"Content-Type: message/rfc822\n\n" * 3_000 + b"Subject: x\n\n", "too_many_nested_messages", id="nested"
        ),
        pytest.param(a_multipart(*[a_part(b"x", "image/gif")] * 21), "too_many_attachments", id="attachments"),
        pytest.param(a_mail(b"x" * (15 * 1024 * 1024 + 1), Content_Type="image/gif"), "attachment_too_large", id="one"),
        pytest.param(
            a_multipart(*[a_part(b"x" * 14 * 1024 * 1024, "image/gif")] * 3), "attachments_too_large", id="all of them"
        ),
        pytest.param(a_mail(b"x" * 205_000), "text_too_long", id="text"),
        pytest.param(a_mail(b"x\n" * 2_001), "text_too_long", id="lines"),
        pytest.param(a_mail(b"x" * 300_000, Content_Type="text/html"), "html_too_long", id="html"),
        pytest.param(b"Subject: x\n\n" + b"x" * (50 * 1024 * 1024), "message_too_large", id="message"),
    ],
)
def test_what_lies_beyond_a_limit_is_left_out_and_said(raw: bytes, defect: str) -> None:
    mail = parse_mail(raw)
    assert defect in mail.defects
    assert defect in PARTIAL


def test_limits_keep_what_lies_within() -> None:
    mail = parse_mail(a_mail(b"line\n" * 3_000, References=" ".join(f"<{n}@b>" for n in range(60))))
    assert mail.plain == "line\n" * 1_999 + "line"
    assert mail.references == tuple(f"<{n}@b>" for n in range(10, 60))
    many = parse_mail(a_multipart(*[a_part(b"GIF", "image/gif")] * 21)).attachments
    assert [attachment.held_back for attachment in many] == [None] * 20 + ["too_many_attachments"]
    assert (many[19].data, many[20].data, many[20].size) == (b"GIF", b"", 3)


def test_two_mails_that_differ_beyond_a_limit_are_two_mails() -> None:
    parts = [a_part(b"x")] * 200
    one, other = (parse_mail(a_multipart(*parts, a_part(end))) for end in (b"a", b"b"))
    assert one.content_key != other.content_key
