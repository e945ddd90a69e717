"""Encrypt the keys of authenticators: those that are kept in the clear are when their owners next come in"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the tables one step forward."""
    op.add_column("users", sa.Column("code_sealed", sa.LargeBinary(), nullable=True))
