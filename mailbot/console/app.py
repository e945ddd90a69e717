"""The console's table of pages, and how it is served."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from socket import IPPROTO_TCP, TCP_NODELAY

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from mailbot.console import (
    api,
    by_provider,
    case_pages,
    live,
    mail_parts,
    owner_pages,
    people_pages,
    queue_pages,
    sign_in,
)
from mailbot.console.door import Doorkeeper
from mailbot.console.proof import proof_routes
from mailbot.console.routes import OPEN, Page, get, make_routes, post
from mailbot.console.visit import Visit, open_desk
from mailbot.desk.verbs import NEEDS, Verb
from mailbot.model.people import Permission
from mailbot.settings import find_folder
from mailbot.steps.app import App

LOOK, WORK, APPROVE = Permission.LOOK, Permission.WORK, Permission.APPROVE
EDIT_POLICY, ADMINISTER = Permission.EDIT_POLICY, Permission.ADMINISTER
_LAST_WORDS_SECONDS = 1

PAGES: list[Page] = [
    get("/sign-in", OPEN, sign_in.show_sign_in),
    post("/sign-in", OPEN, sign_in.sign_in),
    get(by_provider.START, OPEN, by_provider.start),
    get(by_provider.RETURN, OPEN, by_provider.finish),
    get("/welcome", OPEN, sign_in.show_welcome),
    post("/welcome", OPEN, sign_in.welcome),
    post("/sign-out", LOOK, sign_in.sign_out),
    get("/account", LOOK, sign_in.show_account),
    post("/account/end", LOOK, sign_in.end_session),
    get("/account/code", LOOK, sign_in.show_code),
    post("/account/code", LOOK, sign_in.keep_code),
    get("/account/code/picture", LOOK, sign_in.code_picture),
    get("/", LOOK, queue_pages.show_queue),
    post("/queue/assign", WORK, queue_pages.assign_many),
    post("/views/save", LOOK, queue_pages.save_view),
    post("/views/drop", LOOK, queue_pages.drop_view),
    get("/cases/{number}", LOOK, case_pages.show_case),
    get("/cases/{number}/mails/{mail:int}/html", LOOK, mail_parts.mail_html),
    get("/cases/{number}/mails/{mail:int}/raw", LOOK, mail_parts.raw_mail),
    get("/cases/{number}/mails/{mail:int}/parts/{path}", LOOK, mail_parts.attachment),
    get("/cases/{number}/mails/{mail:int}/parts/{path}/pages", LOOK, mail_parts.show_pages),
    get("/cases/{number}/mails/{mail:int}/parts/{path}/pages/{page:int}", LOOK, mail_parts.page_picture),
    get("/cases/{number}/letters/{letter:int}/html", LOOK, mail_parts.letter_html),
    get("/previews/{name}", LOOK, mail_parts.preview_html),
    post("/cases/{number}/undo", WORK, case_pages.undo),
    post("/cases/{number}/dismiss", WORK, case_pages.dismiss),
]


def _about(verb: Verb, view: Callable[[Visit, Verb], Response]) -> Callable[[Visit], Response]:
    return lambda visit: view(visit, verb)


for _verb in Verb:
    _path = f"/cases/{{number}}/{_verb.value}"
    PAGES += [
        get(_path, NEEDS[_verb], _about(_verb, case_pages.show_action)),
        post(_path, NEEDS[_verb], _about(_verb, case_pages.act)),
        post(f"{_path}/preview", NEEDS[_verb], _about(_verb, case_pages.preview)),
    ]
PAGES += [*people_pages.PAGES, *owner_pages.PAGES, *api.PAGES]


def make_console(app: App, more: list[BaseRoute] | None = None) -> Starlette:
    """The console of one mailbot.

    Args:
        app: the mailbot.
        more: routes that somebody else adds, such as the demo's view of the customer's side.
    """
    desk = open_desk(app)
    routes: list[BaseRoute] = [
        *make_routes(desk, PAGES),
        Route("/live", partial(live.news, desk)),
        Mount("/static", StaticFiles(directory=find_folder("templates") / "console" / "static")),
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
    config = uvicorn.Config(
        console,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_LAST_WORDS_SECONDS,
    )
    server = uvicorn.Server(config)
    socket = config.bind_socket()
    socket.setsockopt(
        IPPROTO_TCP, TCP_NODELAY, 1
    )  # else a page's end waits 40 ms for the browser's word on its beginning
    socket.listen()
    thread = threading.Thread(target=partial(server.run, sockets=[socket]), name="console")
    thread.start()
    try:
        yield f"http://{host}:{socket.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        socket.close()
