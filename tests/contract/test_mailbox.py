"""What every ``Mailbox`` promises, held against each server that there is."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from threading import Thread

import pytest

from mailbot.errors import PermanentError, RetryableError
from mailbot.inbound.imap import ImapMailbox
from mailbot.ports import Folder, Listed, Mailbox
from tests.servers.accounts import Account
from tests.servers.relay import relay

MORNING = datetime(2026, 3, 6, 9, 30, tzinfo=timezone(timedelta(hours=-5)))
MAIL = b"From: jane@example.org\r\nSubject: Refund\r\n\r\nPlease refund AW-10231.\r\n"


@pytest.fixture(params=["pymap", "dovecot"])
def account(request: pytest.FixtureRequest) -> Account:
    """Give a fresh account on each server in turn."""
    fresh: Account = request.getfixturevalue(request.param).new_account()
    return fresh


@pytest.fixture
def dovecot_account(request: pytest.FixtureRequest) -> Account:
    """Give a fresh account on Dovecot, for what pymap cannot do."""
    fresh: Account = request.getfixturevalue("dovecot").new_account()
    return fresh


@pytest.fixture
def folder(account: Account) -> Iterator[Folder]:
    """Give the account's open INBOX."""
    with ImapMailbox(account.settings()).open() as opened:
        yield opened


def look(folder: Folder) -> dict[int, Listed]:
    return folder.list_messages(folder.uids_after(0))


def test_a_mailbox_knows_its_name_and_folder_before_it_connects(account: Account) -> None:
    mailbox: Mailbox = ImapMailbox(account.settings(port=1, folder="Returns"))
    assert (mailbox.name, mailbox.folder_name) == ("support", "Returns")


def test_a_fresh_folder_is_empty_and_has_a_uidvalidity(folder: Folder) -> None:
    assert folder.uids_after(0) == []
    assert folder.uidvalidity > 0
    assert folder.list_messages([]) == {}
    assert list(folder.fetch([])) == []


def test_uids_come_ascending_and_only_those_above_the_last(account: Account, folder: Folder) -> None:
    uids = [account.append(MAIL, MORNING) for _ in range(3)]
    assert folder.uids_after(0) == sorted(uids)
    assert folder.uids_after(uids[0]) == uids[1:]


def test_nothing_is_above_the_last_uid_though_a_star_always_answers_with_the_last(
    account: Account, folder: Folder
) -> None:
    last = account.append(MAIL, MORNING)
    assert folder.uids_after(last) == []
    assert folder.uids_after(last + 1000) == []


def test_a_message_is_listed_with_size_and_the_mailbox_s_own_date(account: Account, folder: Folder) -> None:
    uid = account.append(MAIL, MORNING)
    listed = look(folder)[uid]
    assert (listed.uid, listed.size) == (uid, len(MAIL))
    assert listed.received_at == MORNING
    assert listed.received_at.tzinfo is not None


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(MAIL, id="plain"),
        pytest.param(b"Subject: \xff\xfe\r\n\r\n\x80\x01\x1b \xe2\x82\xac\r\n", id="8-bit and control characters"),
        pytest.param(b"Subject: none\r\n\r\n", id="no body"),
        pytest.param(b"Subject: x\r\n\r\n)\r\n* 1 FETCH (BODY[] {3}\r\n", id="IMAP in the body"),
        pytest.param(b"Subject: long\r\n\r\n" + b"x" * 70_000 + b"\r\n", id="one very long line"),
        pytest.param(b"Subject: end\r\n\r\nno line end", id="no line end at the end"),
    ],
)
def test_bytes_with_crlf_line_ends_come_as_they_were_delivered(account: Account, folder: Folder, raw: bytes) -> None:
    account.deliver(raw, MORNING)
    (fetched,) = folder.fetch(list(look(folder).values()))
    assert fetched.data == raw
    assert fetched.size == len(raw)
    assert fetched.uidvalidity == folder.uidvalidity
    assert fetched.received_at == MORNING


@pytest.mark.parametrize(
    ("server", "raw", "fetched"),
    [
        pytest.param("pymap", b"Subject: x\n\ny\n", b"Subject: x\n\ny\n", id="pymap keeps a bare LF"),
        pytest.param("dovecot", b"Subject: x\n\ny\n", b"Subject: x\r\n\r\ny\r\n", id="Dovecot makes it CRLF"),
        pytest.param("pymap", b"Subject: x\r\n\r\n\0\r\n", b"Subject: x\r\n\r\n\0\r\n", id="pymap keeps NUL"),
        pytest.param("dovecot", b"Subject: x\r\n\r\n\0\r\n", b"Subject: x\r\n\r\n\x80\r\n", id="Dovecot makes it 0x80"),
    ],
)
def test_what_imap_cannot_carry_is_the_server_s_to_keep_or_to_mend(
    request: pytest.FixtureRequest, server: str, raw: bytes, fetched: bytes
) -> None:
    account = request.getfixturevalue(server).new_account()
    account.deliver(raw, MORNING)
    with ImapMailbox(account.settings()).open() as folder:
        listed = look(folder)
        assert [mail.data for mail in folder.fetch(list(listed.values()))] == [fetched]
        assert [message.size for message in listed.values()] == [len(fetched)]


def test_fetching_marks_nothing_as_seen(account: Account, folder: Folder) -> None:
    uid = account.append(MAIL, MORNING)
    listed = look(folder)[uid]
    assert [mail.uid for mail in folder.fetch([listed])] == [uid]
    assert folder.fetch_header(listed).data is not None
    assert account.flags() == {uid: set()}


def test_a_header_comes_without_its_body(account: Account, folder: Folder) -> None:
    uid = account.append(MAIL, MORNING)
    header = folder.fetch_header(look(folder)[uid])
    assert header.data == b"From: jane@example.org\r\nSubject: Refund\r\n\r\n"
    assert header.size == len(MAIL)


def test_messages_that_vanished_before_listing_are_left_out(account: Account, folder: Folder) -> None:
    kept, gone = account.append(MAIL, MORNING), account.append(MAIL, MORNING)
    folder.uids_after(0)
    account.remove([gone])
    folder.uids_after(0)
    assert list(folder.list_messages([kept, gone, gone + 7])) == [kept]


def test_a_message_that_vanishes_after_listing_never_comes_as_one_that_could_not_be_fetched(
    account: Account, folder: Folder
) -> None:
    uids = [account.append(MAIL, MORNING) for _ in range(3)]
    listed = look(folder)
    account.remove([uids[1]])
    fetched = {mail.uid: mail.data for mail in folder.fetch(list(listed.values()))}
    assert fetched == dict.fromkeys(fetched, MAIL)  # pymap still gives it, whole; Dovecot does not
    assert {uids[0], uids[2]} <= set(fetched)


def test_messages_that_vanish_after_listing_are_left_out(dovecot_account: Account) -> None:
    with ImapMailbox(dovecot_account.settings()).open() as folder:
        uids = [dovecot_account.append(MAIL, MORNING) for _ in range(3)]
        listed = look(folder)
        dovecot_account.remove(uids[1:])
        assert [mail.uid for mail in folder.fetch(list(listed.values()))] == uids[:1]
        assert list(folder.fetch([listed[uids[1]]])) == []
        assert folder.fetch_header(listed[uids[2]]).data is None


def test_stored_messages_are_marked_as_seen(account: Account, folder: Folder) -> None:
    uids = [account.append(MAIL, MORNING) for _ in range(3)]
    folder.mark_stored(uids[:2])
    assert account.flags() == {uids[0]: {"\\Seen"}, uids[1]: {"\\Seen"}, uids[2]: set()}


def test_stored_messages_are_moved_where_the_configuration_says(account: Account) -> None:
    uids = [account.append(MAIL, MORNING) for _ in range(3)]
    with ImapMailbox(account.settings(processed_folder="Stored by mailbot")).open() as folder:
        folder.mark_stored(uids[:1])
        folder.mark_stored(uids[1:2])
        assert folder.uids_after(0) == uids[2:]
    assert list(account.flags()) == uids[2:]
    assert len(account.flags("Stored by mailbot")) == 2


@pytest.mark.parametrize("target", [pytest.param("", id="seen"), pytest.param("Stored", id="moved")])
def test_marking_again_or_marking_what_vanished_does_no_harm(account: Account, target: str) -> None:
    uids = [account.append(MAIL, MORNING) for _ in range(2)]
    account.remove(uids[:1])
    with ImapMailbox(account.settings(processed_folder=target)).open() as folder:
        folder.mark_stored(uids)
        folder.mark_stored(uids)
        folder.mark_stored([])
    assert account.flags() == ({} if target else {uids[1]: {"\\Seen"}})


def test_a_folder_that_is_remade_has_another_uidvalidity(account: Account) -> None:
    account.make_folder("Returns")
    mailbox = ImapMailbox(account.settings(folder="Returns"))
    with mailbox.open() as folder:
        before = folder.uidvalidity
    with mailbox.open() as folder:
        assert folder.uidvalidity == before
    account.remake_folder("Returns")
    with mailbox.open() as folder:
        assert folder.uidvalidity not in {0, before}


def test_waiting_ends_when_mail_comes(account: Account, folder: Folder) -> None:
    folder.uids_after(0)
    delivery = Thread(target=account.deliver, args=(MAIL, MORNING))
    delivery.start()
    assert folder.wait(60) is True
    delivery.join()
    assert len(folder.uids_after(0)) == 1


def test_waiting_ends_at_once_when_mail_has_come_since_the_last_look(account: Account, folder: Folder) -> None:
    folder.uids_after(0)
    account.append(MAIL, MORNING)
    folder.list_messages([])
    assert folder.wait(60) is True


def test_waiting_ends_without_mail(account: Account, folder: Folder) -> None:
    uid = account.append(MAIL, MORNING)
    assert folder.uids_after(0) == [uid]
    assert folder.can_wait is True
    assert folder.wait(0.3) is False
    assert folder.uids_after(0) == [uid]


def test_a_refused_sign_in_is_permanent_and_tells_no_password(account: Account) -> None:
    account.password_file.with_name("wrong").write_text("not the password")
    settings = account.settings(password_file=str(account.password_file.with_name("wrong")))
    with pytest.raises(PermanentError) as refused, ImapMailbox(settings).open():
        pass
    said = str(refused.value)
    assert said.startswith(f"mailbox support: {account.host}:{account.port} refuses the sign-in of {account.username}")
    assert "not the password" not in said


def test_an_unknown_folder_is_permanent_and_named(account: Account) -> None:
    named = r"does not open folder 'Returns'.*check `folder`"
    with pytest.raises(PermanentError, match=named), ImapMailbox(account.settings(folder="Returns")).open():
        pass


def test_no_server_is_retryable(account: Account) -> None:
    with relay(account.port) as wire:
        port = wire.port
    with pytest.raises(RetryableError, match="mailbox support"), ImapMailbox(account.settings(port=port)).open():
        pass


USES: list[tuple[str, Callable[[Folder], object]]] = [
    ("uids_after", lambda folder: folder.uids_after(0)),
    ("list_messages", lambda folder: folder.list_messages([1, 2])),
    ("mark_stored", lambda folder: folder.mark_stored([1, 2])),
    ("wait", lambda folder: folder.wait(60)),
]


@pytest.mark.parametrize("use", [pytest.param(use, id=name) for name, use in USES])
def test_a_link_that_broke_is_retryable(account: Account, use: Callable[[Folder], object]) -> None:
    with relay(account.port) as wire, ImapMailbox(account.settings(port=wire.port)).open() as folder:
        wire.cut()
        with pytest.raises(RetryableError):
            use(folder)


@pytest.mark.parametrize("answered", [1, 40, 1_000, 150_000])
def test_a_server_killed_while_it_sends_is_retryable_and_gives_no_half_message(account: Account, answered: int) -> None:
    raw = b"Subject: large\r\n\r\n" + b"0123456789\r\n" * 10_000
    for _ in range(2):
        account.deliver(raw, MORNING)
    whole = []
    with relay(account.port) as wire, ImapMailbox(account.settings(port=wire.port)).open() as folder:
        listed = look(folder)
        wire.cut_after(answered)
        with pytest.raises(RetryableError):
            whole += [mail.data == raw for mail in folder.fetch(list(listed.values()))]
    assert all(whole)


def test_two_thousand_messages_are_listed_and_fetched(account: Account, folder: Folder) -> None:
    for number in range(2_000):
        account.deliver(b"Subject: %d\r\n\r\n%d\r\n" % (number, number), MORNING + timedelta(seconds=number))
    uids = folder.uids_after(0)
    assert len(uids) == 2_000
    listed = folder.list_messages(uids)
    assert sorted(listed) == uids
    assert {message.received_at for message in listed.values()} == {
        MORNING + timedelta(seconds=number) for number in range(2_000)
    }
    fetched = {mail.data for mail in folder.fetch([listed[uid] for uid in uids])}
    assert fetched == {b"Subject: %d\r\n\r\n%d\r\n" % (number, number) for number in range(2_000)}


def test_other_people_s_deleted_messages_stay_when_ours_are_moved(dovecot_account: Account) -> None:
    uids = [dovecot_account.append(MAIL, MORNING) for _ in range(2)]
    with dovecot_account.signed_in("INBOX") as program:
        program.add_flags(uids[:1], [b"\\Deleted"], silent=True)
        with ImapMailbox(dovecot_account.settings(processed_folder="Stored")).open() as folder:
            folder.mark_stored(uids[1:])
        assert dovecot_account.flags() == {uids[0]: {"\\Deleted"}}


@pytest.fixture
def tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put this process into another time zone."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("tokyo")
def test_dates_are_told_in_utc_whatever_the_machine_s_zone(folder: Folder, account: Account) -> None:
    uid = account.append(MAIL, MORNING)
    told = look(folder)[uid].received_at
    assert (told, told.tzinfo) == (MORNING, UTC)
