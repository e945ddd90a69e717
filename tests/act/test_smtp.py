import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from aiosmtpd.smtp import Envelope as Received

from mailbot.act.smtp import SmtpTransport
from mailbot.errors import AmbiguousError, PermanentError, RetryableError
from mailbot.model.expiry import Expiry, Noted
from mailbot.ports import Envelope, Handover, MailTransport
from mailbot.settings import SecretError, Smtp

DATA = b"From: a@shop.example\r\nSubject: x\r\n\r\nHello\r\n.dot\r\n..dots\r\nbye\r\n"
CERTIFICATE = Path(__file__).with_name("loopback.pem")


def an_envelope(**other: Any) -> Envelope:
    return Envelope(**({"sender": "", "recipient": "jane@example.org", "data": DATA} | other))


def a_transport(port: int, noted: Noted | None = None, /, **other: Any) -> MailTransport:
    settings = Smtp.model_validate({"host": "127.0.0.1", "port": port, "security": "none"} | other)
    return SmtpTransport(settings, noted=noted)


class Marks:
    """Writes down how far a message came."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def before_dot(self) -> None:
        self.made.append("before_dot")

    def after_dot(self) -> None:
        self.made.append("after_dot")


def hand_over(handover: Handover, envelope: Envelope | None = None) -> list[str]:
    marks = Marks()
    handover.send(envelope or an_envelope(), marks.before_dot, marks.after_dot)
    return marks.made


class Inbox:
    """What a real server took, with the names that clients gave it."""

    def __init__(self) -> None:
        self.taken: list[Received] = []
        self.hosts: list[str | None] = []
        self.users: list[object] = []

    async def handle_DATA(self, _: SMTP, session: Any, envelope: Received) -> str:  # noqa: N802 (aiosmtpd names it)
        self.taken.append(envelope)
        self.hosts.append(session.host_name)
        self.users.append(session.auth_data)
        return "250 taken"


def authenticate(_: SMTP, __: object, ___: object, mechanism: str, data: object) -> AuthResult:
    known = mechanism in {"PLAIN", "LOGIN"} and data == LoginPassword(b"shop", b"secret")
    return AuthResult(success=known, handled=False, auth_data=b"shop" if known else None)


def server_tls() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)
    return context


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def real_server(inbox: Inbox, **options: Any) -> Iterator[int]:
    controller = Controller(inbox, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust the tests' own certificate, as a system trusts its authorities."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))


class TestWithARealServer:
    def test_a_message_arrives_byte_for_byte(self) -> None:
        inbox = Inbox()
        with real_server(inbox) as port, a_transport(port).connect() as handover:
            assert hand_over(handover) == ["before_dot", "after_dot"]
        (taken,) = inbox.taken
        assert taken.content == DATA
        assert taken.mail_from == "<>"
        assert taken.rcpt_tos == ["jane@example.org"]
        assert taken.mail_options == [f"SIZE={len(DATA)}"]
        assert inbox.hosts == ["[127.0.0.1]"]

    def test_one_connection_takes_many_messages_and_goes_on_after_a_refusal(self) -> None:
        inbox = Inbox()
        with real_server(inbox, data_size_limit=1000) as port, a_transport(port).connect() as handover:
            hand_over(handover)
            with pytest.raises(PermanentError, match="552"):
                hand_over(handover, an_envelope(data=b"x" * 2000))
            hand_over(handover, an_envelope(sender="bounce+1@shop.example"))
        assert [taken.mail_from for taken in inbox.taken] == ["<>", "bounce+1@shop.example"]

    def test_bare_line_ends_cannot_smuggle_in_a_second_message(self) -> None:
        inbox = Inbox()
        smuggled = b"a\n.\nMAIL FROM:<x@y.example>\r.\r\n.\r\nend"
        with real_server(inbox) as port, a_transport(port).connect() as handover:
            hand_over(handover, an_envelope(data=smuggled))
        assert [taken.content for taken in inbox.taken] == [b"a\r\n.\r\nMAIL FROM:<x@y.example>\r\n.\r\n.\r\nend\r\n"]

    @pytest.mark.parametrize("security", ["starttls", "tls"])
    @pytest.mark.usefixtures("trusted")
    def test_signs_in_over_a_protected_line(self, monkeypatch: pytest.MonkeyPatch, security: str) -> None:
        monkeypatch.setenv("SMTP_PASSWORD", "secret")
        inbox = Inbox()
        tls: dict[str, Any] = (
            {"tls_context": server_tls(), "require_starttls": True}
            if security == "starttls"
            else {"ssl_context": server_tls(), "auth_require_tls": False}
        )
        sign_in = {"username": "shop", "password_env": "SMTP_PASSWORD"}
        with real_server(inbox, authenticator=authenticate, **tls) as port:
            seen: list[Expiry] = []
            with a_transport(port, seen.append, host="localhost", security=security, **sign_in).connect() as handover:
                hand_over(handover)
            ends = datetime(2120, 1, 1, tzinfo=UTC)
            assert [(each.what, each.until) for each in seen] == [(f"certificate/localhost:{port}", ends)]
            monkeypatch.setenv("SMTP_PASSWORD", "wrong")
            refused = a_transport(port, host="localhost", security=security, **sign_in)
            with pytest.raises(PermanentError, match="535"), refused.connect():
                pass
        assert inbox.users == [b"shop"]

    @pytest.mark.parametrize("security", ["starttls", "tls"])
    def test_a_certificate_that_nobody_vouches_for_is_refused(self, security: str) -> None:
        inbox = Inbox()
        tls = {"tls_context" if security == "starttls" else "ssl_context": server_tls()}
        with real_server(inbox, **tls) as port:
            transport = a_transport(port, host="localhost", security=security)
            with pytest.raises(RetryableError, match="certificate"), transport.connect():
                pass

    @pytest.mark.usefixtures("trusted")
    def test_a_certificate_for_another_name_is_refused(self) -> None:
        with real_server(Inbox(), tls_context=server_tls()) as port:
            transport = a_transport(port, host="127.0.0.1", security="starttls")
            with pytest.raises(RetryableError, match="certificate"), transport.connect():
                pass


class ScriptedServer:
    """Answers each verb as told, and hangs up where the answer is ``None``.

    Args:
        answers: by verb; ``"greeting"``, ``"body"`` (hang up before the dot), ``"dot"`` are moments, not verbs.
    """

    DEFAULTS: Mapping[str, str | None] = {
        "greeting": "220 hello",
        "EHLO": "250 hello",
        "HELO": "250 hello",
        "DATA": "354 go on",
        "QUIT": "221 bye",
        "body": "read on",
        "dot": "250 taken",
    }

    def __init__(self, **answers: str | None) -> None:
        self.answers = {**self.DEFAULTS, **answers}
        self.verbs: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def _serve(self) -> None:
        while True:
            try:
                link, _ = self._listener.accept()
            except OSError:
                return
            with link, link.makefile("rb") as lines:
                link.settimeout(10)
                try:
                    self._talk(link, lines)
                except OSError:
                    continue

    def _talk(self, link: socket.socket, lines: Any) -> None:
        if not self._answer(link, "greeting"):
            return
        for line in lines:
            verb = line.split()[0].decode().upper()
            self.verbs.append(verb)
            if not self._answer(link, verb):
                return
            if verb == "DATA" and self.answers["DATA"] == self.DEFAULTS["DATA"]:
                if self.answers["body"] is None:
                    return
                if not self._takes_body(link, lines):
                    return

    def _takes_body(self, link: socket.socket, lines: Any) -> bool:
        for line in lines:
            if line == b".\r\n":
                self.verbs.append("dot")
                return self._answer(link, "dot")
        return False

    def _answer(self, link: socket.socket, moment: str) -> bool:
        answer = self.answers.get(moment, "250 fine")
        if answer is None:
            return False
        if answer:
            link.sendall(answer.replace("\n", "\r\n").encode("latin-1") + b"\r\n")
        return True


@contextmanager
def scripted(**answers: str | None) -> Iterator[ScriptedServer]:
    server = ScriptedServer(**answers)
    try:
        yield server
    finally:
        server.close()


@pytest.mark.parametrize(
    ("moment", "answer", "error", "made"),
    [
        pytest.param("MAIL", "451 later", RetryableError, [], id="sender refused for now"),
        pytest.param("MAIL", "550 never", PermanentError, [], id="sender refused for good"),
        pytest.param("RCPT", "450 later", RetryableError, [], id="recipient refused for now"),
        pytest.param("RCPT", "550 never", PermanentError, [], id="recipient refused for good"),
        pytest.param("DATA", "421 later", RetryableError, [], id="message not wanted for now"),
        pytest.param("DATA", "554 never", PermanentError, [], id="message not wanted for good"),
        pytest.param("DATA", "250 what", RetryableError, [], id="the server does not speak the protocol"),
        pytest.param("dot", "451 later", RetryableError, ["before_dot"], id="message refused for now"),
        pytest.param("dot", "554 never", PermanentError, ["before_dot"], id="message refused for good"),
        pytest.param("MAIL", None, RetryableError, [], id="hung up on the sender"),
        pytest.param("RCPT", None, RetryableError, [], id="hung up on the recipient"),
        pytest.param("DATA", None, RetryableError, [], id="hung up on the message"),
        pytest.param("dot", None, AmbiguousError, ["before_dot"], id="hung up on the dot"),
        pytest.param("dot", "what?", AmbiguousError, ["before_dot"], id="an answer that is none"),
        pytest.param("dot", "354 more", AmbiguousError, ["before_dot"], id="an answer that fits nowhere"),
        pytest.param("dot", "250" + "x" * 9000, AmbiguousError, ["before_dot"], id="an answer without an end"),
        pytest.param("MAIL", "550" + "x" * 9000, RetryableError, [], id="a refusal without an end"),
    ],
)
def test_every_way_to_fail_has_its_error(
    moment: str, answer: str | None, error: type[Exception], made: list[str]
) -> None:
    marks = Marks()
    with scripted(**{moment: answer}) as server, a_transport(server.port).connect() as handover:
        with pytest.raises(error) as caught:
            handover.send(an_envelope(), marks.before_dot, marks.after_dot)
        assert type(caught.value) is error
    assert marks.made == made


@pytest.mark.parametrize("moment", ["MAIL", "RCPT", "DATA", "dot"])
def test_after_a_refusal_the_next_message_starts_afresh(moment: str) -> None:
    with scripted(**{moment: "550 never"}) as server, a_transport(server.port).connect() as handover:
        with pytest.raises(PermanentError):
            hand_over(handover)
        server.answers[moment] = ScriptedServer.DEFAULTS.get(moment, "250 fine")
        assert hand_over(handover) == ["before_dot", "after_dot"]
        assert server.verbs[server.verbs.index("RSET") :][:2] == ["RSET", "MAIL"]


@pytest.mark.parametrize("moment", ["MAIL", "dot"])
def test_on_a_lost_connection_the_next_message_is_kept_for_another(moment: str) -> None:
    with scripted(**{moment: None}) as server:
        with a_transport(server.port).connect() as handover:
            with pytest.raises(RetryableError):
                hand_over(handover)
            with pytest.raises(RetryableError) as caught:
                hand_over(handover)
            assert type(caught.value) is RetryableError
        server.answers[moment] = ScriptedServer.DEFAULTS.get(moment, "250 fine")
        with a_transport(server.port).connect() as handover:
            assert hand_over(handover) == ["before_dot", "after_dot"]


def test_a_link_that_breaks_within_the_message_is_no_doubt() -> None:
    with scripted(body=None) as server, a_transport(server.port).connect() as handover:
        with pytest.raises(RetryableError) as caught:
            hand_over(handover, an_envelope(data=(b"x" * 900 + b"\r\n") * 20_000))
        assert type(caught.value) is RetryableError


def test_a_mark_that_fails_takes_the_message_back() -> None:
    def fail() -> None:
        raise OSError("disk full")

    with scripted() as server, a_transport(server.port).connect() as handover:
        with pytest.raises(OSError, match="disk full"):
            handover.send(an_envelope(), fail, fail)
        with pytest.raises(RetryableError):
            hand_over(handover)
    assert "dot" not in server.verbs


def test_no_answer_to_the_dot_is_a_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailbot.act.smtp._AFTER_DOT_SECONDS", 0.1)
    silent = scripted(dot="")
    with (
        silent as server,
        a_transport(server.port).connect() as handover,
        pytest.raises(AmbiguousError, match="no ans"),
    ):
        hand_over(handover)


def test_the_servers_words_are_cleaned_and_cut() -> None:
    hostile = scripted(RCPT="550 no \x1b[31m\x00user " + "x" * 500)
    with hostile as server, a_transport(server.port).connect() as handover, pytest.raises(PermanentError) as caught:
        hand_over(handover)
    assert str(caught.value).startswith("RCPT: 550 no [31muser xxx")
    assert len(str(caught.value)) < 220


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        pytest.param({"greeting": None}, RetryableError, id="hung up at once"),
        pytest.param({"greeting": "421 busy"}, RetryableError, id="busy"),
        pytest.param({"greeting": "554 go away"}, PermanentError, id="not wanted"),
        pytest.param({"EHLO": None}, RetryableError, id="hung up on EHLO"),
        pytest.param({"EHLO": "500 what", "HELO": "550 never"}, PermanentError, id="refuses to talk"),
    ],
)
def test_a_server_that_does_not_take_us_in(answers: dict[str, str | None], error: type[Exception]) -> None:
    with scripted(**answers) as server:
        with pytest.raises(error) as caught, a_transport(server.port).connect():
            pass
        assert type(caught.value) is error
        assert str(caught.value).startswith(f"127.0.0.1:{server.port}: ")


def test_a_server_that_is_not_there_is_tried_again() -> None:
    with pytest.raises(RetryableError), a_transport(free_port()).connect():
        pass


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param({}, id="not offered"),
        pytest.param({"EHLO": "250-hello\n250 STARTTLS", "STARTTLS": "454 not now"}, id="refused for now"),
        pytest.param({"EHLO": "250-hello\n250 STARTTLS", "STARTTLS": "554 never"}, id="refused for good"),
    ],
)
def test_nothing_is_sent_where_starttls_was_stripped(
    monkeypatch: pytest.MonkeyPatch, answers: dict[str, str | None]
) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", "secret")
    with scripted(**answers) as server:
        sign_in = {"username": "shop", "password_env": "SMTP_PASSWORD"}
        transport = a_transport(server.port, security="starttls", **sign_in)
        with pytest.raises(RetryableError, match="in the clear"), transport.connect():
            pass
    assert {"AUTH", "MAIL"}.isdisjoint(server.verbs)


@pytest.mark.parametrize(
    ("offered", "answer", "error"),
    [
        pytest.param("250-hello\n250 AUTH PLAIN", "535 wrong", PermanentError, id="wrong password"),
        pytest.param("250-hello\n250 AUTH PLAIN", "454 not now", RetryableError, id="not now"),
        pytest.param("250-hello\n250 AUTH PLAIN", None, RetryableError, id="hung up"),
        pytest.param("250-hello\n250 AUTH GSSAPI", "535 wrong", PermanentError, id="no way that we know"),
        pytest.param("250 hello", "535 wrong", PermanentError, id="no sign-in at all"),
    ],
)
def test_a_refused_sign_in(
    monkeypatch: pytest.MonkeyPatch, offered: str, answer: str | None, error: type[Exception]
) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", "secret")
    sign_in = {"username": "shop", "password_env": "SMTP_PASSWORD"}
    with scripted(EHLO=offered, AUTH=answer) as server:
        with pytest.raises(error) as caught, a_transport(server.port, **sign_in).connect():
            pass
        assert type(caught.value) is error
        assert "secret" not in str(caught.value)
    assert "MAIL" not in server.verbs


def test_a_password_that_no_sign_in_can_carry_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", "geheimnis-ü")
    sign_in = {"username": "shop", "password_env": "SMTP_PASSWORD"}
    with scripted(EHLO="250-hello\n250 AUTH PLAIN") as server:
        transport = a_transport(server.port, **sign_in)
        with pytest.raises(PermanentError, match="ASCII"), transport.connect():
            pass


def test_a_missing_password_is_said_before_connecting() -> None:
    with pytest.raises(SecretError), a_transport(1, username="shop", password_env="NOT_SET_ANYWHERE").connect():
        pass


@pytest.mark.parametrize(
    "path", ["a@b.example>\r\nRCPT TO:<c@d.example", "a b@c.example", "<a@b.example>", "é@b.example"]
)
@pytest.mark.parametrize("field", ["sender", "recipient"])
def test_no_address_smuggles_in_a_command(field: str, path: str) -> None:
    with scripted() as server, a_transport(server.port).connect() as handover:
        with pytest.raises(PermanentError, match="envelope"):
            hand_over(handover, an_envelope(**{field: path}))
        with pytest.raises(PermanentError, match="envelope"):
            hand_over(handover, an_envelope(recipient=""))
    assert "MAIL" not in server.verbs


def test_an_access_token_takes_the_password_s_place() -> None:
    settings = {"host": "127.0.0.1", "security": "none", "username": "shop", "oauth_mailbox": "support"}
    with scripted(EHLO="250-hello\n250 AUTH XOAUTH2", AUTH="235 signed in") as server:
        transport = SmtpTransport(Smtp.model_validate(settings | {"port": server.port}), lambda: "fresh")
        with transport.connect():
            pass
    assert "AUTH" in server.verbs


def test_a_refused_access_token_is_not_told() -> None:
    settings = {"host": "127.0.0.1", "security": "none", "username": "shop", "oauth_mailbox": "support"}
    with scripted(EHLO="250-hello\n250 AUTH XOAUTH2", AUTH="535 5.7.8 refused") as server:
        transport = SmtpTransport(Smtp.model_validate(settings | {"port": server.port}), lambda: "fresh")
        with pytest.raises(PermanentError) as told, transport.connect():
            pass
    assert "fresh" not in str(told.value)
