"""Hands finished messages to the shop's submission server, and says exactly how far each one came.

Source: RFC 5321 §4.1 and §4.5, RFC 3207, RFC 4954, RFC 1870; RELIABILITY.md, P3 and P7.
"""

import re
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

from mailbot.act.phrases import clean, cut
from mailbot.errors import AmbiguousError, MailbotError, PermanentError, RetryableError, shown
from mailbot.model.expiry import Noted, certificate_of
from mailbot.ports import Envelope, Mark
from mailbot.settings import Security, Smtp

_CONNECT_SECONDS = 30
_COMMAND_SECONDS = 300
_AFTER_DOT_SECONDS = 600
_MOST_ANSWER = 200
_PATH = re.compile(r"[!-;=?-~]{1,254}", re.ASCII)
_LINE_END = re.compile(rb"\r\n|\r|\n")
_LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)
_BROKEN = (smtplib.SMTPException, OSError)


class SmtpHandover:
    """A signed-in connection; after an error it takes the next message or says ``RetryableError`` once it is lost."""

    __slots__ = ("_server",)

    def __init__(self, server: smtplib.SMTP) -> None:
        """Take over a connection that is ready for MAIL."""
        self._server = server

    def send(self, envelope: Envelope, before_dot: Mark, after_dot: Mark) -> None:
        """Hand over one message; see ``Handover.send`` for the arguments and errors."""
        for path in (envelope.sender, envelope.recipient) if envelope.sender else (envelope.recipient,):
            if not _PATH.fullmatch(path):
                raise PermanentError(f"{shown(path)} cannot stand in an envelope; it must be a bare ASCII address")
        data = _with_line_ends(envelope.data)
        size = f" SIZE={len(data)}" if self._server.has_extn("size") else ""
        self._command("MAIL", f"FROM:<{envelope.sender}>{size}")
        self._command("RCPT", f"TO:<{envelope.recipient}>")
        self._command("DATA", "", wanted=3)
        code, answer = self._hand_over(data, before_dot)
        if _class(code) != 2:  # noqa: PLR2004 (RFC 5321 §4.2.1: the first digit of a reply)
            raise self._refused("message", code, answer)
        after_dot()

    def _command(self, verb: str, arguments: str, wanted: int = 2) -> None:
        with _lost_link_is_retryable(verb):
            code, answer = self._server.docmd(verb, arguments)
        if _class(code) != wanted:
            raise self._refused(verb, code, answer)

    def _hand_over(self, data: bytes, before_dot: Mark) -> tuple[int, bytes]:
        """Write the message and its dot; half a message is taken back by closing the connection."""
        server = self._server
        with ExitStack() as taken_back:
            taken_back.callback(server.close)
            with _lost_link_is_retryable("message"):
                server.send(_LEADING_DOT.sub(b"..", data))
            before_dot()
            try:
                server.send(b".\r\n")
                _set_timeout(server, _AFTER_DOT_SECONDS)
                code, answer = server.getreply()
                _set_timeout(server, _COMMAND_SECONDS)
            except _BROKEN as problem:
                raise AmbiguousError(f"message: handed over, no answer came: {_said(problem)}") from None
            if _class(code) not in {2, 4, 5}:
                raise AmbiguousError(f"message: handed over, the answer is none: {code} {_said(answer)}")
            taken_back.pop_all()
        return code, answer

    def _refused(self, what: str, code: int, answer: bytes) -> MailbotError:
        """The error for a refusal, with the connection made ready for the next message."""
        with suppress(*_BROKEN):
            self._server.rset()
        return _refusal(what, code, answer)


class SmtpTransport:
    """The submission server of ``[smtp]``; implements ``MailTransport``."""

    def __init__(
        self, settings: Smtp, access_token: Callable[[], str] | None = None, noted: Noted | None = None
    ) -> None:
        """Keep the settings; the password or token is read, and the server connected, by ``connect``.

        Args:
            settings: where, and as whom.
            access_token: takes the password's place.
            noted: is told how long the server's certificate is good for.
        """
        self._settings, self._secret = settings, access_token or settings.password
        self._noted = noted

    @contextmanager
    def connect(self) -> Iterator[SmtpHandover]:
        """Connect, protect the line and sign in, once for many messages.

        Raises:
            RetryableError: the server is not there, or does not protect the line as the settings ask.
            PermanentError: it refuses us or the sign-in (5xx).
            SecretError: the password is not where the settings say.
        """
        password = self._secret() if self._settings.username else ""
        with ExitStack() as at_end:
            with _lost_link_is_retryable(f"{self._settings.host}:{self._settings.port}"):
                server = _connected(self._settings)
                at_end.callback(server.close)
                _protect(server, self._settings.security)
                if self._settings.username:
                    _sign_in(server, self._settings, password)
            self._note_certificate(server)
            yield SmtpHandover(server)
            with suppress(*_BROKEN):
                _set_timeout(server, _CONNECT_SECONDS)
                server.quit()

    def _note_certificate(self, server: smtplib.SMTP) -> None:
        line = server.sock
        if self._noted is not None and isinstance(line, ssl.SSLSocket):
            certificate = certificate_of(f"{self._settings.host}:{self._settings.port}", line.getpeercert())
            if certificate is not None:
                self._noted(certificate)


def _connected(settings: Smtp) -> smtplib.SMTP:
    host, port = settings.host, settings.port
    if settings.security is Security.TLS:
        context = ssl.create_default_context()
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, "localhost", timeout=_CONNECT_SECONDS, context=context)
    else:
        server = smtplib.SMTP(host, port, "localhost", timeout=_CONNECT_SECONDS)
    line = _socket(server)
    line.settimeout(_COMMAND_SECONDS)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    server.local_hostname = _address_literal(line.getsockname()[0])
    return server


def _protect(server: smtplib.SMTP, security: Security) -> None:
    server.ehlo_or_helo_if_needed()
    if security is not Security.STARTTLS:
        return
    try:
        server.starttls(context=ssl.create_default_context())
    except (smtplib.SMTPNotSupportedError, smtplib.SMTPResponseException) as problem:
        raise RetryableError(f"nothing is sent in the clear: {_said(problem)}") from None
    server.ehlo_or_helo_if_needed()


def _sign_in(server: smtplib.SMTP, settings: Smtp, password: str) -> None:
    try:
        if settings.signs_in_by_token:
            server.auth("XOAUTH2", lambda _=None: _bearer(settings.username, password))
        else:
            server.login(settings.username, password)
    except UnicodeEncodeError:
        raise PermanentError("sign-in: user name and password must be ASCII") from None
    except (smtplib.SMTPResponseException, smtplib.SMTPServerDisconnected):
        raise
    except smtplib.SMTPException as problem:
        raise PermanentError(f"sign-in: {_said(problem)}") from None


def _bearer(username: str, token: str) -> str:
    return f"user={username}\x01auth=Bearer {token}\x01\x01"


@contextmanager
def _lost_link_is_retryable(what: str) -> Iterator[None]:
    try:
        yield
    except smtplib.SMTPResponseException as problem:
        raise _refusal(what, problem.smtp_code, problem.smtp_error) from None
    except _BROKEN as problem:
        raise RetryableError(f"{what}: the link is broken: {_said(problem)}") from None


def _refusal(what: str, code: int, answer: bytes | str) -> MailbotError:
    """The server's refusal as an error; an answer that is a ``str`` is smtplib's own complaint about a broken one."""
    refused_for_good = _class(code) == 5 and isinstance(answer, bytes)  # noqa: PLR2004 (RFC 5321 §4.2.1)
    return (PermanentError if refused_for_good else RetryableError)(f"{what}: {code} {_said(answer)}")


def _class(code: int) -> int:
    return code // 100


def _said(answer: object) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else str(answer)
    return cut(clean(text), _MOST_ANSWER)


def _with_line_ends(data: bytes) -> bytes:
    """CRLF at the end of every line and of the whole: no bare CR or LF may look like the end of a message elsewhere."""
    data = _LINE_END.sub(b"\r\n", data)
    return data if data.endswith(b"\r\n") else data + b"\r\n"


def _address_literal(address: str) -> str:
    """How a client without a name of its own says EHLO. Source: RFC 5321 §4.1.3, §4.1.4."""
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def _socket(server: smtplib.SMTP) -> socket.socket:
    if server.sock is None:
        raise smtplib.SMTPServerDisconnected("the link is closed")
    return server.sock


def _set_timeout(server: smtplib.SMTP, seconds: float) -> None:
    _socket(server).settimeout(seconds)
