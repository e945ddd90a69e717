"""Alembic's entry: runs the migrations on the connection that ``store/instance.py`` or ``make check`` hands over."""

from typing import Literal

from alembic import context
from sqlalchemy import create_engine

from mailbot.store.desk_tables import UserRow
from mailbot.store.tables import UtcTime

config = context.config


def run() -> None:
    """Migrate the given connection, or the database of ``-x url=...`` for work on the migrations themselves."""
    connection = config.attributes.get("connection")
    if connection is None:
        with create_engine(context.get_x_argument(as_dictionary=True)["url"]).begin() as connection:
            _migrate(connection)
    else:
        _migrate(connection)


def _migrate(connection: object) -> None:
    context.configure(
        connection=connection,  # type: ignore[arg-type]
        target_metadata=UserRow.metadata,
        render_as_batch=True,
        render_item=_render_item,
        compare_type=True,
        include_object=_is_compared,
    )
    with context.begin_transaction():
        context.run_migrations()


def _is_compared(_object: object, name: str | None, kind: str, *_: object) -> bool:
    """The indexes of words are PostgreSQL's only, and stand in their migration alone."""
    return kind != "index" or not (name or "").startswith("words_of_")


def _render_item(kind: str, item: object, _context: object) -> str | Literal[False]:
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcTime) else False


run()
