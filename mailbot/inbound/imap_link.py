"""The link to an IMAP server: TLS verified, signed in, and never bringing more bytes than were asked for."""

import re
import socket
import ssl
from collections.abc import Callable
from contextlib import ExitStack, suppress
from imaplib import IMAP4
from typing import Any

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import CapabilityError, LoginError

from mailbot.errors import PermanentError, RetryableError
from mailbot.model.expiry import Expiry, Noted, certificate_of
from mailbot.settings import MailboxSettings, Security

BROKEN = (IMAP4.abort, OSError)
"""What is raised when a link can no longer be used."""

FAILED = (IMAP4.error, OSError, ValueError)
"""What is raised when a command did not do its work; imapclient answers some malformed lines with ValueError."""

_TIMEOUT = SocketTimeout(connect=30, read=60)
_SPARE_BYTES = 2 * 1024 * 1024
_PIECE = 64 * 1024
_TEMPORARY = re.compile(r"\[(?:UNAVAILABLE|INUSE|SERVERBUG|LIMIT|THROTTLED)\]", re.IGNORECASE)
_TOO_MUCH = re.compile(r"\[(?:LIMIT|THROTTLED|OVERQUOTA)\]", re.IGNORECASE)
_PLAIN_WORD = re.compile(r"[A-Za-z0-9!#$&'+,./:;<=>?@^_`|~-]+")
_RAW_ANSWER = re.compile(r"\[?\b[bB]['\"].*", re.DOTALL)
_MOST_SAID = 300


class MailboxGoneError(RetryableError):
    """The server of a mailbox is not there now, or did not do what it was asked this time.

    Attributes:
        timed_out: it said nothing at all.
    """

    def __init__(self, settings: MailboxSettings, problem: object) -> None:
        """Keep the mailbox's name and host apart."""
        self.mailbox, self.host = settings.name, settings.host
        self.timed_out = isinstance(problem, TimeoutError)
        super().__init__(f"mailbox {self.mailbox}: {_at(settings)}: {_said(problem)}; it is tried again")


class MailboxRefusedError(PermanentError):
    """The server of a mailbox is there and refuses what the configuration asks of it."""

    def __init__(self, settings: MailboxSettings, problem: str, mend: str) -> None:
        """Keep the mailbox's name and host apart."""
        self.mailbox, self.host = settings.name, settings.host
        super().__init__(f"mailbox {self.mailbox}: {_at(settings)} {_said(problem)}; {mend}")


class Link(IMAPClient):  # type: ignore[misc]  # it ships no types
    """One connection; for one thread only."""

    def __init__(self, settings: MailboxSettings) -> None:
        """Connect; with ``security = "tls"`` the certificate has been verified when this returns."""
        super().__init__(
            settings.host,
            settings.port,
            ssl=settings.security is Security.TLS,
            ssl_context=None if settings.security is Security.NONE else ssl.create_default_context(),
            timeout=_TIMEOUT,
        )
        self._imap.debug = 0
        self.normalise_times = False

    def _create_IMAP4(self) -> "_MeteredIMAP4":  # noqa: N802 (imapclient's own name)
        return _MeteredIMAP4(self.host, self.port, _TIMEOUT.connect, self.ssl_context if self.ssl else None)

    def allow(self, expected: int) -> None:
        """Let the answers to come bring so many bytes and a little more; beyond, the link breaks."""
        self._imap.left = expected + _SPARE_BYTES

    def heard_of_mail(self) -> bool:
        """Whether an answer since the last such question said that the folder has grown (EXISTS)."""
        return bool(self._imap.response("EXISTS")[1] != [None])

    def idle_until_mail(self, seconds: float) -> bool:
        """Stay in IDLE at most so long (RFC 2177); whether the folder has grown."""
        self.idle()
        while self._imap.ahead:  # came in one piece with the answer to IDLE: no poll would tell of it
            self._imap._get_response()  # noqa: SLF001 (imapclient reads so too)
        grown = self.heard_of_mail()
        heard = [] if grown else self.idle_check(timeout=seconds)
        self.idle_done()
        return grown or any(answer[1:2] == (b"EXISTS",) for answer in heard) or self.heard_of_mail()

    def certificate(self, server: str) -> Expiry | None:
        """How long the certificate of ``host:port`` is good for; ``None`` without TLS."""
        line = self.socket()
        return certificate_of(server, line.getpeercert()) if isinstance(line, ssl.SSLSocket) else None

    def hang_up(self, *, politely: bool) -> None:
        """Close the connection; after a broken link nothing more can be said."""
        if politely:
            with suppress(*FAILED):
                self.logout()
                return
        with suppress(OSError):
            self.shutdown()


class _MeteredIMAP4(IMAP4):
    """The protocol below, reading by itself: what is announced or sent beyond what is left breaks the link.

    Attributes:
        left: bytes that may still come.
        ahead: bytes that have come and are not yet read.
    """

    def __init__(self, host: str, port: int, timeout: float, context: ssl.SSLContext | None) -> None:
        self._context = context
        self.left, self.ahead = _SPARE_BYTES, bytearray()
        super().__init__(host, port, timeout)

    def _create_socket(self, timeout: float | None = None) -> socket.socket:
        link = socket.create_connection((self.host, self.port), timeout)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return link if self._context is None else self._context.wrap_socket(link, server_hostname=self.host)

    def read(self, size: int) -> bytes:
        if size > self.left + len(self.ahead):
            raise self.abort("the answer is larger than it may be")
        while len(self.ahead) < size and self._receive():
            pass
        return self._taken(size)

    def readline(self) -> bytes:
        seen = 0
        while (end := self.ahead.find(b"\n", seen)) < 0:
            seen = len(self.ahead)
            if not self._receive():
                return self._taken(seen)
        return self._taken(end + 1)

    def _receive(self) -> bool:
        piece = self.sock.recv(_PIECE)
        self.left -= len(piece)
        if self.left < 0:
            raise self.abort("the answer is larger than it may be")
        self.ahead += piece
        return bool(piece)

    def _taken(self, size: int) -> bytes:
        taken = bytes(memoryview(self.ahead)[:size])
        del self.ahead[:size]
        return taken

    def _simple_command(self, name: str, *args: Any) -> tuple[str, list[Any]]:
        answer: tuple[str, list[Any]] = super()._simple_command(name, *args)  # type: ignore[misc]  # typeshed has none
        if name == "STARTTLS" and self.ahead:
            raise self.abort("it said something between STARTTLS and TLS, which anybody can have put there")
        return answer


def sign_in(settings: MailboxSettings, secret: Callable[[], str], noted: Noted | None = None) -> Any:
    """Connect and sign in.

    Args:
        settings: where, and as whom.
        secret: gives the password, or the access token of an account that signs in by OAuth.
        noted: is told how long the server's certificate is good for.

    Returns:
        A ``Link`` to hang up in the end; ``Any``, as imapclient ships no types.

    Raises:
        RetryableError: the server is not there now.
        PermanentError: its certificate is not trusted, it has no STARTTLS, or it refuses the sign-in.
        InputError: the password is not where the configuration says.
    """
    password = secret()
    link = _connect(settings)
    with ExitStack() as undo:
        undo.callback(link.hang_up, politely=False)
        if noted is not None and (certificate := link.certificate(_at(settings))) is not None:
            noted(certificate)
        try:
            _log_in(link, settings, password)
        except LoginError as problem:
            # imapclient makes a LoginError of every error, a link that breaks meanwhile among them.
            if isinstance(problem.__context__, IMAP4.abort) or is_temporary(problem):
                raise MailboxGoneError(settings, _without(password, problem)) from None
            said = _without(password, problem)
            mend = "check username and password, and whether the account allows sign-in by IMAP"
            raise MailboxRefusedError(settings, f"refuses the sign-in of {settings.username} ({said})", mend) from None
        except FAILED as problem:
            raise MailboxGoneError(settings, _without(password, problem)) from None
        undo.pop_all()
    return link


def is_temporary(problem: Exception) -> bool:
    """Whether the server itself says that it refuses for now only (RFC 5530)."""
    return _TEMPORARY.search(str(problem)) is not None


def is_too_much(problem: Exception) -> bool:
    """Whether the server itself says that it was asked for too much lately, whatever it was."""
    return _TOO_MUCH.search(str(problem)) is not None


def _connect(settings: MailboxSettings) -> Any:
    with ExitStack() as undo:
        try:
            link = Link(settings)
            undo.callback(link.hang_up, politely=False)
            if settings.security is Security.STARTTLS:
                link.starttls(link.ssl_context)
        except ssl.SSLCertVerificationError as problem:
            said = f"shows a certificate that cannot be trusted ({problem.verify_message})"
            raise MailboxRefusedError(settings, said, "mend the certificate or the host's name") from problem
        except CapabilityError as problem:
            raise MailboxRefusedError(
                settings, "offers no STARTTLS, so nothing was said to it", 'use the port for security = "tls"'
            ) from problem
        except FAILED as problem:
            raise MailboxGoneError(settings, problem) from None
        undo.pop_all()
    return link


def _log_in(link: Any, settings: MailboxSettings, password: str) -> None:
    """LOGIN, which every server has; PLAIN for what LOGIN as imaplib writes it cannot carry; XOAUTH2 for a token."""
    username = settings.username
    if settings.signs_in_by_token:
        link.oauth2_login(username, password)
    elif _PLAIN_WORD.fullmatch(username) and password.isascii() and password.isprintable():
        link.login(username, password)
    else:
        link.plain_login(username, password)


def _without(password: str, problem: Exception) -> str:
    """What the server said, unless it repeats the password."""
    said = str(problem)
    escaped = password.replace("\\", "\\\\").replace('"', '\\"')
    return "what it says holds the password" if password in said or escaped in said else _said(said)


def _said(problem: object) -> str:
    """What went wrong, in one line, without raw answers: out of step, they may be the text of a mail."""
    text = _RAW_ANSWER.sub("(not shown)", str(problem)[:_MOST_SAID]) or type(problem).__name__
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _at(settings: MailboxSettings) -> str:
    return f"{settings.host}:{settings.port}"
