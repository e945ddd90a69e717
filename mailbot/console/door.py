"""Who may come in: sessions in a cookie, forms of our own pages only, and headers that keep a page to itself."""

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mailbot.steps.acting import PROOF_PATH
from mailbot.steps.app import App
from mailbot.store import api_tokens, sessions
from mailbot.store.sessions import Link, SignedIn
from mailbot.store.transaction import transaction

API = "/api/"
ENROL = "/account/code"
_OPEN_PATHS = ("/sign-in", "/welcome", "/static/", PROOF_PATH)
_UNENROLLED_PATHS = (ENROL, "/sign-out")
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_TROUBLE = "Something went wrong here. It is in the log; nothing was changed."
_STAY_ON_TLS = "max-age=31536000"
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
log = structlog.get_logger()


class Doorkeeper:
    """Lets signed-in browsers and scripts with a token in, and no form of another origin; others must sign in."""

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
    """What is answered at the door; ``None``: the page itself answers, and knows who asks."""
    app: App = request.app.state.mailbot
    path, request.state.who = request.url.path, None
    if path.startswith(API):
        request.state.who = await run_in_threadpool(_bearer, app, request.headers.get("authorization", ""))
        return None if request.state.who else JSONResponse({"error": "no valid token"}, status_code=401)
    if request.method not in _SAFE_METHODS and not _is_same_origin(request):
        return PlainTextResponse("This form came from another site.", status_code=403)
    if path.startswith(_OPEN_PATHS):
        return None
    who = await run_in_threadpool(_signed_in, app, request.cookies.get(cookie_name(request)))
    if who is None:
        return RedirectResponse("/sign-in", status_code=303)
    if not who.enrolled and not path.startswith(_UNENROLLED_PATHS):
        return RedirectResponse(ENROL, status_code=303)
    request.state.who = who
    return None


def cookie_name(request: Request) -> str:
    """The session cookie's name; browsers take ``__Host-`` only over TLS."""
    return "__Host-mailbot" if request.url.scheme == "https" else "mailbot"


def set_cookie(request: Request, response: Response, token: str) -> Response:
    """Give a browser its session."""
    response.set_cookie(
        cookie_name(request),
        token,
        max_age=int(sessions.AT_MOST.total_seconds()),
        httponly=True,
        secure=request.url.scheme == "https",
        samesite="lax",
    )
    return response


def make_link(app: App, link: Link, user_id: int | None, address: str) -> str:
    """A link that lets one browser in, once; ``address`` is the console's own."""
    page = "sign-in" if link is Link.SIGN_IN else "welcome"
    with transaction(app.engine) as session:
        return f"{address}/{page}?token={sessions.make_link(session, link, user_id, app.now())}"


def _signed_in(app: App, token: str | None) -> SignedIn | None:
    if token is None:
        return None
    with transaction(app.engine) as session:
        return sessions.find_signed_in(session, token, app.now())


def _bearer(app: App, authorization: str) -> SignedIn | None:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        return None
    with transaction(app.engine) as session:
        return api_tokens.find(session, token.strip(), app.now())


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
