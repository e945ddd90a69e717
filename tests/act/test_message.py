import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mailbot.act.message import UnsafeHeaderError, compose, is_own_message_id, new_message_id
from mailbot.act.phrases import clean
from mailbot.act.reply import Reply

KEY = b"a key of this installation alone"
OWN_ID = new_message_id(KEY, "RF-000123", "abc123", "shop.example")
LONG_ID = f"<{'x' * 235}@mail.example>"


def a_reply(
    *, subject: str = "Re: My ring", text: str = "Hello,\n\nthank you.\n", html: str = "<p>Hello</p>\n"
) -> Reply:
    return Reply(template="received", language="en", subject=subject, text=text, html=html)


def composed(reply: Reply | None = None, **other: Any) -> bytes:
    arguments: dict[str, Any] = {
        "message_id": OWN_ID,
        "sent_at": datetime(2026, 3, 10, 9, 0, tzinfo=UTC),
        "from_name": "Aurelia & Wren",
        "from_address": "support@shop.example",
        "to": "jane@example.org",
        "in_reply_to": "<parent@mail.example>",
        "references": ["<first@mail.example>", "<parent@mail.example>"],
        "instance": "5f2c",
    }
    return compose(reply or a_reply(), **(arguments | other))


def parsed(data: bytes) -> Message:
    return message_from_bytes(data)


def ids(data: bytes) -> list[str]:
    return str(parsed(data)["References"] or "").split()


def parts(data: bytes) -> dict[str, str]:
    texts = {}
    for part in parsed(data).walk():
        content = part.get_payload(decode=True)
        if isinstance(content, bytes):
            texts[part.get_content_type()] = content.decode("utf-8").replace("\r\n", "\n")
    return texts


def test_a_message_has_every_header_once() -> None:
    message = parsed(composed())
    assert {name: str(value) for name, value in message.items() if name != "Content-Type"} == {
        "From": '"Aurelia & Wren" <support@shop.example>',
        "To": "jane@example.org",
        "Subject": "Re: My ring",
        "Date": "Tue, 10 Mar 2026 09:00:00 +0000",
        "Message-ID": OWN_ID,
        "In-Reply-To": "<parent@mail.example>",
        "References": "<first@mail.example>\r\n <parent@mail.example>",
        "Auto-Submitted": "auto-replied",
        "X-Auto-Response-Suppress": "OOF, AutoReply",
        "X-Mailbot-Instance": "5f2c",
        "MIME-Version": "1.0",
    }
    assert len(message.keys()) == 12
    assert message.get_content_type() == "multipart/alternative"
    assert message.defects == []


def test_a_persons_message_carries_no_marks_of_a_machine() -> None:
    message = parsed(composed(by_person=True))
    assert message["Auto-Submitted"] is None
    assert message["X-Auto-Response-Suppress"] is None
    assert message["X-Mailbot-Instance"] == "5f2c"


def test_the_same_arguments_give_the_same_bytes() -> None:
    assert composed() == composed()


def test_the_text_comes_before_the_html() -> None:
    assert list(parts(composed())) == ["text/plain", "text/html"]


def test_every_line_ends_in_crlf_and_is_seven_bit() -> None:
    data = composed(a_reply(subject="Grüße", text="Grüße\n" + "x" * 2000 + "\n", html="<p>" + "é" * 2000 + "</p>"))
    assert data.isascii()
    assert re.search(rb"(?<!\r)\n|\r(?!\n)", data) is None
    assert max(map(len, data.split(b"\r\n"))) <= 998


@given(st.text(max_size=300), st.text(max_size=300))
@settings(max_examples=150)
@example("a  b\n\n.\n..\nFrom x\n--=_\nend", "<p>\n  \n</p>=3D=\n")
@example("x" * 3000, "é" * 3000)
@example("trailing \n\ttab\t\n", "=?utf-8?q?x?=\n")
def test_texts_arrive_as_they_were_written(text: str, html: str) -> None:
    text, html = (re.sub("[\r\x00\ud800-\udfff]", "", content) + "\n" for content in (text, html))
    assert parts(composed(a_reply(text=text, html=html))) == {"text/plain": text, "text/html": html}


@given(st.text(max_size=150), st.text(max_size=60))
@settings(max_examples=200)
@example("Re: " + "wort " * 29, "Müller & Söhne")
@example("=?utf-8?b?DQpCY2M6IHg=?= literally", 'Quote " and \\ and <x@y>')
@example("日本語の件名" * 20, "=?utf-8?q?x?=")
@example("\U0001f48d" * 37, "a" * 120)
@example("x" * 150, "")
def test_subject_and_name_arrive_as_they_were_meant(subject: str, name: str) -> None:
    data = composed(a_reply(subject=subject), from_name=name)
    message = parsed(data)
    assert str(make_header(decode_header(re.sub("\r\n ", " ", message["Subject"])))) == clean(subject)
    shown, _, address = re.sub("\r\n ", " ", message["From"]).rpartition(" ")
    assert address.strip("<>") == "support@shop.example"
    if shown.startswith('"'):
        assert re.sub(r"\\(.)", r"\1", shown[1:-1]) == clean(name)
    else:
        assert str(make_header(decode_header(shown))) == clean(name)
    assert len(message.keys()) == 12


@pytest.mark.parametrize(
    "subject", ["Re: " + "word " * 29, "Re: " + "Wörter " * 20, "日本語の件名" * 24], ids=["ASCII", "letters", "signs"]
)
def test_long_subjects_are_folded(subject: str) -> None:
    head = composed(a_reply(subject=subject), from_name="Müller und Söhne, Goldschmiede").split(b"\r\n\r\n")[0]
    assert max(map(len, head.split(b"\r\n"))) <= 78


@pytest.mark.parametrize(
    "to",
    [
        pytest.param("a@b.example, c@d.example", id="two recipients"),
        pytest.param("a@b.example\r\nBcc: c@d.example", id="a smuggled field"),
        pytest.param("a@b.example\n", id="a line feed at the end"),
        pytest.param("Jane <a@b.example>", id="a display name"),
        pytest.param('"a b"@c.example', id="a quoted local part"),
        pytest.param("a@[192.0.2.1]", id="an address literal"),
        pytest.param("a.@b.example", id="an empty atom"),
        pytest.param("=?utf-8?q?a?=@b.example", id="an encoded word"),
        pytest.param("jané@b.example", id="letters that are not ASCII"),
        pytest.param("a@" + "b" * 260, id="too long"),
        pytest.param("group:;", id="a group"),
        pytest.param("", id="nobody"),
    ],
)
def test_anything_but_one_plain_recipient_is_refused(to: str) -> None:
    with pytest.raises(UnsafeHeaderError):
        composed(to=to)


@pytest.mark.parametrize(
    "other",
    [
        {"message_id": "<a b@c>"},
        {"message_id": OWN_ID + "\r\nBcc: x@y.example"},
        {"from_address": "support@shop.example, x@y.example"},
        {"instance": "a\r\nBcc: x@y.example"},
        {"instance": "a\u2028b"},
    ],
    ids=str,
)
def test_no_argument_smuggles_in_a_field(other: dict[str, Any]) -> None:
    with pytest.raises(UnsafeHeaderError):
        composed(**other)


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param("parent@mail.example", id="no brackets"),
        pytest.param("<>", id="nothing inside"),
        pytest.param("<a@>", id="no right side"),
        pytest.param("<a@b", id="one bracket"),
        pytest.param("<a b@c>", id="a space"),
        pytest.param("<a@b>\r\nBcc: x@y.example", id="a smuggled field"),
        pytest.param("<a@b><c@d>", id="two at once"),
        pytest.param("<=?utf-8?q?a?=@b>", id="an encoded word"),
        pytest.param("<é@b>", id="letters that are not ASCII"),
        pytest.param(f"<{'x' * 250}@b>", id="too long"),
    ],
)
def test_an_ill_formed_id_is_left_out(bad: str) -> None:
    data = composed(in_reply_to=bad, references=[bad, "<first@mail.example>", bad])
    assert parsed(data)["In-Reply-To"] is None
    assert ids(data) == ["<first@mail.example>"]


@pytest.mark.parametrize(
    ("references", "parent", "thread"),
    [
        pytest.param([], None, [], id="a first letter"),
        pytest.param([], "<p@m>", ["<p@m>"], id="an answer to a first mail"),
        pytest.param(["<a@m>", "<b@m>"], "<p@m>", ["<a@m>", "<b@m>", "<p@m>"], id="a thread"),
        pytest.param(["<p@m>", "<a@m>"], "<p@m>", ["<a@m>", "<p@m>"], id="the parent is last, and once"),
        pytest.param([LONG_ID], "<p@m>", [LONG_ID, "<p@m>"], id="an id longer than a line"),
        pytest.param(
            [f"<{number}@m>" for number in range(200)],
            "<p@m>",
            ["<0@m>", *(f"<{number}@m>" for number in range(152, 200)), "<p@m>"],
            id="a long thread keeps its first and its latest",
        ),
    ],
)
def test_references_are_the_parents_and_the_parent(references: Sequence[str], parent: str, thread: list[str]) -> None:
    assert ids(composed(references=references, in_reply_to=parent)) == thread


class TestMessageIds:
    def test_are_known_again_by_their_key(self) -> None:
        assert is_own_message_id(KEY, OWN_ID)
        assert not is_own_message_id(b"another key", OWN_ID)

    def test_carry_the_case_and_at_least_80_bits_that_nobody_can_guess(self) -> None:
        match = re.fullmatch(r"<RF-000123\.abc123\.([a-z2-7]+)@shop\.example>", OWN_ID)
        assert match is not None
        assert len(match[1]) * 5 >= 80

    @pytest.mark.parametrize(
        "forged",
        [
            OWN_ID.replace("RF-000123", "RF-000124"),
            OWN_ID.replace("abc123", "abc124"),
            OWN_ID.replace(OWN_ID.split(".")[2][:20], "a" * 20),
            OWN_ID.strip("<>"),
            OWN_ID + " ",
            f"x{OWN_ID}",
            "<@>",
            "",
            "<" + "a" * 100_000 + ".b@c>",
        ],
        ids=lambda forged: forged[:40],
    )
    def test_cannot_be_forged(self, forged: str) -> None:
        assert not is_own_message_id(KEY, forged)

    @given(st.text(max_size=80))
    @settings(max_examples=100)
    def test_of_strangers_raise_nothing(self, message_id: str) -> None:
        assert not is_own_message_id(KEY, message_id)

    def test_are_known_under_a_new_domain_of_the_shop(self) -> None:
        assert is_own_message_id(KEY, new_message_id(KEY, "RF-1", "n", "new.shop.example"))
