"""A safe copy of the database while mailbot runs: whole, as of one moment, and durable when it is done."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Engine

from mailbot.errors import InputError

_PAGES_AT_ONCE = 2000


def back_up(engine: Engine, to: Path) -> int:
    """Copy a SQLite database by its backup API; returns the copy's size in bytes.

    Raises:
        InputError: there is such a file already, or the database is PostgreSQL, which has its own tools.
    """
    if engine.dialect.name != "sqlite" or engine.url.database is None:
        raise InputError("database: PostgreSQL is backed up by its own tools, such as pg_dump --format=custom DATABASE")
    if to.exists():
        raise InputError(f"{to}: exists already; name a new file")
    fresh = to.with_name(f"{to.name}.part")
    try:
        with closing(sqlite3.connect(engine.url.database)) as source, closing(sqlite3.connect(fresh)) as target:
            source.backup(target, pages=_PAGES_AT_ONCE)
            if target.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                raise InputError(f"{to}: the copy is not whole; look at the disk")
            target.execute("PRAGMA journal_mode = DELETE")
            target.execute("UPDATE instance SET epoch = -1")  # whoever starts on it is told that it is a copy
            target.commit()
    except (OSError, sqlite3.Error) as problem:
        fresh.unlink(missing_ok=True)
        raise InputError(f"{to}: {problem}") from None
    with fresh.open("rb") as file:
        os.fsync(file.fileno())
    fresh.replace(to)
    return to.stat().st_size
