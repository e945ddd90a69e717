"""Transactions of SQLite and PostgreSQL that are durable when they return and refuse to be half done."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.orm import Session

from mailbot.errors import InputError, RetryableError
from mailbot.failpoints import AFTER, BEFORE, reach

_BUSY_MS = 30_000
_SWIFT = {"cache_size": -4000, "wal_autocheckpoint": 4000}
"""No promise rests on these: twenty mails fit in 4 MB; pages that are written often are copied back less often."""
_READ_ONLY = "mailbot_read_only"
_LOOK: dict[str, dict[str, Any]] = {
    "sqlite": {_READ_ONLY: True},
    "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
}
_outer: ContextVar[Session | None] = ContextVar("outer", default=None)


class StoreUnavailableError(RetryableError):
    """The database was locked, gone, or gave way to another transaction; the work can be done again."""


def open_engine(url: str) -> Engine:
    """Connect to a database lazily, with the guarantees that P7 asks of it.

    Args:
        url: SQLAlchemy URL, ``sqlite:///...`` or ``postgresql+psycopg://...``.

    Raises:
        InputError: the URL is wrong or its driver is not installed.
    """
    try:
        if make_url(url).get_backend_name() == "sqlite":
            engine = create_engine(url, connect_args={"timeout": _BUSY_MS / 1000})
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        else:
            engine = create_engine(url, pool_pre_ping=True, connect_args={"options": "-c synchronous_commit=on"})
    except (ArgumentError, NoSuchModuleError) as problem:
        raise InputError(f"database.url: {problem}") from None
    except ModuleNotFoundError as problem:
        raise InputError(f"database.url: {problem.name} is not installed; pip install 'mailbot[postgres]'") from None
    return engine


@contextmanager
def transaction(engine: Engine, point: str = "other") -> Iterator[Session]:
    """All of what happens inside, or nothing of it; durable when it returns (I14).

    Args:
        engine: the database.
        point: what fault tests know its commit by.

    Raises:
        StoreUnavailableError: the database could not do it now.
    """
    outer = _outer.get()
    if outer is not None:
        yield outer
        outer.flush()
        return
    with _outages_named(engine), Session(engine, expire_on_commit=False) as session, session.begin():
        yield session
        reach(point, BEFORE)
    reach(point, AFTER)


@contextmanager
def together(engine: Engine) -> Iterator[Session]:
    """Make every ``transaction`` that this thread begins inside part of one: all of them happen, or none."""
    with transaction(engine) as session:
        token = _outer.set(session)
        try:
            yield session
        finally:
            _outer.reset(token)


@contextmanager
def rehearsal(engine: Engine) -> Iterator[Session]:
    """Do as ``together`` does, to see what would happen; in the end nothing of it has."""
    with _outages_named(engine), Session(engine, expire_on_commit=False) as session, session.begin() as begun:
        token = _outer.set(session)
        try:
            yield session
        finally:
            _outer.reset(token)
            begun.rollback()


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """A look at one moment, however many statements it takes, that takes no lock and changes nothing."""
    look = engine.execution_options(**_LOOK[engine.dialect.name])
    with _outages_named(engine), Session(look) as session, session.begin():
        yield session


@contextmanager
def _outages_named(engine: Engine) -> Iterator[None]:
    try:
        yield
    except OperationalError as problem:
        raise StoreUnavailableError(f"database: {problem.orig}") from problem
    except engine.dialect.loaded_dbapi.OperationalError as problem:
        raise StoreUnavailableError(f"database: {problem}") from problem
    except DBAPIError as problem:
        if problem.connection_invalidated:
            raise StoreUnavailableError(f"database: {problem.orig}") from problem
        raise


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    for name, size in _SWIFT.items():
        connection.execute(f"PRAGMA {name} = {size}")
    kept = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": _BUSY_MS}
    wanted = {**kept, "secure_delete": 1}  # what is deleted, such as bytes that held a card number, is overwritten
    for pragma, value in wanted.items():
        connection.execute(f"PRAGMA {pragma} = {value}")
    found = {pragma: connection.execute(f"PRAGMA {pragma}").fetchone()[0] for pragma in wanted}
    if found != wanted:
        raise InputError(f"database: SQLite does not keep its promises here: {found}, wanted {wanted}")


def _begin_sqlite(connection: Connection) -> None:
    read_only = connection.get_execution_options().get(_READ_ONLY, False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
