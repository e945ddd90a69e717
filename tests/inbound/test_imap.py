"""The IMAP mailbox against servers that lie, refuse, hang up or are not who they say."""

import base64
import logging
import socket
import ssl
import traceback
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path

import pytest
from imapclient import SocketTimeout

from mailbot.demo.servers import MailServers
from mailbot.errors import PermanentError, RetryableError
from mailbot.inbound import imap, imap_link
from mailbot.inbound.imap import ImapMailbox
from mailbot.inbound.imap_link import sign_in
from mailbot.model.expiry import Expiry
from mailbot.model.mail import RawMail
from mailbot.ports import Folder, Listed
from mailbot.settings import MailboxSettings
from tests.servers.dovecot import Dovecot
from tests.servers.scripted_imap import Answer, ScriptedImap, scripted_imap

NOON = datetime(2026, 3, 6, 12, tzinfo=UTC)
PASSWORD = "s3cret-word"
MILLION = 1_000_000

Making = Callable[..., MailboxSettings]
Opening = Callable[..., AbstractContextManager[tuple[Folder, ScriptedImap]]]


@pytest.fixture
def settings(tmp_path: Path) -> Making:
    """Give a maker of ``[[mailboxes]]`` tables for a server of this machine."""
    (tmp_path / "password").write_text(PASSWORD)

    def make(port: int, **changes: object) -> MailboxSettings:
        form: dict[str, object] = {
            "name": "support",
            "host": "127.0.0.1",
            "port": port,
            "security": "none",
            "username": "support@shop.example",
            "password_file": str(tmp_path / "password"),
        }
        return MailboxSettings.model_validate(form | changes)

    return make


@pytest.fixture
def opened(settings: Making) -> Opening:
    """Give a way to open the folder of a scripted server."""

    @contextmanager
    def open_it(
        script: dict[str, Answer], *, largest: int = imap.LARGEST, **changes: object
    ) -> Iterator[tuple[Folder, ScriptedImap]]:
        with scripted_imap(script) as server:
            mailbox = ImapMailbox(settings(server.port, **changes), largest)
            with mailbox.open() as folder:
                yield folder, server

    return open_it


def listed(*uids: int, size: int = 5) -> list[Listed]:
    return [Listed(uid=uid, received_at=NOON, size=size) for uid in uids]


def uids_of(arguments: str) -> list[int]:
    return [int(uid) for uid in arguments.split(" ", maxsplit=1)[0].split(",")]


def giving(uid: int, data: bytes = b"hello") -> bytes:
    return b"* %d FETCH (UID %d BODY[] {%d}\r\n%s)\r\n" % (uid, uid, len(data), data)


def fetching(special: bytes | None) -> dict[str, Answer]:
    """Script a server that gives every message but 2, for which it says something special, and finds all of them."""

    def fetch(arguments: str) -> bytes | None:
        said = b""
        for uid in uids_of(arguments):
            part = special if uid == 2 else giving(uid)
            if part is None:
                return None
            said += part
            if b"%TAG" in part:
                return said
        return said + b"%TAG OK done\r\n"

    return {
        "UID FETCH": fetch,
        "UID SEARCH": lambda asked: b"* SEARCH %s\r\n%%TAG OK done\r\n" % asked.split()[1].replace(",", " ").encode(),
    }


def data_by_uid(mails: Iterator[RawMail]) -> dict[int, bytes | None]:
    return {mail.uid: mail.data for mail in mails}


@pytest.mark.parametrize(
    "special",
    [
        pytest.param(b"* 2 FETCH (UID 2 BODY[] {4294967296}\r\nhello", id="a literal of 4 GB"),
        pytest.param(giving(2, b"x" * 3 * MILLION), id="3 MB where 5 bytes were announced"),
        pytest.param(b'* 2 FETCH (UID 2 BODY[] "' + b"x" * 3 * MILLION, id="a line of 3 MB"),
        pytest.param(b"* OK still there\r\n" * 200_000, id="lines without end"),
        pytest.param(b"%TAG NO cannot be read\r\n", id="NO"),
        pytest.param(b"%TAG BAD cannot be read\r\n", id="BAD"),
        pytest.param(b"* 2 FETCH (UID 2 BODY[] NIL)\r\n", id="NIL"),
        pytest.param(b"* 2 FETCH (UID 2 BODY[] 17)\r\n", id="a number"),
        pytest.param(b"* 2 FETCH (UID 2 BODY[]\r\n", id="half a list"),
        pytest.param(b"* 2 FETCH (UID 2 FLAGS ())\r\n", id="something else"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"nonsense\r\n", id="nonsense"),
        pytest.param(b"* BYE internal error\r\n", id="good-bye"),
        pytest.param(None, id="hangs up"),
    ],
)
def test_a_message_that_cannot_be_fetched_takes_no_other_with_it(opened: Opening, special: bytes | None) -> None:
    with opened(fetching(special)) as (folder, server):
        assert data_by_uid(folder.fetch(listed(1, 2, 3))) == {1: b"hello", 2: None, 3: b"hello"}
        assert data_by_uid(folder.fetch(listed(4))) == {4: b"hello"}
    assert server.verbs().count("LOGIN") <= 3


@pytest.mark.parametrize("announced", [5, 40 * MILLION])
@pytest.mark.parametrize("lie", [b"* 2 FETCH (UID 2 BODY[] {4294967296}\r\n", b'* 2 FETCH (UID 2 BODY[] "'])
def test_a_lying_server_fills_no_memory(opened: Opening, announced: int, lie: bytes) -> None:
    script = fetching(None) | {"UID FETCH": lie + bytes(200 * MILLION)}
    with opened(script) as (folder, _):
        tracemalloc.start()
        (mail,) = folder.fetch(listed(2, size=announced))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert mail.data is None
    assert peak < 5 * MILLION + 2 * announced


def test_a_message_that_cannot_be_fetched_and_has_vanished_is_left_out(opened: Opening) -> None:
    script = fetching(b"%TAG NO some are gone\r\n") | {"UID SEARCH": b"* SEARCH 1 3\r\n%TAG OK done\r\n"}
    with opened(script) as (folder, _):
        assert data_by_uid(folder.fetch(listed(1, 2, 3))) == {1: b"hello", 3: b"hello"}


def test_a_server_that_breaks_every_link_is_retryable_in_the_end(opened: Opening) -> None:
    with opened({"UID FETCH": lambda _: None, "UID SEARCH": b"* SEARCH\r\n%TAG OK done\r\n"}) as (folder, server):
        with pytest.raises(RetryableError):
            list(folder.fetch(listed(*range(1, 200))))
        assert server.connections == 21


def test_a_server_that_asks_to_be_left_alone_is_left_alone(opened: Opening) -> None:
    with opened({"UID FETCH": b"%TAG NO [THROTTLED] too many requests\r\n"}) as (folder, server):
        with pytest.raises(RetryableError, match="too many requests"):
            list(folder.fetch(listed(1, 2, 3)))
        assert server.verbs().count("UID FETCH") == 1


def test_a_silent_server_is_not_waited_for_again(opened: Opening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imap_link, "_TIMEOUT", SocketTimeout(connect=5, read=0.3))
    with opened({"UID FETCH": b"* 1 FETCH (UID 1 BODY[]"}) as (folder, server):
        with pytest.raises(RetryableError, match="timed out"):
            list(folder.fetch(listed(1, 2)))
        assert server.connections == 1


def test_a_folder_remade_while_it_is_read_is_retryable(opened: Opening) -> None:
    lives = iter((b"7", b"8"))
    script: dict[str, Answer] = {
        "SELECT": lambda _: b"* OK [UIDVALIDITY %s]\r\n%%TAG OK [READ-WRITE]\r\n" % next(lives),
        "UID FETCH": lambda _: None,
    }
    with opened(script) as (folder, _), pytest.raises(RetryableError, match="remade"):
        list(folder.fetch(listed(1)))


def test_a_folder_without_uidvalidity_has_zero(opened: Opening) -> None:
    with opened({"SELECT": b"* 0 EXISTS\r\n%TAG OK [READ-WRITE]\r\n"}) as (folder, _):
        assert folder.uidvalidity == 0


def test_what_is_too_large_is_not_fetched_but_its_header_is(opened: Opening) -> None:
    header = b"* 2 FETCH (UID 2 BODY[HEADER]<0> {12}\r\nSubject: x\r\n)\r\n%TAG OK done\r\n"
    with opened({"UID FETCH": header}, largest=1000) as (folder, server):
        assert data_by_uid(folder.fetch(listed(2, size=1001))) == {2: None}
        assert "UID FETCH" not in server.verbs()
        assert folder.fetch_header(listed(2, size=1001)[0]).data == b"Subject: x\r\n"
        assert server.heard[-1] == ("UID FETCH", "2 (BODY.PEEK[HEADER]<0.262144>)")


@pytest.mark.parametrize("answer", [None, b"%TAG NO never\r\n", b"* 2 FETCH (UID 2 BODY[HEADER]<0> {9999999}\r\n"])
def test_a_header_that_cannot_be_fetched_is_none(opened: Opening, answer: bytes | None) -> None:
    with opened({"UID FETCH": lambda _: answer}) as (folder, _):
        assert folder.fetch_header(listed(2)[0]).data is None


def test_commands_stay_short_and_only_peek(opened: Opening) -> None:
    def fetch(arguments: str) -> bytes:
        if "RFC822.SIZE" in arguments:
            line = b'* %d FETCH (UID %d RFC822.SIZE 5 INTERNALDATE " 6-Mar-2026 12:00:00 +0000")\r\n'
            return b"".join(line % (uid, uid) for uid in uids_of(arguments)) + b"%TAG OK done\r\n"
        return b"".join(giving(uid) for uid in uids_of(arguments)) + b"%TAG OK done\r\n"

    with opened({"UID FETCH": fetch}) as (folder, server):
        found = folder.list_messages(range(1, 1201))
        assert found == {message.uid: message for message in listed(*range(1, 1201))}
        assert len(list(folder.fetch(list(found.values())))) == 1200
        asked = [arguments for verb, arguments in server.heard if verb == "UID FETCH"]
    assert {arguments.split(" ", 1)[1] for arguments in asked} == {"(RFC822.SIZE INTERNALDATE)", "(BODY.PEEK[])"}
    assert max(len(uids_of(arguments)) for arguments in asked if "SIZE" in arguments) == 500
    assert max(len(uids_of(arguments)) for arguments in asked if "PEEK" in arguments) == 50


def test_large_messages_are_fetched_a_few_at_a_time(opened: Opening) -> None:
    with opened(fetching(giving(2))) as (folder, server):
        assert len(list(folder.fetch(listed(1, 2, 3, size=7 * 1024 * 1024)))) == 3
        assert [uids_of(arguments) for verb, arguments in server.heard if verb == "UID FETCH"] == [[1, 2], [3]]


def test_the_uids_of_a_very_full_folder_fit(opened: Opening) -> None:
    count = 500_000
    found = b" ".join(b"%d" % uid for uid in range(MILLION, MILLION + count))
    script: dict[str, Answer] = {
        "SELECT": b"* %d EXISTS\r\n%%TAG OK [READ-WRITE]\r\n" % count,
        "UID SEARCH": b"* SEARCH " + found + b"\r\n%TAG OK done\r\n",
    }
    with opened(script) as (folder, _):
        assert folder.uids_after(MILLION + 9) == list(range(MILLION + 10, MILLION + count))


@pytest.mark.parametrize(
    ("told", "understood"),
    [
        pytest.param(b'" 6-Mar-2026 07:30:00 -0430"', NOON, id="another zone"),
        pytest.param(b'"31-Feb-2026 07:30:00 +0000"', datetime(1970, 1, 1, tzinfo=UTC), id="no such day"),
        pytest.param(b'" 6-Mar-2026 07:30:00 +9999"', datetime(1970, 1, 1, tzinfo=UTC), id="no such zone"),
        pytest.param(b'"nonsense"', datetime(1970, 1, 1, tzinfo=UTC), id="no date"),
        pytest.param(b"NIL", datetime(1970, 1, 1, tzinfo=UTC), id="nothing"),
        pytest.param(b'" 6-Mar-2026 12:00:00 -0000"', NOON, id="a zone that nobody knows"),
        pytest.param(b'" 6-Mar-2026 12:00:00"', datetime(1970, 1, 1, tzinfo=UTC), id="no zone"),
    ],
)
def test_a_date_is_aware_and_an_unreadable_one_is_old(opened: Opening, told: bytes, understood: datetime) -> None:
    script: dict[str, Answer] = {
        "UID FETCH": b"* 1 FETCH (UID 1 RFC822.SIZE 5 INTERNALDATE " + told + b")\r\n%TAG OK done\r\n"
    }
    with opened(script) as (folder, _):
        assert folder.list_messages([1])[1].received_at == understood


@pytest.mark.parametrize(
    ("capabilities", "said"),
    [
        pytest.param(b"MOVE UIDPLUS", ["UID MOVE"], id="MOVE"),
        pytest.param(b"UIDPLUS", ["UID COPY", "UID STORE", "UID EXPUNGE"], id="UIDPLUS alone"),
        pytest.param(b"", ["UID COPY", "UID STORE"], id="neither: no bare EXPUNGE"),
    ],
)
def test_moving_takes_no_one_else_s_messages_with_it(opened: Opening, capabilities: bytes, said: list[str]) -> None:
    done: Answer = b"%TAG OK done\r\n"
    script: dict[str, Answer] = {
        "CAPABILITY": b"* CAPABILITY IMAP4rev1 " + capabilities + b"\r\n%TAG OK done\r\n",
        "UID SEARCH": b"* SEARCH 1 3\r\n%TAG OK done\r\n",
        "LIST": done,
        "CREATE": done,
        "SUBSCRIBE": done,
        **dict.fromkeys(("UID MOVE", "UID COPY", "UID STORE", "UID EXPUNGE"), done),
    }
    with opened(script, processed_folder="Stored") as (folder, server):
        folder.mark_stored([1, 2, 3])
        folder.mark_stored([3])
        assert server.verbs().count("CREATE") == server.verbs().count("SUBSCRIBE") == 1
        changes = [(verb, uids_of(arguments)) for verb, arguments in server.heard if verb in {*said, "EXPUNGE"}]
    assert changes == [(verb, [1, 3]) for verb in said] + [(verb, [3]) for verb in said]


def test_marks_are_set_silently_and_a_hundred_at_a_time(opened: Opening) -> None:
    script = fetching(None) | {"UID STORE": b"%TAG OK done\r\n"}
    with opened(script) as (folder, server):
        folder.mark_stored(range(1, 251))
        stores = [arguments for verb, arguments in server.heard if verb == "UID STORE"]
    assert [len(uids_of(arguments)) for arguments in stores] == [100, 100, 50]
    assert {arguments.split(" ", 1)[1] for arguments in stores} == {"+FLAGS.SILENT (\\Seen)"}


def test_a_refused_mark_is_retryable_and_the_folder_stays_open(opened: Opening) -> None:
    with opened(fetching(giving(2)) | {"UID STORE": b"%TAG NO not now\r\n"}) as (folder, _):
        with pytest.raises(RetryableError, match="not now"):
            folder.mark_stored([1, 2])
        assert data_by_uid(folder.fetch(listed(2))) == {2: b"hello"}


IDLE: dict[str, Answer] = {"CAPABILITY": b"* CAPABILITY IMAP4rev1 IDLE\r\n%TAG OK done\r\n", "IDLE": b"+ idling\r\n"}


def test_a_server_without_idle_is_not_waited_at(opened: Opening) -> None:
    with opened({}) as (folder, server):
        assert folder.can_wait is False
        assert folder.wait(60) is False
        assert "IDLE" not in server.verbs()


@pytest.mark.parametrize(
    "script",
    [
        pytest.param({"IDLE": b"+ idling\r\n* 4 EXISTS\r\n"}, id="in one piece with the answer to IDLE"),
        pytest.param({"NOOP": b"* 4 EXISTS\r\n%TAG OK done\r\n"}, id="before IDLE"),
    ],
)
def test_news_of_mail_is_never_overheard(opened: Opening, script: dict[str, Answer]) -> None:
    with opened(IDLE | script) as (folder, _):
        assert folder.wait(3600) is True


def test_idle_is_renewed_and_nothing_else_is_said_in_it(opened: Opening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imap, "_IDLE_SECONDS", 0.1)
    with opened(IDLE) as (folder, server):
        assert folder.wait(0.35) is False
        verbs = server.verbs()[server.verbs().index("IDLE") :]
    assert verbs[:4] == ["IDLE", "DONE"] * 2
    assert set(verbs) == {"IDLE", "DONE"}


@pytest.mark.parametrize(
    ("script", "greeting"),
    [
        pytest.param({}, b"* BYE too busy\r\n", id="turned away"),
        pytest.param({}, b"220 mail.shop.example ESMTP\r\n", id="no IMAP"),
        pytest.param({}, b"* OK " + b"x" * 5 * MILLION, id="endless greeting"),
        pytest.param({"LOGIN": lambda _: None}, b"* OK\r\n", id="hangs up at sign-in"),
        pytest.param({"LOGIN": b"%TAG NO [UNAVAILABLE] later\r\n"}, b"* OK\r\n", id="sign-in not possible now"),
        pytest.param({"LOGIN": b"* BYE\r\n"}, b"* OK\r\n", id="good-bye at sign-in"),
        pytest.param({"SELECT": lambda _: None}, b"* OK\r\n", id="hangs up at the folder"),
        pytest.param({"SELECT": b"%TAG NO [INUSE] locked\r\n"}, b"* OK\r\n", id="folder in use"),
        pytest.param(
            {"SELECT": b"* OK [UIDVALIDITY x]\r\n%TAG OK done\r\n"}, b"* OK\r\n", id="UIDVALIDITY is no number"
        ),
    ],
)
def test_what_may_pass_is_retryable(settings: Making, script: dict[str, Answer], greeting: bytes) -> None:
    with scripted_imap(script, greeting) as server:
        mailbox = ImapMailbox(settings(server.port))
        with pytest.raises(RetryableError, match=r"mailbox support: 127\.0\.0\.1:"), mailbox.open():
            pass


def test_silence_at_sign_in_is_retryable(settings: Making, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imap_link, "_TIMEOUT", SocketTimeout(connect=5, read=0.3))
    with scripted_imap({"LOGIN": b""}) as server:
        mailbox = ImapMailbox(settings(server.port))
        with pytest.raises(RetryableError, match="timed out"), mailbox.open():
            pass


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"* SEARCH 1\r\nDear shop, my card is 4111\r\n", id="a line of a mail"),
        pytest.param(b"* SEARCH Dear shop, my card is 4111\r\n%TAG OK done\r\n", id="no numbers"),
        pytest.param(b"%TAG BAD Dear shop, my card is 4111\r\n", id="BAD"),
    ],
)
def test_what_may_be_the_text_of_a_mail_is_in_no_error(opened: Opening, answer: bytes) -> None:
    with opened({"UID SEARCH": answer}) as (folder, _), pytest.raises(RetryableError) as gone:
        folder.uids_after(0)
    assert "4111" not in "".join(traceback.format_exception(gone.value))


@pytest.mark.parametrize(
    ("script", "said"),
    [
        pytest.param({"LOGIN": b"%TAG NO [AUTHENTICATIONFAILED] no\r\n"}, "check username and password", id="refused"),
        pytest.param({"LOGIN": b"%TAG NO what is s3cret-word?\r\n"}, "check username and password", id="repeated"),
        pytest.param(
            {"LOGIN": b"%TAG BAD what is s3cret-word?\r\n"}, "check username and password", id="not understood"
        ),
        pytest.param({"SELECT": b"%TAG NO [NONEXISTENT] none\r\n"}, "check `folder`", id="no such folder"),
        pytest.param({"SELECT": b"%TAG OK [READ-ONLY]\r\n"}, "give the account the right", id="only to be read"),
    ],
)
def test_what_a_person_must_mend_is_permanent(
    settings: Making, script: dict[str, Answer], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with scripted_imap(script) as server:
        mailbox = ImapMailbox(settings(server.port))
        with pytest.raises(PermanentError, match=r"mailbox support: 127\.0\.0\.1:") as refused, mailbox.open():
            pass
    assert said in str(refused.value)
    assert PASSWORD not in str(refused.value) + caplog.text


@pytest.mark.parametrize("password", ["gr\N{LATIN SMALL LETTER U WITH DIAERESIS}n", 'a "quoted" \\ one', "two words"])
def test_any_password_can_be_used(settings: Making, mail_servers: MailServers, tmp_path: Path, password: str) -> None:
    username = f"{len(password)}@shop.example"
    mail_servers.add_account(username, password)
    (tmp_path / "other").write_text(password, encoding="utf-8")
    changes = {"username": username, "password_file": str(tmp_path / "other")}
    with ImapMailbox(settings(mail_servers.imap_port, **changes)).open() as folder:
        assert folder.uids_after(0) == []


def test_an_access_token_takes_the_password_s_place(settings: Making) -> None:
    expected = base64.b64encode(b"user=support@shop.example\x01auth=Bearer fresh\x01\x01").decode()
    with scripted_imap({"AUTHENTICATE": b"+ \r\n", expected: b"%TAG OK signed in\r\n"}) as server:
        account = settings(server.port, username="support@shop.example", oauth="google", oauth_client_id="mailbot")
        with ImapMailbox(account, access_token=lambda: "fresh").open() as folder:
            assert folder.uidvalidity == 7
        assert ("AUTHENTICATE", "XOAUTH2") in server.heard
        assert "LOGIN" not in server.verbs()


def test_a_refused_access_token_is_not_told(settings: Making) -> None:
    with scripted_imap({"AUTHENTICATE": b"%TAG NO invalid credentials fresh\r\n"}) as server:
        account = settings(server.port, oauth="google", oauth_client_id="mailbot")
        with pytest.raises(PermanentError) as told, ImapMailbox(account, access_token=lambda: "fresh").open():
            pass
    assert "fresh" not in str(told.value)


def test_a_link_sends_without_delay(settings: Making) -> None:
    with scripted_imap({}) as server:
        link = sign_in(settings(server.port), lambda: "any")
        assert link.socket().getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
        link.hang_up(politely=True)
        assert server.verbs()[-1] == "LOGOUT"


@pytest.mark.parametrize(
    ("script", "greeting"),
    [
        pytest.param({}, b"* OK\r\n", id="not offered"),
        pytest.param({}, b"* PREAUTH welcome\r\n", id="signed in before"),
        pytest.param(
            {"CAPABILITY": b"* CAPABILITY IMAP4rev1 STARTTLS\r\n%TAG OK done\r\n", "STARTTLS": b"%TAG NO never\r\n"},
            b"* OK\r\n",
            id="offered and refused",
        ),
        pytest.param(
            {
                "CAPABILITY": b"* CAPABILITY IMAP4rev1 STARTTLS\r\n%TAG OK done\r\n",
                "STARTTLS": b"%TAG OK done\r\n* CAPABILITY IMAP4rev1\r\n",
            },
            b"* OK\r\n",
            id="more said before TLS",
        ),
        pytest.param(
            {"CAPABILITY": b"* CAPABILITY IMAP4rev1 STARTTLS\r\n%TAG OK done\r\n", "STARTTLS": b"%TAG OK done\r\n"},
            b"* OK\r\n",
            id="no TLS after it",
        ),
    ],
)
def test_without_starttls_nothing_is_told(settings: Making, script: dict[str, Answer], greeting: bytes) -> None:
    with scripted_imap(script, greeting, patience=1.0) as server:
        mailbox = ImapMailbox(settings(server.port, security="starttls"))
        with pytest.raises((PermanentError, RetryableError)), mailbox.open():
            pass
        assert set(server.verbs()) & {"LOGIN", "AUTHENTICATE"} == set()


@pytest.mark.parametrize(
    ("said", "error"),
    [
        pytest.param(b"", None, id="nothing"),
        pytest.param(b"* CAPABILITY IMAP4rev1 MOVE\r\n", RetryableError, id="something that is not protected"),
    ],
)
def test_nothing_may_be_said_between_starttls_and_tls(
    settings: Making, dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch, said: bytes, error: type[Exception] | None
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(dovecot.certificate))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(dovecot.certificate, dovecot.certificate.with_name("key.pem"))
    script: dict[str, Answer] = {
        "CAPABILITY": b"* CAPABILITY IMAP4rev1 STARTTLS\r\n%TAG OK done\r\n",
        "STARTTLS": b"%TAG OK begin\r\n" + said,
    }
    with scripted_imap(script, tls=tls) as server:
        mailbox = ImapMailbox(settings(server.port, host="localhost", security="starttls"))
        with pytest.raises(error) if error else nullcontext(), mailbox.open():
            pass
        assert ("LOGIN" in server.verbs()) is (error is None)


@pytest.mark.parametrize("security", ["tls", "starttls"])
@pytest.mark.parametrize(
    ("host", "trusted"),
    [pytest.param("localhost", False, id="self-signed"), pytest.param("127.0.0.1", True, id="name")],
)
def test_a_certificate_of_no_authority_or_of_another_name_is_refused(
    dovecot: Dovecot, security: str, host: str, *, trusted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(dovecot.certificate))
    port = dovecot.tls_port if security == "tls" else dovecot.port
    mailbox = ImapMailbox(dovecot.new_account().settings(host=host, port=port, security=security))
    with pytest.raises(PermanentError, match="certificate that cannot be trusted"), mailbox.open():
        pass


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_trusted_certificate_is_enough(dovecot: Dovecot, security: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(dovecot.certificate))
    port = dovecot.tls_port if security == "tls" else dovecot.port
    account = dovecot.new_account()
    account.deliver(b"Subject: x\r\n\r\ny\r\n" * 20_000, NOON)
    seen = list[Expiry]()
    settings = account.settings(host="localhost", port=port, security=security)
    with ImapMailbox(settings, noted=seen.append).open() as folder:
        found = folder.list_messages(folder.uids_after(0))
        assert data_by_uid(folder.fetch(list(found.values()))) == {1: b"Subject: x\r\n\r\ny\r\n" * 20_000}
        assert folder.wait(0.2) is False
    assert [(each.what, (each.until - each.since).days) for each in seen] == [(f"certificate/localhost:{port}", 2)]
