"""Who may look: one-time links, sessions in a cookie, and the headers that keep a page to itself."""

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mailbot.steps.acting import PROOF_PATH
from mailbot.steps.app import App
from mailbot.store import sessions
from mailbot.store.transaction import transaction

_TROUBLE = "Something went wrong here. It is in the log; nothing was changed."
_OPEN_PATHS = ("/sign-in", "/static/", PROOF_PATH)
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
_STAY_ON_TLS = "max-age=31536000"
log = structlog.get_logger()


class Doorkeeper:
    """Lets signed-in browsers in, others to the sign-in page, and no form of another origin anywhere."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check origin and session, then put the protecting headers on whatever is answered, trouble included."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request, begun = Request(scope, receive), False

        async def protected(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if request.url.scheme == "https":
                    headers.setdefault("Strict-Transport-Security", _STAY_ON_TLS)
            await send(message)

        try:
            answer = await _answer(request) or self._app
            await answer(scope, receive, protected)
        except Exception:
            log.exception("page_broken", why=request.method)
            if begun:
                raise
            await PlainTextResponse(_TROUBLE, status_code=500)(scope, receive, protected)


async def _answer(request: Request) -> Response | None:
    """What is answered at the door; ``None``: the page itself answers."""
    if request.method not in _SAFE_METHODS and not _is_same_origin(request):
        return PlainTextResponse("This form came from another site.", status_code=403)
    if request.url.path.startswith(_OPEN_PATHS):
        return None
    app: App = request.app.state.mailbot
    if await run_in_threadpool(_is_signed_in, app, request.cookies.get(cookie_name(request))):
        return None
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
    """Whether a form comes from a page of ours.

    Browsers say so by ``Sec-Fetch-Site``; its ``same-origin`` needs no more, because under ``no-referrer`` they name
    the origin ``null`` (Fetch, "append a request Origin header"). Older ones name the origin alone.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if (site is not None and site != "same-origin") or origin is None:
        return False
    if site == "same-origin" and origin == "null":
        return True
    return origin in {f"{scheme}://{request.headers.get('host')}" for scheme in ("http", "https")}
