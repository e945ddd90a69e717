"""Text and HTML of one mail: what differs in substance is told, what mail programs make of the same words is not."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from mailbot.inbound.mime import parse_mail
from mailbot.model.mail import MailKind
from mailbot.model.reading import PARTS_DIFFER, Reading
from mailbot.sandbox.examine import Examiner
from mailbot.sandbox.rules import request_bytes, rules_bytes
from mailbot.understand.beside import read_beside
from mailbot.understand.body import read_body
from tests.sandbox.test_pool import NOON, RULES

_READING: TypeAdapter[Reading] = TypeAdapter(Reading)
CANCEL = "Hello,\n\nplease cancel my order AW-10001. I changed my mind.\n\nJane"
RETURN = CANCEL.replace("cancel my order AW-10001", "refund my order AW-10001, I am sending it back")
PAGE = CANCEL.replace("\n", "<br>\n")


@pytest.fixture(scope="module")
def examiner() -> Examiner:
    """Give what reads mails by the tests' shop."""
    return Examiner(rules_bytes(RULES))


@pytest.fixture(scope="module")
def doubts(examiner: Examiner) -> Callable[[str, str], tuple[str, ...]]:
    """Give what is doubtful of a mail with this text and this HTML."""

    def of(text: str, html: str) -> tuple[str, ...]:
        raw = (
            "From: jane@example.org\nTo: support@shop.example\nSubject: My order\nMIME-Version: 1.0\n"
            "Content-Type: multipart/alternative; boundary=cut\n\n"
            f"--cut\nContent-Type: text/plain; charset=utf-8\n\n{text}\n"
            f"--cut\nContent-Type: text/html; charset=utf-8\n\n{html}\n--cut--\n"
        )
        return _READING.validate_json(examiner.examine(request_bytes(raw.encode(), NOON))).doubts

    return of


@pytest.mark.parametrize(
    ("text", "html"),
    [
        pytest.param(CANCEL, RETURN.replace("\n", "<br>"), id="cancel, and a return"),
        pytest.param(CANCEL, PAGE.replace("cancel", "do not cancel"), id="a denial"),
        pytest.param(CANCEL, PAGE.replace("10001", "10002"), id="another order"),
        pytest.param(CANCEL, PAGE.replace("AW-10001", "AW-10001 and AW-10002"), id="one order more"),
        pytest.param(CANCEL, PAGE.replace("changed my mind", "ordered it by mistake"), id="another reason"),
        pytest.param(RETURN, f"{RETURN}<p>I have worn it for a week.</p>", id="goods that were worn"),
        pytest.param(CANCEL, f"{PAGE}<p>Or could you exchange it for another size?</p>", id="a further wish"),
        pytest.param(CANCEL, "<p>What are your opening hours?</p>", id="something else"),
        pytest.param("What are your opening hours?", PAGE, id="a request in the HTML alone"),
        pytest.param(CANCEL, f"<p>Hello</p><div style='display:none'>{PAGE}</div>", id="a request that nobody sees"),
    ],
)
def test_html_that_says_something_else_is_a_doubt(
    text: str, html: str, doubts: Callable[[str, str], tuple[str, ...]]
) -> None:
    assert PARTS_DIFFER in doubts(text, html)


SIGNED = (
    f"{CANCEL}\n\n-- \nJane Miller\nT: +1 212 555 0100\n[cid:image001.png@01DA]\n"
    "www.millersons.example<https://www.millersons.example/>\n"
)
SIGNED_PAGE = (
    f"<p class=MsoNormal>{PAGE}</p><p>-- <br><b>Jane Miller</b><br>T: +1 212 555 0100</p>"
    "<img src='cid:image001.png@01DA'><p><a href='https://www.millersons.example/'>www.millersons.example</a></p>"
)
SOLD = "On Wed, May 6, 2026 at 2:22 PM Shop <help@shop.example> wrote:"
ANSWER = f"{CANCEL}\n\n{SOLD}\n\n> Thank you for your order AW-10999.\n> Returns within 7 days.\n"
ANSWER_PAGE = (
    f'<div dir="ltr">{PAGE}</div><br><div class="gmail_quote"><div class="gmail_attr">'
    f'{SOLD.replace("<", "&lt;").replace(">", "&gt;")}</div><blockquote class="gmail_quote">'
    '<a href="https://x.example">View in browser</a><table><tr><td>Thank you for your order <b>AW-10999</b>.</td></tr>'
    "<tr><td>Returns within 7 days. Unsubscribe</td></tr></table></blockquote></div>"
)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        pytest.param(CANCEL, PAGE, id="the same"),
        pytest.param(CANCEL.replace("cancel", "*cancel*"), PAGE.replace("cancel", "<b>cancel</b>"), id="bold"),
        pytest.param(CANCEL.replace(" I ", "\nI "), PAGE, id="wrapped"),
        pytest.param(SIGNED, SIGNED_PAGE, id="a signature with a picture and links"),
        pytest.param(ANSWER, ANSWER_PAGE, id="a quote in another form"),
        pytest.param(CANCEL, ANSWER_PAGE, id="a quote in the HTML alone"),
        pytest.param(
            f"View this mail in your browser: https://x.example/1\n\n{CANCEL}",
            f"<a href='https://x.example/1'>View this mail in your browser</a><p>{PAGE}<img src='https://x.example/t.gif'>",
            id="a link to a browser and a tracking picture",
        ),
        pytest.param(f"{CANCEL}\n\nSent from my iPhone", f"{PAGE}<div>Sent from my iPhone</div>", id="a phone"),
        pytest.param(CANCEL, "<html><body><img src='cid:1'></body></html>", id="no text in the HTML"),
        pytest.param("What are your opening hours?", "<p>When do you open?</p>", id="nothing for a machine in either"),
    ],
)
def test_the_same_in_another_form_is_no_doubt(
    text: str, html: str, doubts: Callable[[str, str], tuple[str, ...]]
) -> None:
    assert doubts(text, html) == doubts(text, "")


def test_a_text_and_html_with_the_same_words_are_not_read_twice() -> None:
    assert read_beside(ANSWER, ANSWER_PAGE, read_body(ANSWER, ANSWER_PAGE)) is None
    assert read_beside(CANCEL, None, read_body(CANCEL, None)) is None
    assert read_beside(None, PAGE, read_body(None, PAGE)) is None


DOUBTED = {"mikel_mail_error_emails_content_transfer_encoding_7-bit.eml"}
"""A newsletter, in which the text has a heading that its HTML shows as a picture."""


def test_mails_of_the_world_differ_hardly_ever(corpus: Callable[[str], Path], examiner: Examiner) -> None:
    tried, doubted = 0, set[str]()
    for path in (path for name in ("mime", "replies") for path in corpus(name).rglob("*") if path.is_file()):
        mail = parse_mail(path.read_bytes())
        if mail.plain and mail.html:
            reading = _READING.validate_json(examiner.examine(request_bytes(path.read_bytes(), NOON)))
            tried += reading.kind is MailKind.CUSTOMER
            doubted |= {path.name} if PARTS_DIFFER in reading.doubts else set()
    assert tried > 40
    assert doubted <= DOUBTED
