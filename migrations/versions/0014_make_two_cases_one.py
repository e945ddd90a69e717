"""Make two cases one"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the tables one step forward."""
    op.add_column("cases", sa.Column("merged_into", sa.BigInteger(), nullable=True))
    op.create_index("ix_cases_merged_into", "cases", ["merged_into"])
