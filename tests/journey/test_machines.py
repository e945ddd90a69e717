"""Stories of machines that answer machines: bounces find their message, loops stop, dead addresses are left alone."""

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

import pytest
import structlog

from mailbot import failpoints
from mailbot.cli.main import command
from mailbot.model.reading import Reading
from mailbot.sandbox.pool import ReadingFailedError
from mailbot.store import silenced
from mailbot.store.tables import MailRow, OutboxRow
from tests.journey.conftest import ShopBuilder
from tests.journey.mails import CANCEL, JANE, QUESTION, SHOP, a_bounce, a_mail, an_invoice, an_order
from tests.journey.shop import Shop


def silenced_addresses(shop: Shop) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = shop.look(
        lambda session: [(row.address, row.why) for row in silenced.all_silenced(session)]
    )
    return rows


@pytest.fixture(autouse=True)
def _no_log_file_of_the_command_line_is_left() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@pytest.fixture
def small_shop(a_shop: ShopBuilder) -> Shop:
    return a_shop(bounce_address="bounces@shop.example")


def returned(shop: Shop, status: str, said: str = "") -> bytes:
    """A report without any Message-ID of ours, which came back to the envelope sender of our last letter."""
    sender = shop.rows(OutboxRow)[-1].sender
    lines = [
        "Return-Path: <>",
        f"Delivered-To: {sender}",
        "From: MAILER-DAEMON@relay.example.net",
        f"To: {sender}",
        "Subject: failure notice",
        "Content-Type: text/plain",
        "",
        f"Hi. This is the mail program. {status} {said}",
        "",
    ]
    return "\r\n".join(lines).encode()


def test_a_bounce_that_names_no_message_is_tied_by_the_address_that_it_came_back_to(small_shop: Shop) -> None:
    shop = small_shop
    shop.sells(an_order(shop.clock.now))
    shop.answers(a_mail(CANCEL, invoice=an_invoice()))
    assert shop.rows(OutboxRow)[0].sender.startswith("bounces+")
    assert shop.answers(returned(shop, "550 5.1.1", "User unknown")) == []
    case = shop.case()
    assert (case["state"], case["escalation"]) == ("escalated", "bounced")
    assert silenced_addresses(shop) == [(JANE, "bounced")]


def test_a_dead_address_gets_no_more_automatic_mail_until_a_person_allows_it(small_shop: Shop) -> None:
    shop = small_shop
    shop.sells(an_order(shop.clock.now), an_order(shop.clock.now, "AW-10002"))
    letter = shop.answers(a_mail(CANCEL, invoice=an_invoice()))[0]
    shop.answers(a_bounce(letter.message_id, hard=True))
    other = CANCEL.replace("10001", "10002")
    assert shop.answers(a_mail(other, invoice=an_invoice("AW-10002"))) == []
    case = shop.case(2)
    assert (case["state"], case["escalation"], case["refund"]) == ("escalated", "address_silenced", None)
    assert shop.clock_of("reply", 2)["state"] == "open"
    command(["--config", str(shop.config), "mail", "allow", JANE], standalone_mode=False)
    assert silenced_addresses(shop) == []


@pytest.mark.parametrize(
    ("status", "said"),
    [("552 5.2.2", "mailbox full"), ("550 5.7.1", "rejected as spam"), ("421 4.4.1", "still trying to deliver")],
)
def test_an_address_whose_mailbox_is_full_or_strict_is_not_dead(small_shop: Shop, status: str, said: str) -> None:
    shop = small_shop
    shop.sells(an_order(shop.clock.now))
    shop.answers(a_mail(CANCEL, invoice=an_invoice()))
    shop.answers(returned(shop, status, said))
    assert silenced_addresses(shop) == []
    assert shop.case()["state"] == ("refund_due" if status.startswith("4") else "escalated")


def test_an_absence_notice_to_the_bounce_address_is_no_bounce(small_shop: Shop) -> None:
    shop = small_shop
    shop.sells(an_order(shop.clock.now))
    shop.answers(a_mail(CANCEL, invoice=an_invoice()))
    to = shop.rows(OutboxRow)[0].sender
    fields = {"Auto-Submitted": "auto-replied", "To": to, "Delivered-To": to, "Return-Path": f"<{JANE}>"}
    shop.answers(a_mail(QUESTION, fields=fields))
    assert shop.rows(MailRow)[-1].kind == "auto_reply"
    assert shop.case()["state"] == "refund_due"


def test_three_of_our_own_letters_in_an_hour_stop_mail_to_whoever_sends_them_back(small_shop: Shop) -> None:
    shop = small_shop
    shop.sells(an_order(shop.clock.now))
    letter = shop.answers(a_mail(CANCEL, invoice=an_invoice()))[0]
    for turn in range(3):
        assert silenced_addresses(shop) == []
        echo = a_mail(f"turn {turn}", message_id=letter.message_id, fields={"X-Turn": str(turn)})
        assert shop.answers(echo) == []
        shop.clock.forward(minutes=10)
    assert silenced_addresses(shop) == [(JANE, "looped")]
    case = shop.case()
    assert (case["state"], case["escalation"]) == ("escalated", "looped")
    assert shop.clock_of("reply")["state"] == "open"


def test_a_loop_over_hours_is_filed_and_no_alarm(small_shop: Shop) -> None:
    shop = small_shop
    shop.sells(an_order(shop.clock.now))
    letter = shop.answers(a_mail(CANCEL, invoice=an_invoice()))[0]
    for turn in range(4):
        shop.answers(a_mail(f"turn {turn}", message_id=letter.message_id))
        shop.clock.forward(minutes=40)
    assert silenced_addresses(shop) == []
    assert shop.case()["state"] == "refund_due"


def test_a_forger_of_our_mark_silences_nobody(small_shop: Shop) -> None:
    shop = small_shop
    for turn in range(4):
        shop.answers(a_mail(f"turn {turn}", fields={"X-Mailbot-Instance": shop.app.instance.name}))
    assert {row.kind for row in shop.rows(MailRow)} == {"loop"}
    assert silenced_addresses(shop) == []


def test_an_absence_notice_known_by_its_subject_alone_lets_the_clocks_run(small_shop: Shop) -> None:
    shop = small_shop
    shop.sells(an_order(shop.clock.now))
    shop.answers(a_mail(CANCEL, invoice=an_invoice()))
    assert shop.clock_of("reply")["state"] == "met"
    assert shop.answers(a_mail("I am away, but please hurry.", subject="Out of office: my order")) == []
    clocks = [clock["state"] for clock in shop.case()["deadlines"] if clock["kind"] == "reply"]
    assert "open" in clocks


def test_automatic_mail_of_known_customers_is_listed(small_shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    shop = small_shop
    shop.sells(an_order(shop.clock.now))
    fields = {"Auto-Submitted": "auto-generated"}
    shop.answers(a_mail(QUESTION, fields=fields), a_mail(QUESTION, sender="x@y.example", fields=fields))
    command(["--config", str(shop.config), "mail", "list", "--machines"], standalone_mode=False)
    out = capsys.readouterr().out
    assert JANE in out
    assert "x@y.example" not in out


def test_parked_mail_shows_reason_and_bytes_and_is_read_again(
    small_shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = small_shop
    shop.gets(b"\r\n", b"Subject: x\r\n\r\n\x1b[2J\x07\r\n")
    shop.poll()

    def run(*words: str) -> str:
        command(["--config", str(shop.config), "mail", *words], standalone_mode=False)
        return capsys.readouterr().out

    listed = run("list")
    assert "nothing in it to read" in listed
    assert listed.count(" parked  ") == 1
    shown = run("show", "2", "--raw")
    assert "\x1b" not in shown
    assert "\N{REPLACEMENT CHARACTER}[2J" in shown
    assert "read again" in run("requeue", "1", "--as", "ann")
    assert [row.state for row in shop.rows(MailRow)] == ["stored", "handled"]


def test_a_mail_that_cannot_be_read_three_times_is_parked(small_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop, sandbox, failed = small_shop, small_shop.app.judgement.sandbox, Future[Reading]()
    failed.set_exception(ReadingFailedError("a test"))
    submit, fails = sandbox.submit, iter(range(4))
    monkeypatch.setattr(sandbox, "submit", lambda *mail: submit(*mail) if next(fails, None) is None else failed)
    assert shop.answers(a_mail(QUESTION)) == []
    shop.poll()
    assert [(row.state, row.attempts, row.problem) for row in shop.rows(MailRow)] == [("parked", 3, "a test")]


class Killed(BaseException):
    """What a SIGKILL is here: nothing catches it."""


def test_a_mail_that_ends_the_process_costs_each_other_one_attempt(small_shop: Shop) -> None:
    shop = small_shop
    shop.gets(*(a_mail(QUESTION, sender=f"{name}@example.org") for name in ("deadly", "ann", "bob")))
    for at in (1, 1, 3):  # it is read first of all, alone, and last of all
        with killed_at_reading(at):
            shop.poll()
        shop.clock.forward(minutes=11)
    shop.poll()
    assert [(row.state, row.attempts) for row in shop.rows(MailRow)] == [("parked", 3), ("handled", 2), ("handled", 2)]


@contextmanager
def killed_at_reading(at: int) -> Iterator[None]:
    """End the pass when so many mails are to be read in it."""
    left = iter([*[False] * (at - 1), True])

    def reached(name: str, side: str) -> None:
        if (name, side) == ("mail.read", failpoints.BEFORE) and next(left):
            raise Killed

    failpoints.arm(reached)
    try:
        with pytest.raises(Killed):
            yield
    finally:
        failpoints.arm(None)


def test_our_letters_carry_every_outbound_mark(small_shop: Shop) -> None:
    shop = small_shop
    shop.sells(an_order(shop.clock.now))
    message = shop.answers(a_mail(CANCEL, invoice=an_invoice()))[0].message
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["X-Auto-Response-Suppress"] == "OOF, AutoReply"
    assert message["X-Mailbot-Instance"] == shop.app.instance.name
    assert message["To"] == JANE
    assert message["From"].endswith(f"<{SHOP}>")
