"""Visitors of a console, who see what a server really answers, and the time that it goes by."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

import pytest

from mailbot.console.door import make_link
from mailbot.model.people import Role
from mailbot.steps.app import App
from mailbot.store import users
from mailbot.store.cases import record_policy
from mailbot.store.instance import open_instance, upgrade
from mailbot.store.sessions import Link
from mailbot.store.transaction import open_engine, transaction
from tests.servers.postgres import Postgres  # noqa: TC001 (said at run time too)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back; header names are lower case, of a repeated one the last counts."""

    status: int
    headers: dict[str, str]
    text: str


@dataclass(slots=True, kw_only=True)
class Visitor:
    """Speaks HTTP as it is told, header by header; follows nothing, and keeps one cookie if it is given one."""

    address: str
    cookie: str | None = None

    def ask(
        self, path: str, method: str = "GET", headers: dict[str, str] | None = None, body: str | None = None
    ) -> Answer:
        link = HTTPConnection(urlsplit(self.address).netloc, timeout=20)
        sent = {"Cookie": self.cookie} if self.cookie else {}
        try:
            link.request(method, path, body, sent | (headers or {}))
            got = link.getresponse()
            content = got.read().decode("utf-8", "replace")
            return Answer(
                status=got.status, headers={name.lower(): value for name, value in got.getheaders()}, text=content
            )
        finally:
            link.close()

    def submit(self, path: str, form: dict[str, str], **headers: str) -> Answer:
        """Send a form as a browser does from a page of the same origin, but for the headers given."""
        sent = {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.address}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask(path, "POST", sent | named, urlencode(form))

    def form_token(self) -> str:
        """What a form of this visitor's session brings along."""
        found = re.search(r'name="form_token" value="([0-9a-f]{64})"', self.ask("/account").text)
        assert found is not None
        return found[1]

    def order(self, path: str, form: dict[str, str] | None = None) -> Answer:
        """Send a form as the page of that path would."""
        return self.submit(path, {"form_token": self.form_token(), **(form or {})})

    def sign_in(self, link: str) -> Answer:
        """Trade a one-time link, and keep the cookie where there is one."""
        answer = self.submit("/sign-in", {"token": link.partition("token=")[2]})
        if "set-cookie" in answer.headers:
            self.cookie = answer.headers["set-cookie"].partition(";")[0]
        return answer


@dataclass(slots=True, kw_only=True)
class Clock:
    """The real time, and so much more."""

    real: Callable[[], datetime]
    ahead: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        return self.real() + self.ahead


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """A console that is served, the mailbot behind it, and the clock that both go by."""

    app: App
    address: str
    clock: Clock

    def link(self, role: Role = Role.ADMIN) -> str:
        """Make a one-time link for somebody of a role."""
        name = f"{role.value}@shop.example"
        with transaction(self.app.engine) as session:
            user = users.find(session, name) or users.add(session, name, role, self.app.now())
        return make_link(self.app, Link.SIGN_IN, user.id, self.address)

    def visitor(self) -> Visitor:
        """Somebody who is not signed in."""
        return Visitor(address=self.address)

    def operator(self, role: Role = Role.ADMIN) -> Visitor:
        """Somebody who is."""
        visitor = self.visitor()
        assert visitor.sign_in(self.link(role)).status == 303
        return visitor


def a_database(request: pytest.FixtureRequest, kind: str) -> str | None:
    """An empty database of this kind: the address of one on PostgreSQL, ``None`` for the demonstration's SQLite."""
    if kind == "sqlite":
        return None
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres.new_database()


@contextmanager
def on_database(app: App, database: str | None) -> Iterator[App]:
    """The same mailbot on another database; on its own where there is none."""
    if database is None:
        yield app
        return
    engine = open_engine(database)
    try:
        upgrade(engine)
        with transaction(engine) as session:
            instance = open_instance(session, app.now())
            for policy in app.judgement.policies:
                record_policy(session, policy.version, policy.text, app.settings.shop.timezone, app.now())
        yield replace(app, engine=engine, instance=instance)
    finally:
        engine.dispose()


Serve = Callable[..., AbstractContextManager[Console]]
"""Serves the console of a mailbot for as long as the context lasts."""
