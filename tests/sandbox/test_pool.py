"""The limited child: what a reader that misbehaves comes to, and that no mail pays for another's."""

import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailbot.model.mail import MailKind
from mailbot.model.reading import PARTLY_READ
from mailbot.sandbox import pool
from mailbot.sandbox.pool import NoReaderError, ReadingFailedError, Sandbox
from mailbot.sandbox.rules import ReadingRules, parse_request, parse_rules, request_bytes, rules_bytes
from mailbot.sandbox.wire import FrameTooLongError, receive_frame, send_frame
from tests.hostile.mails import attached
from tests.servers.processes import wait_until

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
RULES = ReadingRules(
    order_number=r"AW-\d{5}",
    own_addresses=("support@shop.example",),
    instance="tests",
    authserv_ids=("mx.shop.example",),
    trust_unnamed_results=False,
    received_hosts=(),
    timezone="America/New_York",
)
SERVER = "import sys; sys.path[:] = {path!r}; from tests.sandbox.mischief import serve; serve({fd})"


def mail(subject: str) -> bytes:
    return f"From: jane@example.org\r\nTo: support@shop.example\r\nSubject: {subject}\r\n\r\nHello.\r\n".encode()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Give a pool of one child, whose reader does what a subject says."""
    with pytest.MonkeyPatch.context() as patch, Sandbox(RULES, children=1) as opened:
        patch.setattr(pool, "_SERVER", SERVER)
        opened.read(mail("Hello"), NOON)
        yield opened


@pytest.mark.parametrize(
    ("mischief", "why"),
    [
        ("memory", "needs more memory than a mail may"),
        ("crash", "the child ended"),
        ("work", "the child ended"),
        ("garbage", r"the answer is no reading \(\d+ faults\)"),
        ("long", "the child's answer was refused: a frame of"),
        ("half", "the child ended"),
        ("write", "OSError at mischief.py"),
        ("bug", "ValueError at mischief.py"),
        ("runs", "PermissionError at mischief.py"),
    ],
)
def test_a_reader_that_misbehaves_fails_its_mail_and_no_other(sandbox: Sandbox, mischief: str, why: str) -> None:
    pending = [sandbox.submit(mail(subject), NOON) for subject in ("Before", f"mischief: {mischief}", "Behind")]
    with pytest.raises(ReadingFailedError, match=f"^{why}") as failed:
        pending[1].result()
    assert "secret words" not in str(failed.value)
    assert [pending[at].result().subject for at in (0, 2)] == ["Before", "Behind"]


def test_a_file_that_takes_too_long_costs_its_mail_that_file_alone(sandbox: Sandbox) -> None:
    slow_pdf = attached(b"%PDF-1.7 mischief: slow", "application/pdf", "invoice.pdf")
    slow_page = mail("Hello").replace(b"\r\n\r\n", b"\r\nContent-Type: text/html\r\n\r\n<b>mischief: slow</b> ")
    with_pdf, with_page = sandbox.read(slow_pdf, NOON), sandbox.read(slow_page, NOON)
    child = sandbox._idle.get_nowait()
    sandbox._idle.put(child)
    assert [invoice.unreadable for invoice in with_pdf.invoices] == ["the PDF takes too long to read"]
    assert (with_page.body.text, with_page.defects) == ("mischief: slow Hello.", ("html_over_2_s",))
    assert (with_pdf.doubts, with_page.doubts) == ((), (PARTLY_READ,))
    assert child.mails >= 2  # the same child read both


def test_a_reader_that_says_nothing_is_ended(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_WALL_SECONDS", 0.2)
    with pytest.raises(ReadingFailedError, match="took longer than"):
        sandbox.read(mail("mischief: stall"), NOON)
    monkeypatch.undo()
    assert sandbox.read(mail("Hello"), NOON).kind is MailKind.CUSTOMER


def test_the_child_has_no_secrets_no_network_and_little_of_everything(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILBOT_IMAP_PASSWORD", "open-sesame")
    told = json.loads(sandbox.read(mail("mischief: told"), NOON).subject)
    assert not [name for name in told["environment"] if name != "LC_CTYPE"]  # Python itself sets that one
    assert told["folder"] == "/"
    assert told["limits"] == {"AS": 768 * 1024 * 1024, "FSIZE": 50 * 1024 * 1024, "NOFILE": 64, "CORE": 0}
    assert told["network"] is not sandbox.is_cut_off
    assert told["files"].count("socket") <= 2
    assert told["parent"] != os.getpid()


def test_a_child_reads_a_hundred_mails_and_is_replaced(sandbox: Sandbox) -> None:
    sandbox.read(mail("Hello"), NOON)
    first = sandbox._idle.get_nowait()
    sandbox._idle.put(first)
    for _ in range(100 - first.mails):
        sandbox.read(mail("Hello"), NOON)
    assert sandbox._idle.empty()
    sandbox.read(mail("Hello"), NOON)
    second = sandbox._idle.get_nowait()
    sandbox._idle.put(second)
    assert second.pid != first.pid


def test_a_child_that_was_killed_between_mails_costs_one_try_at_most(sandbox: Sandbox) -> None:
    sandbox.read(mail("Hello"), NOON)
    idle = sandbox._idle.get_nowait()
    os.kill(idle.pid, signal.SIGKILL)
    sandbox._idle.put(idle)
    pending = sandbox.submit(mail("Hello"), NOON)
    assert isinstance(pending.exception(), ReadingFailedError | None)
    assert sandbox.read(mail("Hello"), NOON).subject == "Hello"


def test_a_server_that_was_killed_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_SERVER", SERVER)
    with Sandbox(RULES, children=1) as sandbox:
        sandbox.read(mail("Hello"), NOON)
        assert sandbox._server is not None
        sandbox._server.kill()
        sandbox._server.wait()
        sandbox._idle.get_nowait().talk.close()
        assert sandbox.read(mail("Hello"), NOON).subject == "Hello"


@pytest.mark.parametrize(
    "server", ["raise SystemExit(1)", "import os, {path!r} as nothing, {fd} as never", "import time; time.sleep(0.1)"]
)
def test_a_reader_that_does_not_start_is_no_mail_s_fault(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_SERVER", server)
    with Sandbox(RULES, children=1) as sandbox, pytest.raises(NoReaderError):
        sandbox.read(mail("Hello"), NOON)


def test_a_machine_that_starts_no_process_is_no_mail_s_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with Sandbox(RULES, children=1) as sandbox, pytest.raises(NoReaderError):
        sandbox.read(mail("Hello"), NOON)


def test_several_children_read_at_the_same_time_and_none_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_SERVER", SERVER)
    with Sandbox(RULES, children=2) as sandbox:
        answers = [sandbox.submit(mail(f"Number {at}"), NOON) for at in range(20)]
        assert [answer.result().subject for answer in answers] == [f"Number {at}" for at in range(20)]
        children = [sandbox._idle.get_nowait() for _ in range(2)]
        for child in children:
            sandbox._idle.put(child)
        assert sandbox._server is not None
        pids = [sandbox._server.pid, *(child.pid for child in children)]
    wait_until(lambda: not any(Path(f"/proc/{pid}/stat").exists() for pid in pids), "the end of every child")


def test_a_pool_that_ends_answers_what_it_has_begun_and_drops_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_SERVER", SERVER)
    of_others = set(threading.enumerate())
    with Sandbox(RULES, children=1) as sandbox:
        answers = [sandbox.submit(mail(f"Number {at}"), NOON) for at in range(50)]
        answers[0].result()
    for answer in answers:
        if not answer.cancelled():
            assert answer.result().kind is MailKind.CUSTOMER
    with pytest.raises(CancelledError):
        answers[-1].result()
    assert not [thread for thread in set(threading.enumerate()) - of_others if thread.name.startswith("sandbox")]


def test_rules_and_requests_come_to_the_child_as_they_were_sent() -> None:
    assert parse_rules(rules_bytes(RULES)) == RULES
    assert parse_request(request_bytes(b"\0raw\xff", NOON)) == (b"\0raw\xff", NOON)


def test_frames_are_whole_or_refused() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        send_frame(ours, b"one")
        send_frame(ours, b"")
        send_frame(ours, b"x" * 11)
        assert receive_frame(theirs, 10) == b"one"
        assert receive_frame(theirs, 10) == b""
        with pytest.raises(FrameTooLongError, match="11 bytes, 10 at most"):
            receive_frame(theirs, 10)
    ours, theirs = socket.socketpair()
    with theirs:
        with ours:
            ours.sendall((5).to_bytes(4, "big") + b"half")
        with pytest.raises(ConnectionError, match="in the middle of a frame"):
            receive_frame(theirs, 10)
        assert receive_frame(theirs, 10) is None
