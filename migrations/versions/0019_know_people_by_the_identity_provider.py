"""Know people again by their account at the shop's identity provider"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the tables one step forward."""
    op.add_column("users", sa.Column("provider_subject", sa.String(64), nullable=True))
