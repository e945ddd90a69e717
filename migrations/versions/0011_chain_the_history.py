"""Chain the history of cases, and let nobody change it"""

import sqlalchemy as sa
from alembic import op

from mailbot.store.history import BEGINNING, link
from mailbot.store.tables import UtcTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_EVENTS = sa.table(
    "case_events",
    sa.column("id", sa.BigInteger),
    sa.column("case_id", sa.BigInteger),
    sa.column("at", UtcTime),
    sa.column("actor", sa.String),
    sa.column("kind", sa.String),
    sa.column("from_state", sa.String),
    sa.column("to_state", sa.String),
    sa.column("detail", sa.JSON(none_as_null=True)),
    sa.column("hash", sa.String),
)
_CASES = sa.table("cases", sa.column("id", sa.BigInteger), sa.column("history_head", sa.String))
_FIXED = "id, case_id, at, actor, kind, from_state, to_state, hash"
_NOT_ERASED = "CAST(NEW.detail AS TEXT) NOT LIKE '%erased:%'"
_REFUSED = "the history of cases is only ever added to"


def upgrade() -> None:
    """Take the tables one step forward."""
    with op.batch_alter_table("case_events", schema=None) as batch_op:
        batch_op.add_column(sa.Column("hash", sa.String(length=64), server_default="", nullable=False))
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.add_column(sa.Column("history_head", sa.String(length=64), server_default="", nullable=False))
    _chain_what_is_there()
    if op.get_bind().dialect.name == "sqlite":
        refusal = f"BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END"
        changes = {
            "no_update": f"UPDATE OF {_FIXED} ON case_events",
            "erased_only": f"UPDATE OF detail ON case_events WHEN {_NOT_ERASED}",
            "no_delete": "DELETE ON case_events",
        }
        for name, change in changes.items():
            op.execute(f"CREATE TRIGGER case_events_{name} BEFORE {change} {refusal}")
    else:
        body = f"BEGIN RAISE EXCEPTION '{_REFUSED}'; END"
        op.execute(f"CREATE FUNCTION refuse_change_of_history() RETURNS trigger LANGUAGE plpgsql AS $${body}$$")
        refusal = "EXECUTE FUNCTION refuse_change_of_history()"
        changes = {
            "only_added": f"UPDATE OF {_FIXED} OR DELETE ON case_events FOR EACH ROW",
            "erased_only": f"UPDATE OF detail ON case_events FOR EACH ROW WHEN ({_NOT_ERASED})",
        }
        for name, change in changes.items():
            op.execute(f"CREATE TRIGGER case_events_{name} BEFORE {change} {refusal}")


def _chain_what_is_there() -> None:
    connection = op.get_bind()
    heads: dict[int, str] = {}
    for row in connection.execute(sa.select(_EVENTS).order_by(_EVENTS.c.id)).all():
        heads[row.case_id] = link(heads.get(row.case_id, BEGINNING), row._asdict())
        chained = sa.update(_EVENTS).where(_EVENTS.c.id == row.id)
        connection.execute(chained.values(hash=heads[row.case_id]))
    for case_id, head in heads.items():
        connection.execute(sa.update(_CASES).where(_CASES.c.id == case_id).values(history_head=head))
