"""Find mails that the server was not told of, and recent letters of a kind, without reading all of them"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_UNMARKED = sa.text("marked_at IS NULL AND sha256 IS NOT NULL")


def upgrade() -> None:
    """Take the tables one step forward."""
    op.create_index(
        "ix_mails_unmarked",
        "mails",
        ["mailbox", "folder", "uidvalidity", "uid"],
        sqlite_where=_UNMARKED,
        postgresql_where=_UNMARKED,
    )
    op.create_index("ix_outbox_template", "outbox", ["template", "created_at"])
