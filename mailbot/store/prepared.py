"""Statements of a mail's way, put into SQL once and from then on given straight to the database's driver.

What SQLAlchemy does at each execution costs several times what the database takes for statements as small as these. SQL
and conversions are SQLAlchemy's all the same, for both databases; errors are the driver's own, which ``transaction``
knows.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import CompoundSelect, Dialect, Select, UpdateBase
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler

_Statement = Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]] | UpdateBase
_Change = Callable[[Any], Any]

_CURSOR = "cursor"


class Prepared:
    """One statement of columns, not of mapped classes; like any other it first flushes what the session's objects hold.

    Args:
        statement: its values to come are ``bindparam``; those of an ``INSERT`` are its columns.
        columns: of an ``INSERT``, those that it is given.
    """

    def __init__(self, statement: _Statement, columns: Sequence[str] | None = None) -> None:
        self._statement, self._columns = statement, columns
        self._forms: dict[str, _Form] = {}

    def all(self, session: Session, **values: Any) -> list[Any]:
        """The rows, as named tuples."""
        form, cursor = self._ready(session)
        cursor.execute(form.text, form.bound(values))
        return form.rows(cursor.fetchall())

    def first(self, session: Session, **values: Any) -> Any:
        """The first row, or ``None`` where there is none."""
        rows = self.all(session, **values)
        return rows[0] if rows else None

    def run(self, session: Session, *rows: Mapping[str, Any]) -> None:
        """Change something, once for each row of values."""
        form, cursor = self._ready(session)
        for values in rows:
            cursor.execute(form.text, form.bound(values))

    def _ready(self, session: Session) -> "tuple[_Form, Any]":
        if session.autoflush:
            session.flush()
        dialect = session.get_bind().dialect
        form = self._forms.get(dialect.name)
        if form is None:
            form = self._forms[dialect.name] = _Form(self._statement, self._columns, dialect)
        cursor = session.info.get(_CURSOR)
        if cursor is None:
            cursor = session.info[_CURSOR] = session.connection().connection.cursor()
        return form, cursor


class _Form:
    """A statement in the words of one database."""

    def __init__(self, statement: _Statement, columns: Sequence[str] | None, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=columns)
        assert isinstance(compiled, SQLCompiler)  # noqa: S101 (what SQLAlchemy does not say)
        to_come = [bound.key for bound in compiled.bind_names if bound.required]
        whole = compiled.construct_expanded_state(dict.fromkeys(to_come))
        self.text = whole.statement
        self._order = whole.positiontup if compiled.positional else None
        self._fixed = {name: value for name, value in whole.parameters.items() if name not in to_come}
        changes = {name: _to_database(bound.type, dialect) for bound, name in compiled.bind_names.items()}
        self._bound_by = [(name, change) for name, change in changes.items() if change is not None and name in to_come]
        returned = list(statement.exported_columns.items())
        self._row = namedtuple("Row", [name for name, _ in returned])  # type: ignore[misc]  # noqa: PYI024 (known here)
        read_by = [(place, _from_database(column.type, dialect)) for place, (_, column) in enumerate(returned)]
        self._read_by = [(place, change) for place, change in read_by if change is not None]

    def bound(self, values: Mapping[str, Any]) -> Any:
        """Values as the driver takes them."""
        given = {**self._fixed, **values}
        for name, change in self._bound_by:
            given[name] = change(given[name])
        return given if self._order is None else [given[name] for name in self._order]

    def rows(self, found: Sequence[Sequence[Any]]) -> list[Any]:
        """Rows as the rest of the program takes them."""
        if not self._read_by:
            return [self._row(*row) for row in found]
        return [self._read(list(row)) for row in found]

    def _read(self, row: list[Any]) -> Any:
        for place, change in self._read_by:
            row[place] = change(row[place])
        return self._row(*row)


def _to_database(kind: Any, dialect: Dialect) -> _Change | None:
    change: _Change | None = kind.dialect_impl(dialect).bind_processor(dialect)
    return change


def _from_database(kind: Any, dialect: Dialect) -> _Change | None:
    change: _Change | None = kind.dialect_impl(dialect).result_processor(dialect, None)
    return change
