"""Insert unless it is there, the same way on both databases."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.dialects.postgresql import Insert as PostgresqlInsert
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from mailbot.store.prepared import Prepared
from mailbot.store.tables import Base, table_of


def insert_if_absent(session: Session, table: type[Base], row: Mapping[str, Any]) -> bool:
    """Insert a row whose key may be taken already; constraints decide, so that a race has one winner.

    Returns:
        Whether it was inserted.
    """
    statement = _prepared(table, session.get_bind().dialect.name, tuple(row))
    return statement.first(session, **row) is not None


def insert_all_absent(session: Session, table: type[Base], rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert many rows, leaving out those whose key is taken.

    Returns:
        How many were inserted.
    """
    if not rows:
        return 0
    statement = _insert_if_absent(table, session.get_bind().dialect.name)
    return len(session.execute(statement, list(rows)).all())


def upsert_all(session: Session, table: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert many rows of the same columns; a row whose key is there already takes the new values."""
    if not rows:
        return
    keys = [column.name for column in inspect(table).primary_key]
    statement = _insert(table, session.get_bind().dialect.name)
    fresh = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    session.execute(statement.on_conflict_do_update(index_elements=keys, set_=fresh), list(rows))


@cache
def _insert_if_absent(table: type[Base], dialect: str) -> ReturningInsert[Any]:
    return _insert(table, dialect).on_conflict_do_nothing().returning(*inspect(table).primary_key)


@cache
def _prepared(table: type[Base], dialect: str, columns: tuple[str, ...]) -> Prepared:
    return Prepared(_insert_if_absent(table, dialect), columns)


def _insert(table: type[Base], dialect: str) -> SqliteInsert | PostgresqlInsert:
    return (sqlite_insert if dialect == "sqlite" else postgresql_insert)(table_of(table))
