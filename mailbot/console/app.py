"""The console's routes and views, and how it is served."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import jinja2
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from mailbot.console import pages
from mailbot.console.auth import Doorkeeper, cookie_name, trade_link
from mailbot.console.proof import proof_routes
from mailbot.settings import find_folder
from mailbot.steps.app import App
from mailbot.store.cases import CaseNotFoundError

_SESSION_SECONDS = 12 * 3600


def make_console(app: App, more: list[BaseRoute] | None = None) -> Starlette:
    """The console of one mailbot.

    Args:
        app: the mailbot.
        more: routes that somebody else adds, such as the demo's view of the customer's side.
    """
    folder = find_folder("templates") / "console"
    views = _Views(app)
    routes: list[BaseRoute] = [
        Route("/", views.queue),
        Route("/cases/{number}", views.case),
        Route("/sign-in", views.sign_in, methods=["GET", "POST"]),
        Mount("/static", StaticFiles(directory=folder / "static")),
        *proof_routes(app),
        *(more or []),
    ]
    console = Starlette(routes=routes, middleware=[Middleware(Doorkeeper)])
    console.router.redirect_slashes = False  # it would lead to whatever host the request names
    console.state.mailbot = app
    return console


@contextmanager
def serving(console: Starlette, host: str, port: int) -> Iterator[str]:
    """Serve a console in the background for as long as the context lasts.

    Args:
        console: what to serve.
        host: the address to listen on.
        port: 0 for any free one.

    Yields:
        Its address, such as ``http://127.0.0.1:8080``.
    """
    config = uvicorn.Config(console, host=host, port=port, log_level="warning", access_log=False, server_header=False)
    server = uvicorn.Server(config)
    socket = config.bind_socket()
    socket.listen()
    thread = threading.Thread(target=partial(server.run, sockets=[socket]), name="console")
    thread.start()
    try:
        yield f"http://{host}:{socket.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        socket.close()


class _Views:
    """One method a page."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(find_folder("templates") / "console"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["local"] = partial(pages.local, zone=app.settings.shop.zone)
        self._templates.globals["shop"] = app.settings.shop.name
        self._templates.globals["zone"] = app.settings.shop.timezone

    def queue(self, _request: Request) -> Response:
        return self._page("queue.html", cases=pages.queue(self._app), now=self._app.now())

    def case(self, request: Request) -> Response:
        try:
            shown = pages.case(self._app, request.path_params["number"])
        except CaseNotFoundError as problem:
            return self._page("not_found.html", 404, problem=str(problem))
        return self._page("case.html", case=shown, clauses=self._app.judgement.policy.clauses)

    async def sign_in(self, request: Request) -> Response:
        if request.method != "POST":
            return self._page("sign_in.html", token=request.query_params.get("token", ""), failed=False)
        form = await request.form()
        session = trade_link(self._app, str(form.get("token", "")))
        if session is None:
            return self._page("sign_in.html", 403, token="", failed=True)
        response = RedirectResponse("/", status_code=303)
        response.set_cookie(
            cookie_name(request),
            session,
            max_age=_SESSION_SECONDS,
            httponly=True,
            secure=request.url.scheme == "https",
            samesite="lax",
        )
        return response

    def _page(self, name: str, status: int = 200, **values: Any) -> Response:
        return HTMLResponse(self._templates.get_template(name).render(**values), status_code=status)
