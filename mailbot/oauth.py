"""Sign-in by OAuth 2.0 for mailboxes whose provider takes no passwords: authorization code with PKCE, and refresh.

Source: RFC 6749, RFC 7636 (PKCE), RFC 8252 (loopback redirect); RELIABILITY.md, P7 (TLS, no redirects).
"""

import base64
import hashlib
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2

from mailbot.errors import PermanentError, RetryableError, shown

_TIMEOUT = httpx2.Timeout(30.0)
PATIENCE = frozenset({408, 429, 500, 502, 503, 504})
_NOT_FOR_US = 404
_A_TURN_SECONDS = 1.0
_LEAST_LASTS = 60
_PAGE = b"<!doctype html><title>mailbot</title><p>Thank you. You can close this page; mailbot goes on in its window."


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Where one provider signs people in, and what mailbot asks to be allowed.

    Attributes:
        refresh_lasts: seconds that a refresh token is good for, unless the answer says; ``None``: until withdrawn.
    """

    authorize_url: str
    token_url: str
    scope: str
    refresh_lasts: int | None = None


GOOGLE = Provider(
    authorize_url="https://accounts.google.com/o/oauth2/v2/auth",
    token_url="https://oauth2.googleapis.com/token",  # noqa: S106 (an address, no secret)
    scope="https://mail.google.com/",
)


def microsoft(tenant: str) -> Provider:
    """Microsoft 365 for one tenant; ``common`` for any."""
    place = f"https://login.microsoftonline.com/{tenant}/oauth2/v2.0"
    outlook = "https://outlook.office.com"
    return Provider(
        authorize_url=f"{place}/authorize",
        token_url=f"{place}/token",
        scope=f"{outlook}/IMAP.AccessAsUser.All {outlook}/SMTP.Send offline_access",
        refresh_lasts=90 * 24 * 3600,  # unless it is used; Microsoft identity platform, "Refresh token lifetime"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Mailbot as the provider knows it.

    Attributes:
        secret: empty for a public client, which needs none.
    """

    provider: Provider
    id: str
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What the provider gave.

    Attributes:
        lasts: seconds that the access token is good for.
        refresh: ``None`` where the one before goes on.
        refresh_lasts: seconds that it is good for; ``None`` where nobody knows an end.
    """

    access: str
    lasts: int
    refresh: str | None
    refresh_lasts: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One sign-in that a person is asked for; ``url`` is for their browser."""

    url: str
    redirect: str
    state: str
    verifier: str


def ask(client: Client, username: str, redirect: str) -> Question:
    """Make up a sign-in: a fresh state against forged answers, a fresh verifier against stolen codes."""
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(64)
    fields = {
        "response_type": "code",
        "client_id": client.id,
        "redirect_uri": redirect,
        "scope": client.provider.scope,
        "state": state,
        "code_challenge": challenge(verifier),
        "code_challenge_method": "S256",
        "login_hint": username,
        "access_type": "offline",
        "prompt": "consent",
    }
    url = f"{client.provider.authorize_url}?{urlencode(fields)}"
    return Question(url=url, redirect=redirect, state=state, verifier=verifier)


def challenge(verifier: str) -> str:
    """What the provider is shown of a verifier beforehand. Source: RFC 7636, section 4.2 (S256)."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def exchange(client: Client, question: Question, code: str, transport: httpx2.BaseTransport | None = None) -> Tokens:
    """Turn the code of a finished sign-in into tokens.

    Raises:
        RetryableError: the provider is not there now.
        PermanentError: it refuses the code.
    """
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": question.redirect,
        "code_verifier": question.verifier,
    }
    return _tokens(client, fields, transport)


def refresh(client: Client, refresh_token: str, transport: httpx2.BaseTransport | None = None) -> Tokens:
    """Get a fresh access token.

    Raises:
        RetryableError: the provider is not there now.
        PermanentError: it refuses; a person must sign in again.
    """
    fields = {"grant_type": "refresh_token", "refresh_token": refresh_token, "scope": client.provider.scope}
    return _tokens(client, fields, transport)


def _tokens(client: Client, fields: dict[str, str], transport: httpx2.BaseTransport | None) -> Tokens:
    form = fields | {"client_id": client.id} | ({"client_secret": client.secret} if client.secret else {})
    given = ask_for_tokens(client.provider.token_url, form, transport=transport)
    lasts, fresh, ends = (given.get(name) for name in ("expires_in", "refresh_token", "refresh_token_expires_in"))
    return Tokens(
        access=given["access_token"],
        lasts=lasts if isinstance(lasts, int) else _LEAST_LASTS,
        refresh=fresh if isinstance(fresh, str) else None,
        refresh_lasts=ends if isinstance(ends, int) and ends > 0 else client.provider.refresh_lasts,
    )


def ask_for_tokens(
    url: str,
    form: dict[str, str],
    *,
    headers: dict[str, str] | None = None,
    transport: httpx2.BaseTransport | None = None,
) -> dict[str, Any]:
    """What a provider's token endpoint gives for a form: an access token at least (RFC 6749, section 5.1).

    Raises:
        RetryableError: the provider is not there now.
        PermanentError: it refuses, or gives something else.
    """
    host = urlsplit(url).hostname
    try:
        with httpx2.Client(timeout=_TIMEOUT, follow_redirects=False, trust_env=False, transport=transport) as http:
            answer = http.post(url, data=form, headers=headers or {})
    except httpx2.HTTPError as problem:
        raise RetryableError(f"sign-in: {host} cannot be reached: {type(problem).__name__}") from None
    if answer.status_code in PATIENCE:
        raise RetryableError(f"sign-in: {host} answers {answer.status_code}")
    try:
        given = answer.json()
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise PermanentError(f"sign-in: {host} answers {answer.status_code} and no tokens")
    if answer.status_code != httpx2.codes.OK or not isinstance(given.get("access_token"), str):
        raise PermanentError(f"sign-in: {host} refuses ({shown(given.get('error'))})")
    return given


class _Answers(HTTPServer):
    """Waits on loopback for the browser to come back with a code."""

    timeout = _A_TURN_SECONDS

    def __init__(self, port: int) -> None:
        self.query: dict[str, list[str]] = {}
        super().__init__(("127.0.0.1", port), _Answer)


class _Answer(BaseHTTPRequestHandler):
    server: _Answers

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        if not {"code", "error"} & query.keys():
            self.send_error(_NOT_FOR_US)
            return
        self.server.query = query
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(_PAGE)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the library's name)
        """Say nothing: the line would hold the code."""


class Landing:
    """The place that the browser comes back to."""

    def __init__(self, answers: _Answers) -> None:
        """Take over a server that listens."""
        self._answers = answers

    @property
    def redirect(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._answers.server_port}/"

    def wait(self, question: Question, seconds: float) -> str:
        """Wait for the code.

        Raises:
            PermanentError: the person refused, nobody came in time, or the answer was to another question.
        """
        end = time.monotonic() + seconds
        while not self._answers.query and time.monotonic() < end:
            self._answers.handle_request()
        query = {name: values[0] for name, values in self._answers.query.items()}
        if not query:
            raise PermanentError(f"sign-in: nobody came back within {seconds:.0f} s; start it again")
        if not secrets.compare_digest(query.get("state", ""), question.state):
            raise PermanentError("sign-in: the answer belongs to another sign-in; start it again")
        if "code" not in query:
            raise PermanentError(f"sign-in: refused ({shown(query['error'])})")
        return query["code"]


@contextmanager
def landing(port: int = 0) -> Iterator[Landing]:
    """Listen on loopback for the browser's return; port 0 for any free one."""
    with _Answers(port) as answers:
        yield Landing(answers)
