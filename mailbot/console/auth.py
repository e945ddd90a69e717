"""Who may look: one-time links, sessions in a cookie, and the headers that keep a page to itself."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from mailbot.steps.app import App
from mailbot.store import sessions
from mailbot.store.transaction import transaction

_OPEN_PATHS = ("/sign-in", "/static/")
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; frame-src 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
Next = Callable[[Request], Awaitable[Response]]


class Doorkeeper(BaseHTTPMiddleware):
    """Lets signed-in browsers in, others to the sign-in page, and no form of another origin anywhere."""

    async def dispatch(self, request: Request, call_next: Next) -> Response:
        """Check origin and session, then put the protecting headers on whatever is answered."""
        response = await self._answer(request, call_next)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    async def _answer(self, request: Request, call_next: Next) -> Response:
        if request.method not in _SAFE_METHODS and not _is_same_origin(request):
            return PlainTextResponse("This form came from another site.", status_code=403)
        if request.url.path.startswith(_OPEN_PATHS):
            return await call_next(request)
        app: App = request.app.state.mailbot
        if await run_in_threadpool(_is_signed_in, app, request.cookies.get(cookie_name(request))):
            return await call_next(request)
        return RedirectResponse("/sign-in", status_code=303)


def cookie_name(request: Request) -> str:
    """The session cookie's name; browsers take ``__Host-`` only over TLS."""
    return "__Host-mailbot" if request.url.scheme == "https" else "mailbot"


def trade_link(app: App, token: str) -> str | None:
    """A session for a one-time link's token, or ``None``."""
    with transaction(app.engine) as session:
        return sessions.use_link(session, token, app.now())


def make_sign_in_link(app: App, address: str) -> str:
    """A link that signs one browser in, once, within the hour; ``address`` is the console's own."""
    with transaction(app.engine) as session:
        return f"{address}/sign-in?token={sessions.make_link(session, app.now())}"


def _is_signed_in(app: App, token: str | None) -> bool:
    if token is None:
        return False
    with transaction(app.engine) as session:
        return sessions.is_signed_in(session, token, app.now())


def _is_same_origin(request: Request) -> bool:
    origin = request.headers.get("origin")
    if request.headers.get("sec-fetch-site") not in {None, "same-origin"} or origin is None:
        return False
    return urlsplit(origin).netloc == request.headers.get("host")
