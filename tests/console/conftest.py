"""The demonstration worked off, with its console served, and a real browser."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from starlette.routing import BaseRoute

from mailbot.console.app import make_console, serving
from mailbot.demo.mailbox_page import outside
from mailbot.demo.run import demo_app, fill_inbox, work_off
from mailbot.demo.servers import MailServers
from mailbot.logs import set_up_logs
from mailbot.steps.app import App
from tests.console.visits import Clock, Console, Serve, Visitor, a_database, on_database
from tests.servers.absent import absent

_CHROMIUM = Path("/usr/bin/chromium")
_CHROMIUM_ARGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)


@contextmanager
def _served(app: App, more: list[BaseRoute] | None = None) -> Iterator[Console]:
    set_up_logs(verbose=False)
    clock = Clock(real=app.judgement.clock)
    timed = replace(app, judgement=replace(app.judgement, clock=clock))
    with serving(make_console(timed, more), "127.0.0.1", 0) as address:
        yield Console(app=timed, address=address, clock=clock)


@pytest.fixture(scope="session")
def served() -> Serve:
    """Serve the console of a mailbot of the test's own."""
    return _served


@contextmanager
def _demonstration(database: str | None) -> Iterator[tuple[App, MailServers]]:
    """The demonstration, worked off, on SQLite or on the PostgreSQL database of that address."""
    with demo_app("127.0.0.1:0") as (here, servers), on_database(here, database) as app:
        fill_inbox(app, servers)
        assert work_off(app) == ()
        yield app, servers


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def desk(request: pytest.FixtureRequest) -> Iterator[Console]:
    """Serve a demonstration that people work on, on each database."""
    with _demonstration(a_database(request, request.param)) as (app, _), _served(app) as console:
        yield console


@pytest.fixture(params=["sqlite", "postgres"])
def fresh(request: pytest.FixtureRequest) -> Iterator[Console]:
    """Serve a console that nobody has an account of, on each database."""
    database = a_database(request, request.param)
    with demo_app("127.0.0.1:0") as (here, _), on_database(here, database) as app, _served(app) as console:
        yield console


@pytest.fixture(scope="session")
def _demo() -> Iterator[Console]:
    with (
        _demonstration(None) as (app, servers),
        _served(app, [outside(servers, app.settings.shop.zone)]) as console,
    ):
        yield console


@pytest.fixture
def console(_demo: Console) -> Iterator[Console]:
    """Serve the demonstration, worked off; its clock goes right again after each test."""
    yield _demo
    _demo.clock.ahead = timedelta()


@pytest.fixture
def visitor(console: Console) -> Visitor:
    """Somebody who is not signed in to the demonstration's console."""
    return console.visitor()


@pytest.fixture
def operator(console: Console) -> Visitor:
    """Somebody who is signed in to the demonstration's console."""
    return console.operator()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Start a real browser; no longer than a file's tests, for it keeps an event loop in this thread."""
    if not _CHROMIUM.exists():
        absent("chromium", "apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=list(_CHROMIUM_ARGS))
        yield browser
        browser.close()
