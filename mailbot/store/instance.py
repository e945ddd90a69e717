"""Which installation this database belongs to, and whether its tables are those of this program."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, func, inspect, select
from sqlalchemy.orm import Session

from mailbot.errors import InputError
from mailbot.settings import find_folder
from mailbot.store.tables import Base, InstanceRow
from mailbot.store.upsert import insert_if_absent

_THE_ONE = 1
_ARCHIVE_BEFORE_START = timedelta(hours=48)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """This installation.

    Attributes:
        name: random, stands in ``X-Mailbot-Instance`` of our mail.
        message_key: signs our Message-IDs.
        answer_from: mail that arrived earlier goes to people, unless the configuration says another time.
        restored_at: when the database was found to be a copy; whatever arrived earlier goes to people.
    """

    name: str
    message_key: bytes
    answer_from: datetime
    restored_at: datetime | None = None


class SchemaError(InputError):
    """The database's tables are of another version than this program."""


def upgrade(engine: Engine) -> None:
    """Bring the tables to this program's version; making them where there are none. Safe to run again."""
    with engine.begin() as connection:
        config = _alembic()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def ensure_schema(engine: Engine) -> None:
    """Make the tables in an empty database; leave every other as it is.

    Raises:
        SchemaError: the tables are older or newer than this program.
    """
    with engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
        empty = not inspect(connection).get_table_names()
    wanted = ScriptDirectory.from_config(_alembic()).get_current_head()
    if found == wanted:
        return
    if not empty:
        raise SchemaError(f"database: tables of version {found}, this program has {wanted}; run mailbot db upgrade")
    upgrade(engine)


def open_instance(session: Session, now: datetime) -> Instance:
    """This installation's row; the very first call makes it, even if two start at once."""
    row = session.get(InstanceRow, _THE_ONE)
    if row is None:
        fresh = {
            "id": _THE_ONE,
            "name": secrets.token_hex(8),
            "message_key": secrets.token_bytes(32),
            "created_at": now,
        }
        insert_if_absent(session, InstanceRow, fresh)
        row = session.get_one(InstanceRow, _THE_ONE)
    started_at = row.first_started_at or now
    return Instance(
        name=row.name,
        message_key=row.message_key,
        answer_from=started_at - _ARCHIVE_BEFORE_START,
        restored_at=row.restored_at,
    )


def database_time(session: Session) -> datetime:
    """What the database's own clock shows; without a zone where the database keeps none (UTC)."""
    return session.scalars(select(func.current_timestamp())).one()


def record_start(session: Session, now: datetime) -> None:
    """Remember when mailbot first answered mail here; later starts change nothing."""
    row = session.get_one(InstanceRow, _THE_ONE)
    if row.first_started_at is None:
        row.first_started_at = now


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(find_folder("migrations")))
    config.attributes["metadata"] = Base.metadata
    return config
