"""Shops to tell stories in: on parts of this process, or on the real servers that shops run."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect, text

from mailbot.sandbox.pool import Sandbox
from tests.journey.shop import Shop, open_shop, reading_rules
from tests.servers.postgres import Postgres

ShopBuilder = Callable[..., Shop]

_EMBEDDED = ("sqlite", "pymap", "smtp_sink")
_REAL = ("postgres", "dovecot", "postfix")
_MIXED = (("sqlite", "dovecot", "postfix"), ("postgres", "pymap", "smtp_sink"))


@pytest.fixture(scope="session")
def reader() -> Iterator[Sandbox]:
    """Give the limited child that reads the mails of all shops: it takes a second to start."""
    with Sandbox(reading_rules(), children=1) as sandbox:
        yield sandbox


class Databases:
    """PostgreSQL databases that are empty; what a test has left is emptied for the next, which saves half a second."""

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self._left: list[str] = []

    def take(self) -> str:
        """Give the URL of one, with the tables in it or with none."""
        return self._left.pop() if self._left else self._server.new_database()

    def give_back(self, url: str) -> None:
        """Empty one for the next test."""
        engine = create_engine(url)
        with engine.begin() as connection:
            tables = [name for name in inspect(connection).get_table_names() if name != "alembic_version"]
            if tables:
                connection.execute(text("SET LOCAL session_replication_role = replica"))  # the trails' triggers apart
                connection.execute(text(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE"))
        engine.dispose()
        self._left.append(url)


@pytest.fixture(scope="session")
def databases(postgres: Postgres) -> Databases:
    """Give PostgreSQL databases to take and give back."""
    return Databases(postgres)


@pytest.fixture
def a_shop(tmp_path: Path, request: pytest.FixtureRequest, reader: Sandbox) -> Iterator[ShopBuilder]:
    """Give a builder of shops; each must hold every invariant at the end.

    Named arguments are those of ``open_shop``; ``database``, ``mailbox_server`` and ``mta`` name fixtures.
    """
    shops: list[Shop] = []
    with ExitStack() as stack:

        def build(
            database: str = "sqlite", mailbox_server: str = "pymap", mta: str = "smtp_sink", **options: Any
        ) -> Shop:
            folder = tmp_path / str(len(shops))
            folder.mkdir()
            if database == "sqlite":
                url = f"sqlite:///{folder}/mailbot.db"
            else:
                databases: Databases = request.getfixturevalue("databases")
                url = databases.take()
                stack.callback(databases.give_back, url)
            options.setdefault("outgoing", None)
            options["outgoing"] = options["outgoing"] or request.getfixturevalue(mta)
            parts: dict[str, Any] = {"database": url, "reader": reader, **options}
            account = request.getfixturevalue(mailbox_server).new_account()
            shop = stack.enter_context(open_shop(folder, account=account, **parts))
            shops.append(shop)
            return shop

        yield build
        for shop in shops:
            shop.outgoing.wait_for(shop.expected)
            assert shop.damaged or shop.broken() == []


def _named(parts: tuple[str, ...]) -> Any:
    return pytest.param(parts, id="-".join(parts))


@pytest.fixture(params=[_named(_EMBEDDED), _named(_REAL)])
def servers(request: pytest.FixtureRequest) -> tuple[str, str, str]:
    """Name a database, a mailbox server and a mail server."""
    named: tuple[str, str, str] = request.param
    return named


@pytest.fixture
def shop(a_shop: ShopBuilder, servers: tuple[str, str, str]) -> Shop:
    """Give a shop with nothing in its book, on each set of servers in turn."""
    return a_shop(*servers)


@pytest.fixture(params=[_named(parts) for parts in (_EMBEDDED, _REAL, *_MIXED)])
def shop_anywhere(request: pytest.FixtureRequest, a_shop: ShopBuilder) -> Shop:
    """Give a shop as ``shop`` does, on every pair of database and mail servers."""
    return a_shop(*request.param)
