"""Stories of taking mail in: nothing is lost, nothing comes twice, and one poller works at a time (P1)."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from mailbot import journey
from mailbot.errors import RetryableError
from mailbot.model.mail import RawMail
from mailbot.ports import Folder, Listed, Mailbox
from mailbot.steps.app import App
from mailbot.store import leases
from mailbot.store.tables import CaseRow, FolderRow, LeaseRow, MailRow
from mailbot.store.transaction import open_engine, transaction
from tests.journey.conftest import ShopBuilder
from tests.journey.mails import CANCEL, JANE, QUESTION, a_mail, an_invoice, an_order
from tests.journey.shop import MORNING, Shop

_HOLDER = "import sys; from mailbot.store.leases import this_holder; print(this_holder(), flush=True); sys.stdin.read()"


@contextmanager
def another_process() -> Iterator[str]:
    """Run another process and give its name as a holder of leases."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


@dataclass(slots=True)
class Trouble:
    """What a server does wrong, and what it was asked.

    Attributes:
        withheld: it does not give the bytes of mails with one of these words in them.
        headers_fail, marks_fail: it fails when asked so.
        between: called when a batch of mails has been fetched and not yet stored.
    """

    withheld: tuple[bytes, ...] = ()
    headers_fail: bool = False
    marks_fail: bool = False
    marked: list[int] = field(default_factory=list)
    between: list[object] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class TroubledFolder:
    """A folder of a real server with trouble."""

    inner: Folder
    trouble: Trouble

    @property
    def uidvalidity(self) -> int:
        return self.inner.uidvalidity

    @property
    def can_wait(self) -> bool:
        return self.inner.can_wait

    def uids_after(self, uid: int) -> list[int]:
        return self.inner.uids_after(uid)

    def list_messages(self, uids: Sequence[int]) -> dict[int, Listed]:
        return self.inner.list_messages(uids)

    def fetch(self, listed: Sequence[Listed]) -> Iterator[RawMail]:
        for mail in self.inner.fetch(listed):
            withheld = any(word in (mail.data or b"") for word in self.trouble.withheld)
            yield replace(mail, data=None) if withheld else mail
        while self.trouble.between:
            happening = self.trouble.between.pop()
            assert callable(happening)
            happening()

    def fetch_header(self, listed: Listed) -> RawMail:
        mail = self.inner.fetch_header(listed)
        return replace(mail, data=None) if self.trouble.headers_fail else mail

    def mark_stored(self, uids: Sequence[int]) -> None:
        if self.trouble.marks_fail:
            raise RetryableError("the server is busy")
        self.trouble.marked += uids
        self.inner.mark_stored(uids)

    def wait(self, seconds: float) -> bool:
        return self.inner.wait(seconds)


@dataclass(frozen=True, slots=True)
class TroubledMailbox:
    """A mailbox on a real server with trouble."""

    inner: Mailbox
    trouble: Trouble

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def folder_name(self) -> str:
        return self.inner.folder_name

    def sent_ids(self, since: datetime) -> set[str]:
        return self.inner.sent_ids(since)

    @contextmanager
    def open(self) -> Iterator[Folder]:
        with self.inner.open() as folder:
            yield TroubledFolder(folder, self.trouble)


@contextmanager
def another_worker(shop: Shop, holder: str) -> Iterator[App]:
    """Give the same mailbot as another process sees it: its own connection to the database, its own name."""
    engine = open_engine(shop.app.settings.database.url)
    try:
        yield replace(shop.app, engine=engine, holder=holder)
    finally:
        engine.dispose()


def troubled(shop: Shop, trouble: Trouble) -> None:
    """Bring trouble to a shop's mail server."""
    shop.app = replace(shop.app, mailboxes=(TroubledMailbox(shop.app.mailboxes[0], trouble),))


def states(shop: Shop) -> list[tuple[str, str | None]]:
    return [(row.state, row.held) for row in shop.rows(MailRow)]


def test_a_remade_folder_brings_nothing_twice_and_unknown_old_mail_to_people(
    a_shop: ShopBuilder, servers: tuple[str, str, str]
) -> None:
    shop = a_shop(*servers, mailbox='folder = "Claims"')
    shop.account.make_folder("Claims")
    shop.sells(an_order(shop.clock.now), an_order(shop.clock.now, "AW-10002"), an_order(shop.clock.now, "AW-10003"))
    known = a_mail(CANCEL, invoice=an_invoice())
    unknown = a_mail(CANCEL.replace("10001", "10002"), invoice=an_invoice("AW-10002"))
    newer = a_mail(CANCEL.replace("10001", "10003"), invoice=an_invoice("AW-10003"))
    shop.account.append(known, shop.clock.now, "Claims")
    shop.poll()
    shop.account.remake_folder("Claims")
    shop.account.append(known, shop.clock.now, "Claims")
    shop.account.append(unknown, shop.clock.now - timedelta(hours=1), "Claims")
    shop.clock.forward(hours=1)
    shop.account.append(newer, shop.clock.now, "Claims")
    shop.poll()
    assert len({row.uidvalidity for row in shop.rows(FolderRow)}) == 2
    assert states(shop) == [
        ("handled", None),
        ("duplicate", "folder_was_remade"),
        ("handled", "folder_was_remade"),
        ("handled", None),
    ]
    assert len(shop.letters()) == 2
    assert [(case["order_number"], case["escalation"]) for case in shop.cases() if case["escalation"]] == [
        (None, "folder_was_remade")
    ]


def test_mail_from_before_the_shop_opened_is_left_to_people(shop: Shop) -> None:
    shop.sells(an_order(shop.clock.now))
    shop.account.deliver(a_mail(CANCEL, invoice=an_invoice()), MORNING - timedelta(hours=48, seconds=1))
    shop.account.deliver(a_mail(QUESTION, sender="b@a.example"), MORNING - timedelta(hours=47, minutes=59))
    assert shop.poll().stored == 2
    assert states(shop) == [("handled", "archive"), ("handled", None)]
    assert sorted(str(case["escalation"]) for case in shop.cases()) == ["archive", "other_topic"]
    assert shop.letters() == []


def test_a_shop_says_from_when_on_mail_is_answered(a_shop: ShopBuilder, servers: tuple[str, str, str]) -> None:
    shop = a_shop(*servers, answer_from="2026-03-10T10:00:00-04:00")
    shop.sells(an_order(shop.clock.now), an_order(shop.clock.now, "AW-10002"))
    shop.account.deliver(a_mail(CANCEL, invoice=an_invoice()), MORNING - timedelta(minutes=61))
    shop.account.deliver(
        a_mail(CANCEL.replace("10001", "10002"), invoice=an_invoice("AW-10002")), MORNING - timedelta(minutes=60)
    )
    shop.poll()
    assert [row.held for row in shop.rows(MailRow)] == ["archive", None]
    assert len(shop.letters()) == 1


def test_the_same_mail_by_another_uid_is_a_duplicate(shop: Shop) -> None:
    shop.sells(an_order(shop.clock.now))
    mail = a_mail(CANCEL, invoice=an_invoice(), message_id="<once@mail.example.org>")
    by_another_way = mail.replace(b"Received: from out", b"Received: from elsewhere by out; also from out")
    letters = shop.answers(mail, mail, by_another_way)
    assert (len(letters), len(shop.cases())) == (1, 1)
    assert [(row.state, row.duplicate_of) for row in shop.rows(MailRow)] == [
        ("handled", None),
        ("duplicate", 1),
        ("duplicate", 1),
    ]
    shop.clock.forward(days=2)
    assert shop.answers(mail) == []


def test_other_content_under_a_known_message_id_is_no_machine_s_business(shop: Shop) -> None:
    shop.sells(an_order(shop.clock.now), an_order(shop.clock.now, "AW-10002"))
    other = CANCEL.replace("10001", "10002")
    letters = shop.answers(
        a_mail(CANCEL, invoice=an_invoice(), message_id="<once@mail.example.org>"),
        a_mail(other, invoice=an_invoice("AW-10002"), message_id="<once@mail.example.org>"),
    )
    assert len(letters) == 1
    assert states(shop) == [("handled", None), ("handled", "message_id_conflict")]
    assert shop.case(2)["escalation"] == "message_id_conflict"


def test_mails_without_message_id_are_ordinary_mails(shop: Shop) -> None:
    shop.sells(an_order(shop.clock.now), an_order(shop.clock.now, "AW-10002"))
    letters = shop.answers(
        a_mail(CANCEL, invoice=an_invoice(), message_id=""),
        a_mail(CANCEL.replace("10001", "10002"), invoice=an_invoice("AW-10002"), message_id=""),
    )
    assert len(letters) == 2
    assert [letter.message["In-Reply-To"] for letter in letters] == [None, None]


def test_a_sweep_finds_what_slipped_in_under_the_counter(shop: Shop) -> None:
    shop.gets(a_mail(QUESTION, sender="b@a.example"), a_mail(CANCEL))
    shop.poll()
    with transaction(shop.app.engine) as session:  # as if the first had not been visible when the second was
        session.delete(session.get_one(MailRow, 1))
    assert shop.poll().stored == 0
    shop.clock.forward(minutes=59)
    assert shop.poll().stored == 0
    shop.clock.forward(minutes=2)
    assert shop.poll().stored == 1
    assert {row.uid for row in shop.rows(MailRow)} == shop.account.flags().keys()


def test_one_poller_has_the_lease_and_the_other_stands_back(shop: Shop) -> None:
    shop.gets(a_mail(QUESTION))
    with another_process() as holder, another_worker(shop, holder) as other:
        seen: list[journey.Passed] = []
        troubled(shop, Trouble(between=[lambda: seen.append(journey.poll(other))]))
        assert shop.poll().stored == 1
        assert [(passed.stored, passed.busy) for passed in seen] == [(0, ("support",))]


def test_a_lease_that_is_given_up_is_free_at_once(shop: Shop) -> None:
    with another_process() as holder, another_worker(shop, holder) as other:
        shop.poll()
        assert journey.poll(other).busy == ()


def test_a_dead_poller_s_lease_is_taken_over_at_once(shop: Shop) -> None:
    shop.gets(a_mail(QUESTION))
    with another_process() as holder:
        lease = LeaseRow(name="poll/support/INBOX", holder=holder, until=shop.clock.now + timedelta(hours=1), token=7)
        with transaction(shop.app.engine) as session:
            session.add(lease)
        assert journey.poll(shop.app).busy == ("support",)
    assert shop.poll().stored == 1
    assert [row.token for row in shop.rows(LeaseRow)] == [8]


def test_a_living_poller_s_lease_ends_when_it_is_not_renewed(shop: Shop) -> None:
    shop.gets(a_mail(QUESTION))
    with another_process() as holder:
        lease = LeaseRow(name="poll/support/INBOX", holder=holder, until=shop.clock.now + timedelta(minutes=5), token=7)
        with transaction(shop.app.engine) as session:
            session.add(lease)
        shop.clock.forward(minutes=5)
        assert journey.poll(shop.app).busy == ("support",)
        shop.clock.forward(seconds=1)
        assert shop.poll().stored == 1


def test_a_poller_that_was_overtaken_stores_nothing_more(shop: Shop) -> None:
    shop.gets(a_mail(QUESTION))
    with another_process() as holder, another_worker(shop, holder) as other:

        def overtake() -> None:
            shop.clock.forward(minutes=6)
            assert journey.receive(other, other.mailboxes[0]) == 1

        slow = replace(shop.app, mailboxes=(TroubledMailbox(shop.app.mailboxes[0], Trouble(between=[overtake])),))
        with pytest.raises(leases.LeaseLostError, match="taken over by another process"):
            journey.receive(slow, slow.mailboxes[0])
    assert len(shop.rows(MailRow)) == 1
    assert [(row.holder, row.token) for row in shop.rows(LeaseRow)] == [(holder, 2)]
    shop.poll()


def test_a_mail_that_is_too_large_keeps_its_header_and_goes_to_a_person(shop: Shop) -> None:
    shop.sells(an_order(shop.clock.now))
    shop.gets(a_mail(CANCEL + "\n" + ("x" * 75 + "\n") * 350_000), a_mail(QUESTION, sender="b@a.example"))
    shop.poll()
    small, large = sorted(shop.rows(MailRow), key=lambda row: row.size)
    assert (large.state, large.held, small.state, small.held) == ("handled", "too_large", "handled", None)
    assert large.size > 25 * 1024 * 1024
    cases = {case["escalation"]: case for case in shop.cases()}
    assert (cases["too_large"]["customer"], cases["too_large"]["subject"]) == (JANE, "My order")
    assert shop.letters() == []


def test_a_too_large_mail_whose_header_did_not_come_is_asked_for_its_header_again(a_shop: ShopBuilder) -> None:
    shop = a_shop("sqlite", "dovecot", "smtp_sink")
    shop.gets(a_mail(QUESTION + "\n" + ("x" * 75 + "\n") * 350_000))
    trouble = Trouble(headers_fail=True)
    troubled(shop, trouble)
    shop.poll()
    assert states(shop) == [("fetch_failed", "too_large")]
    trouble.headers_fail, trouble.withheld = False, (b"opening",)
    shop.clock.forward(minutes=3)
    shop.poll()
    assert states(shop) == [("handled", "too_large")]


def test_bytes_that_come_late_are_read_then(shop: Shop) -> None:
    shop.sells(an_order(shop.clock.now))
    trouble = Trouble(withheld=(b"cancel",))
    troubled(shop, trouble)
    shop.gets(a_mail(CANCEL, invoice=an_invoice()), a_mail(QUESTION, sender="b@a.example"))
    shop.poll()
    assert [row.state for row in shop.rows(MailRow)] == ["fetch_failed", "handled"]
    late, other = sorted(shop.account.flags())
    assert trouble.marked == [other]
    trouble.withheld = ()
    shop.clock.forward(minutes=1)
    assert shop.poll().handled == 0
    shop.clock.forward(minutes=1)
    assert shop.poll().handled == 1
    assert len(shop.letters()) == 1
    assert trouble.marked == [other, late]


def test_a_mail_whose_bytes_never_come_is_a_person_s_after_ten_tries(shop: Shop) -> None:
    troubled(shop, Trouble(withheld=(b"cancel",)))
    shop.gets(a_mail(CANCEL), a_mail(QUESTION, sender="b@a.example"))
    tries = 0
    while shop.rows(MailRow)[:1] == [] or shop.rows(MailRow)[0].state != "parked":
        tries += 1
        assert tries <= 10
        shop.poll()
        shop.clock.forward(hours=5)
    assert tries == 10
    parked = shop.rows(MailRow)[0]
    assert (parked.problem, parked.sha256) == ("the server never gave the message's bytes", None)
    assert [case["escalation"] for case in shop.cases()] == ["other_topic", "unreadable"]
    assert shop.poll().handled == 0


def test_a_mark_that_did_not_take_is_made_again(shop: Shop) -> None:
    trouble = Trouble(marks_fail=True)
    troubled(shop, trouble)
    shop.gets(a_mail(QUESTION))
    shop.poll()
    assert list(shop.account.flags().values()) == [set()]
    assert [row.marked_at for row in shop.rows(MailRow)] == [None]
    trouble.marks_fail = False
    shop.clock.forward(minutes=1)
    assert shop.poll().stored == 0
    assert list(shop.account.flags().values()) == [{"\\Seen"}]
    assert [row.marked_at for row in shop.rows(MailRow)] == [shop.clock.now]
    shop.poll()
    assert len(trouble.marked) == 1


def test_nothing_is_marked_that_is_not_stored(shop: Shop) -> None:
    class Killed(BaseException):
        """Nothing catches it, as nothing catches a kill."""

    def kill() -> None:
        raise Killed

    troubled(shop, Trouble(between=[kill]))
    shop.gets(a_mail(QUESTION))
    with pytest.raises(Killed):
        journey.poll(shop.app)
    assert (list(shop.account.flags().values()), shop.rows(MailRow)) == ([set()], [])
    assert shop.poll().stored == 1
    assert list(shop.account.flags().values()) == [{"\\Seen"}]


def test_stored_mail_is_moved_where_the_shop_wants_it(a_shop: ShopBuilder, servers: tuple[str, str, str]) -> None:
    shop = a_shop(*servers, mailbox='processed_folder = "Stored"')
    shop.sells(an_order(shop.clock.now))
    assert len(shop.answers(a_mail(CANCEL, invoice=an_invoice()))) == 1
    assert (shop.account.flags(), len(shop.account.flags("Stored"))) == ({}, 1)
    shop.clock.forward(hours=2)
    assert shop.poll().stored == 0


def test_a_mailbox_that_cannot_be_reached_does_not_keep_others_from_being_worked_on(shop: Shop) -> None:
    shop.sells(an_order(shop.clock.now))
    shop.gets(a_mail(CANCEL, invoice=an_invoice()))

    @dataclass(frozen=True, slots=True)
    class Gone(TroubledMailbox):
        @contextmanager
        def open(self) -> Iterator[Folder]:
            raise RetryableError("the server is not there")
            yield

    there = shop.app.mailboxes[0]
    shop.app = replace(shop.app, mailboxes=(Gone(there, Trouble()), there))
    passed = journey.poll(shop.app)
    assert (passed.failed, passed.sent) == (("the server is not there",), 1)
    shop.expected += 1


def test_a_server_without_uidvalidity_loses_no_mail_without_a_word(shop: Shop) -> None:
    """RFC 9051 §2.3.1.1 asks for one; a folder without may give its UIDs anew at any time."""

    @dataclass(frozen=True, slots=True)
    class WithoutFolder(TroubledFolder):
        @property
        def uidvalidity(self) -> int:
            return 0

    @dataclass(frozen=True, slots=True)
    class Without(TroubledMailbox):
        @contextmanager
        def open(self) -> Iterator[Folder]:
            with self.inner.open() as folder:
                yield WithoutFolder(folder, self.trouble)

    shop.app = replace(shop.app, mailboxes=(Without(shop.app.mailboxes[0], Trouble()),))
    shop.gets(a_mail(QUESTION))
    first = journey.poll(shop.app)
    with transaction(shop.app.engine) as session:  # as if the folder had been remade, and its UID had been another mail
        for row in session.scalars(select(MailRow)):
            row.received_at, row.size = row.received_at - timedelta(days=1), row.size + 1
            row.content_key, row.message_id = "0" * 64, "<another@mail.example.org>"
    shop.clock.forward(hours=2)
    second = journey.poll(shop.app)
    assert (first.failed and second.failed) or len(shop.rows(CaseRow)) == 2


def test_a_mail_stamped_in_the_future_starts_its_clock_when_it_was_seen(shop: Shop) -> None:
    shop.account.deliver(a_mail(QUESTION), shop.clock.now + timedelta(minutes=6))
    shop.account.deliver(a_mail(QUESTION, sender="b@a.example"), shop.clock.now + timedelta(minutes=4))
    shop.poll()
    started = {
        case["customer"]: datetime.fromisoformat(case["deadlines"][0]["due"]) - timedelta(hours=24)
        for case in shop.cases()
    }
    assert started == {JANE: MORNING, "b@a.example": MORNING + timedelta(minutes=4)}
