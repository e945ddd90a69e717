"""Which text of a mail is read, and what in it counts as new."""

import sys
from collections.abc import Callable
from functools import partial
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.model.reading import Body, SegmentKind
from mailbot.understand.body import MAX_BYTES, MAX_LINES, new_stretches, read_body

ATTRIBUTION = "On Wed, May 6, 2026 at 2:22 PM Shop <help@shop.example> wrote:"


def pieces(text: str) -> list[tuple[str, str]]:
    """Kind and text of every segment, outer blank lines left out."""
    body = read_body(text, None)
    return [(part.kind.value, body.text[part.start : part.end].strip("\n")) for part in body.segments]


def assert_whole(body: Body) -> None:
    places = [0, *(part.end for part in body.segments)]
    assert [part.start for part in body.segments] == places[:-1]
    assert places[-1] == len(body.text)


# --- which text is read


def test_plain_part_is_used_untouched() -> None:
    body = read_body("  Hi\n\n\tthere \n", "<p>Hi <i hidden>you</i></p>")
    assert (body.text, body.hidden) == ("  Hi\n\n\tthere \n", ())


@pytest.mark.parametrize("plain", [None, "", " \n\u00a0\n"], ids=["absent", "empty", "blank"])
def test_html_is_read_where_the_plain_part_says_nothing(plain: str | None) -> None:
    body = read_body(plain, "<p>I want a refund.</p><p style='display:none'>no</p>")
    assert (body.text, body.hidden) == ("I want a refund.", ("no",))


@pytest.mark.parametrize(
    "stub",
    [
        "Your e-mail program does not support HTML. Please use another one.",
        "To view this message, please use an HTML compatible email viewer!",
        "This is a multi-part message in MIME format.",
        "Ihr Programm zeigt kein HTML an.",
    ],
)
def test_html_is_read_where_the_plain_part_only_points_to_it(stub: str) -> None:
    assert read_body(stub, "<p>I want a refund.</p>").text == "I want a refund."


def test_stub_stays_where_the_html_shows_nothing() -> None:
    assert read_body("This is an HTML message", "<p hidden>x</p>").text == "This is an HTML message"


def test_long_plain_part_that_mentions_html_is_no_stub() -> None:
    plain = "My phone cannot display HTML. " + "The ring is too small. " * 20
    assert read_body(plain, "<p>Other</p>").text == plain


def test_mail_without_any_text_has_an_empty_body() -> None:
    assert read_body(None, None) == Body(text="", segments=())


# --- what is new


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("On 3 May I ordered a ring and you wrote: it will come.\nIt did not.", id="sentence with wrote"),
        pytest.param("On 3 May at 14:22 I wrote:\n\nCancel order 4711.\n\nNo answer.", id="speaks of himself"),
        pytest.param("On 3 May at 14:22 the courier wrote:\n\nDelivered.\n\nBut I got nothing!", id="tells of others"),
        pytest.param("On 3 May 2026 at 14:22 my wife <w@x.example> wrote:\n\nCancel.", id="speaks of his wife"),
        pytest.param("Meine Frau schrieb am 3. Mai 2026 um 14:22:\n\nBitte stornieren.", id="German, of his wife"),
        pytest.param("Refund to jane@x.example as PayPal wrote:\n\nYou must.\n\nThanks", id="address in a sentence"),
        pytest.param(
            "Dear shop,\n\nFrom: Jane\nTo: Service\nDate: 3 May 2026\nSubject: Return\n\nHi", id="letter head"
        ),
        pytest.param("From: Jane <j@x.example>\nSubject: Refund\n\nMessage Body:\nI want it.", id="contact form"),
        pytest.param("Look:\nFrom: Shenzhen\nTo: Rome\nDate: 3 May 2026 14:22\n\nNever came.", id="parcel's way"),
        pytest.param("Order: 4711\nDate: 3 May 2026\nReason: too small", id="list of facts"),
        pytest.param("I want a refund.\n--\nOrder 4711\nReason: too small", id="claim below two dashes"),
        pytest.param("I want a refund.\n-- \nOrder 4711", id="claim below the signature delimiter"),
        pytest.param("Hello\n--\nIt does not fit her finger at all, sadly.\nPlease help.", id="sentence below dashes"),
        pytest.param("-- \nI want my money.", id="nothing above the signature delimiter"),
        pytest.param("Hi\nSent from my phone, so no picture: order 4711, please refund.", id="claim in a footer"),
        pytest.param("Hi\nSent from my iPhone yesterday but it never went out.", id="sentence like a footer"),
        pytest.param("Hi\nSent from my desk.", id="no device"),
        pytest.param("Hi\nThis e-mail and any other about my refund stay unread!", id="claim like a legal notice"),
        pytest.param("Thanks\nJane Doe\n4711-2266", id="number below a name"),
        pytest.param("Thanks,\nJane", id="name"),
        pytest.param("Ring 30\n----\nNecklace 40\n====\nPlease cancel.", id="rules between lines"),
        pytest.param("Original message was lost.", id="sentence like a mark"),
        pytest.param(">From the start the ring was broken.\nRefund me.", id="From, escaped by a mailbox file"),
    ],
)
def test_what_a_customer_writes_stays_new(text: str) -> None:
    assert pieces(text) == [("new", text)]


def test_answers_between_quoted_lines_are_new() -> None:
    text = f"{ATTRIBUTION}\n> Which order?\n\n4711.\n\n> Why?\n\nToo small.\n"
    assert pieces(text) == [
        ("quote", f"{ATTRIBUTION}\n> Which order?"),
        ("new", "4711."),
        ("quote", "> Why?"),
        ("new", "Too small."),
    ]


def test_attribution_without_time_and_address_quotes_one_paragraph() -> None:
    text = "Hi\n\nOn May 6, 2026 you wrote:\n\nWe never take it back.\n\nBut your page says so."
    assert [kind for kind, _ in pieces(text)] == ["new", "quote", "new"]


def test_rule_above_a_header_block_belongs_to_the_quote() -> None:
    text = "Hi\n\n____________\n\nFrom: Shop\nSent: 6 May 2026 14:22\nTo: Jane\n\nHello"
    assert pieces(text)[1][1].startswith("____")


def test_forward_without_a_word_is_all_quote() -> None:
    text = "-------- Forwarded Message --------\nSubject: x\nDate: 6 May 2026 14:22\nFrom: a@b.example\n\nHello"
    assert pieces(text) == [("quote", text)]


# --- signatures


@pytest.mark.parametrize(
    "signature",
    [
        pytest.param("-- \nJane Doe\nAcme Ltd", id="delimiter"),
        pytest.param("-- \nJane Doe\n\nAcme Ltd\nwww.acme.example", id="delimiter, two paragraphs"),
        pytest.param("--\nJane Doe\n+44 20 7946 0000", id="delimiter without its space"),
        pytest.param("Best regards,\nJane Doe\nPhone: +44 20 7946 0000\nwww.acme.example", id="contact"),
        pytest.param("Mit freundlichen Grüßen\n\nJane Doe\nTel.: 030 123456", id="contact, German"),
        pytest.param("____________\nring-fans mailing list\nhttp://x.example/listinfo/ring-fans", id="mailing list"),
        pytest.param("This e-mail and any attachments are confidential.\nDelete it.", id="legal notice"),
        pytest.param("Diese E-Mail enthält vertrauliche Informationen.", id="legal notice, German"),
        pytest.param("Virus-free. www.avast.example", id="virus scanner"),
    ],
)
def test_signature_is_set_apart(signature: str) -> None:
    assert pieces(f"I want it.\n\n{signature}\n") == [("new", "I want it."), ("signature", signature)]


def test_sentences_below_a_signature_are_new() -> None:
    text = "I want it.\n\n-- \nJane\n\nOne more thing: it is the blue one that I meant.\n"
    assert [kind for kind, _ in pieces(text)] == ["new", "signature", "new"]


def test_signature_may_follow_a_quote() -> None:
    text = f"I want it.\n\n{ATTRIBUTION}\n> Hello\n\n-- \nJane\n"
    assert [kind for kind, _ in pieces(text)] == ["new", "quote", "signature"]


# --- HTML


def html_pieces(html: str) -> list[tuple[str, str]]:
    body = read_body(None, html)
    assert_whole(body)
    return [(part.kind.value, body.text[part.start : part.end].strip()) for part in body.segments]


def test_answer_between_blockquotes_is_new() -> None:
    html = (
        '<div>Hi</div><div class="gmail_quote"><div class="gmail_attr">On Wed, May 6, 2026 at 2:22 PM Shop wrote:<br>'
        '</div><blockquote class="gmail_quote">Which order?</blockquote><div>4711</div>'
        '<blockquote class="gmail_quote">Why?</blockquote><div>Too small</div></div>'
    )
    kinds = [(kind, text.split("\n")[-1]) for kind, text in html_pieces(html)]
    assert kinds == [
        ("new", "Hi"),
        ("quote", "Which order?"),
        ("new", "4711"),
        ("quote", "Why?"),
        ("new", "Too small"),
    ]


def test_words_typed_into_the_attribution_of_thunderbird_are_new() -> None:
    html = (
        '<div class="moz-cite-prefix">It is broken.<br><br>On 06/05/2026 14:22, Shop wrote:<br></div>'
        '<blockquote type="cite">Hello</blockquote>'
    )
    assert html_pieces(html)[0] == ("new", "It is broken.")


def test_header_block_of_outlook_quotes_to_the_end() -> None:
    html = (
        "<p class=MsoNormal>Hi</p><div style='border-top:solid 1pt'><p class=MsoNormal><b>From:</b> Shop<br>"
        "<b>Sent:</b> Wednesday, May 6, 2026 2:22 PM<br><b>To:</b> Jane<br><b>Subject:</b> ring</p></div><p>Yo</p>"
    )
    assert [kind for kind, _ in html_pieces(html)] == ["new", "quote"]


# --- limits and hostile text


def test_text_over_200_kb_is_cut_between_characters() -> None:
    body = read_body("\u20ac" * 100_000, None)
    assert (len(body.text), body.defects) == (MAX_BYTES // 3, ("text_cut_at_200_kb",))


def test_lines_over_2000_are_cut() -> None:
    body = read_body("x\n" * 100_000, None)
    assert (body.text.count("\n") + 1, body.defects) == (MAX_LINES, ("text_cut_at_2000_lines",))


def test_limits_of_the_html_are_told() -> None:
    assert read_body(None, "<i>x" * 10_001).defects == ("html_over_10000_tags",)


FRAGMENTS = [
    *("\n", " ", ">", "> x", "-- ", "--", "____", "On 3 May 2026 at 14:22, x <a@b.c> wrote:", "wrote:", "From: x"),
    *("Sent: 6 May 2026 14:22", "To: y", "Subject: Re: z", "Sent from my iPhone", "Regards,", "Tel: +1 234 567 890"),
    *("-----Original Message-----", "\u200f", "\u00a0", "\ud800", "\x00", "order 4711", "a@b.c", "<p>", "</p>", "\t"),
]


@given(st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=8), max_size=40).map("".join))
def test_segments_cover_any_text(text: str) -> None:
    body = read_body(text, None)
    assert body.text == text
    assert_whole(body)
    assert new_stretches(body) == tuple(
        (part.start, part.end) for part in body.segments if part.kind is SegmentKind.NEW
    )


def calls(work: Callable[[], object]) -> int:
    """How many functions run, those in C included."""
    count = 0

    def note(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


HOSTILE_LINES = [
    *(">", "On On On wrote:", "On 3 May 2026 x wrote:\n", "a@a 1:11 x:", "From: x", "To: x\nDate: 1:11", "x\n--", "__"),
    *("thanks\nwww.x.example", "Sent from x", "disclaimer", "1 a:", "", "On 3 May x wrote:\n\n\n\n", "---\n\n"),
]


@pytest.mark.parametrize("line", HOSTILE_LINES)
def test_work_grows_with_the_number_of_lines(line: str) -> None:
    read_body("warm up", None)
    once, twice = (calls(partial(read_body, f"{line}\n" * size, None)) for size in (300, 600))
    assert twice < 2.3 * once


@pytest.mark.parametrize("piece", ["On 1 a@a wrote: ", "1:11 ", "<a@b>", ": ", "\u00a0\u200b", "> ", "Sent from my "])
def test_one_long_line_costs_no_more_than_many_short_ones(piece: str) -> None:
    read_body("warm up", None)
    assert calls(lambda: read_body(piece * 20_000, None)) < calls(lambda: read_body(f"{piece}\n" * 500, None))
