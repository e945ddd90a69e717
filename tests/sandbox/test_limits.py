"""Limits of the child that reads mails, and of what it brings for people to see: each reached from both sides."""

import signal
import socket
from collections.abc import Callable
from dataclasses import replace

import pytest
from pydantic import TypeAdapter

from mailbot.model.reading import ORDER_NUMBER_SLOW, PARTLY_READ, Reading
from mailbot.sandbox import in_time, pool
from mailbot.sandbox.examine import Examiner
from mailbot.sandbox.pages import UndrawnError, draw
from mailbot.sandbox.pool import ReadingFailedError, Sandbox
from mailbot.sandbox.rules import request_bytes, rules_bytes
from mailbot.sandbox.safe_html import sanitised
from mailbot.sandbox.server import _LONGEST_REQUEST
from mailbot.sandbox.wire import FrameTooLongError, receive_frame
from mailbot.understand.unreadable import UnreadableError
from tests.hostile.mails import a_pdf, attached
from tests.sandbox.test_pool import NOON, RULES

_READING: TypeAdapter[Reading] = TypeAdapter(Reading)
REFUSED = "too large or too deep to be shown"


@pytest.mark.parametrize(
    ("within", "beyond"),
    [
        pytest.param("a" * 262_144, "a" * 262_145, id="characters"),
        pytest.param("<b>x</b>" * 5_000, "<b>x</b>" * 5_001, id="tags"),
        pytest.param("<div>" * 200 + "x", "<div>" * 201 + "x", id="depth"),
    ],
)
def test_html_beyond_a_limit_is_not_sanitised(within: str, beyond: str) -> None:
    assert REFUSED not in sanitised(within)
    assert REFUSED in sanitised(beyond)


@pytest.mark.parametrize(
    ("within", "beyond"),
    [
        pytest.param((a_pdf(b"") + bytes(14_000_000), 1), (a_pdf(b"") + bytes(15_000_000), 1), id="bytes"),
        pytest.param((a_pdf(b"", pages=21), 20), (a_pdf(b"", pages=21), 21), id="pages"),
    ],
)
def test_a_file_beyond_a_limit_is_not_drawn(within: tuple[bytes, int], beyond: tuple[bytes, int]) -> None:
    pages, png = draw(*within, 50)
    assert (pages <= 20, png[:4]) == (True, b"\x89PNG")
    with pytest.raises(UndrawnError):
        draw(*beyond, 50)


def test_an_answer_beyond_what_people_may_be_shown_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = attached(bytes(100_000), "application/zip")
    with Sandbox(RULES, children=1) as sandbox:
        path = sandbox.read(raw, NOON).attachments[0].path
        for most, part in ((200_000, bytes(100_000)), (100_000, None)):
            monkeypatch.setattr(pool, "_LONGEST_SHOWN", most)
            if part is None:
                with pytest.raises(ReadingFailedError, match=f"{most} at most"):
                    sandbox.take_part(raw, path)
            else:
                shown = sandbox.take_part(raw, path)
                assert shown is not None
                assert shown.data == part


def test_a_request_beyond_its_limit_is_refused() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall((_LONGEST_REQUEST + 1).to_bytes(4, "big"))
        with pytest.raises(FrameTooLongError):
            receive_frame(theirs, _LONGEST_REQUEST)


def read_in(examiner: Examiner, body: bytes) -> Reading:
    head = b"From: jane@example.org\r\nTo: support@shop.example\r\nSubject: x\r\n"
    return _READING.validate_json(examiner.examine(request_bytes(head + body, NOON)))


def test_a_mail_beyond_a_count_is_a_person_s_or_is_read_in_part() -> None:
    numbers = [b"AW-%05d" % at for at in range(1, 202)]
    hidden = b"".join(b"<p hidden>%d %s</p><p>x</p>" % (at, b"y" * 300) for at in range(25))
    names = b"".join(b"--b\r\nContent-Type: image/png; name=AW-%05d.png\r\n\r\nx\r\n" % (at + 1) for at in range(25))
    child = Examiner(rules_bytes(RULES))
    within, beyond = (read_in(child, b"\r\n" + b" ".join(numbers[:count])) for count in (200, 201))
    listed = read_in(child, b"Content-Type: text/html\r\n\r\n" + hidden)
    named = read_in(child, b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + names + b"--b--\r\n")
    assert (len(within.order_numbers), PARTLY_READ in within.doubts) == (200, False)
    assert (len(beyond.order_numbers), PARTLY_READ in beyond.doubts) == (201, True)
    quotes = [span.quote for span in listed.spans if span.fact == "hidden_text"]
    assert (len(quotes), {len(quote) for quote in quotes}) == (20, {200})
    assert len(named.order_numbers) == 20


def never(_: object) -> None:
    """Work without an end."""
    while True:
        pass


@pytest.mark.parametrize(
    ("limit", "step", "read", "given"),
    [
        pytest.param("PDF", "read_pdf", in_time.READERS.pdf, b"", id="PDF"),
        pytest.param("PAGE", "read_html", in_time.READERS.page, "<b>x</b>", id="HTML"),
    ],
)
def test_a_step_without_end_is_left_and_no_clock_goes_on(
    limit: str, step: str, read: Callable[[object], object], given: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_time, f"_MOST_SECONDS_A_{limit}", 0.02)
    before = read_or_refused(read, given)
    monkeypatch.setattr(in_time, step, never)
    handler = signal.getsignal(signal.SIGPROF)
    assert (before, read_or_refused(read, given)) in {
        ("the PDF is damaged", "the PDF takes too long to read"),
        ((), ("html_over_2_s",)),
    }
    assert (signal.getitimer(signal.ITIMER_PROF), signal.getsignal(signal.SIGPROF)) == ((0.0, 0.0), handler)


def read_or_refused(read: Callable[[object], object], given: object) -> object:
    """Give why a file is unreadable, or which limits it met."""
    try:
        return getattr(read(given), "defects")  # noqa: B009 (only pages have any)
    except UnreadableError as refusal:
        return str(refusal)


def test_a_pattern_of_the_owner_s_that_takes_too_long_leaves_the_mail_to_a_person() -> None:
    slow = Examiner(rules_bytes(replace(RULES, order_number=r"[A-Z]{1,60}[A-Z]{1,60}-\d{5}")))
    letters = b"\r\n".join([b"ABCDEFGHIJ " * 6] * 500)
    within, beyond = read_in(slow, b"\r\nAW-10231. Hello."), read_in(slow, b"\r\nAW-10231. " + letters)
    assert ([number.number for number in within.order_numbers], ORDER_NUMBER_SLOW in within.doubts) == (
        ["AW-10231"],
        False,
    )
    assert (beyond.order_numbers, beyond.doubts[-2:]) == ((), (ORDER_NUMBER_SLOW, PARTLY_READ))
