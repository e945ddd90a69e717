"""Find open cases by an index of their own, and words in cases and mails"""

import sqlalchemy as sa
from alembic import op

from mailbot.store.search import CASE_WORDS, MAIL_WORDS

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_IS_LIVE = sa.text("state NOT IN ('declined', 'refunded', 'expired', 'closed')")
_RUNS = sa.text("met_at IS NULL")


def upgrade() -> None:
    """Take the tables one step forward."""
    op.create_index(
        "ix_cases_live",
        "cases",
        ["id"],
        sqlite_where=_IS_LIVE,
        postgresql_where=_IS_LIVE,
        postgresql_include=["state", "assigned_to", "snoozed_until", "escalation", "language"],
    )
    op.create_index(
        "ix_clocks_next", "clocks", ["case_id", "level", "due_at"], sqlite_where=_RUNS, postgresql_where=_RUNS
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"CREATE INDEX words_of_cases ON cases USING gin ({CASE_WORDS})")
        op.execute(f"CREATE INDEX words_of_mails ON mails USING gin ({MAIL_WORDS}) WHERE case_id IS NOT NULL")
