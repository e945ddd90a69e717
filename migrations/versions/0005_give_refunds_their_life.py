"""Give refunds their life"""

import sqlalchemy as sa
from alembic import op

from mailbot.model.money import Money
from mailbot.model.refund import RefundOrder

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the tables one step forward."""
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "kill_switch",
        sa.Column("id", key, nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("frozen_by", sa.String(length=120), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kill_switch")),
    )
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.add_column(sa.Column("stood", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("assigned_to", sa.String(length=120), nullable=True))
        batch_op.add_column(sa.Column("tracking", sa.String(length=64), nullable=True))
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.add_column(sa.Column("ours_seen_minor", sa.BigInteger(), server_default="0", nullable=False))
    with op.batch_alter_table("refunds", schema=None) as batch_op:
        batch_op.add_column(sa.Column("attempt", sa.BigInteger(), server_default="1", nullable=False))
        batch_op.add_column(sa.Column("key", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("provider", sa.String(length=32), server_default="manual", nullable=False))
        batch_op.add_column(sa.Column("body", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("second_approver", sa.String(length=120), nullable=True))
        batch_op.add_column(sa.Column("held_for", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("submitted_by", sa.String(length=120), nullable=True))
        batch_op.add_column(sa.Column("looks", sa.BigInteger(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("look_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.alter_column("state", existing_type=sa.String(length=16), type_=sa.String(length=32))
        batch_op.drop_constraint(batch_op.f("uq_refunds_case_id_decision_id"), type_="unique")
        batch_op.create_unique_constraint(
            batch_op.f("uq_refunds_case_id_decision_id_attempt"), ["case_id", "decision_id", "attempt"]
        )
        batch_op.create_index("ix_refunds_state", ["state", "id"], unique=False)
    _fill(op.get_bind())
    with op.batch_alter_table("refunds", schema=None) as batch_op:
        batch_op.alter_column("key", existing_type=sa.String(length=64), nullable=False)
        batch_op.create_unique_constraint(batch_op.f("uq_refunds_key"), ["key"])
        for name in ("attempt", "provider", "body", "looks"):
            batch_op.alter_column(name, server_default=None)


def _fill(connection: sa.Connection) -> None:
    """Give each refund of the version before its key and its order to pay."""
    wanted = (
        "SELECT r.id, r.case_id, r.decision_id, r.amount_minor, r.currency, o.number, o.payment_method"
        " FROM refunds r JOIN orders o ON o.key = r.order_key"
    )
    for row in connection.execute(sa.text(wanted)).all():
        order = RefundOrder(
            key=f"mailbot-{row.case_id}-{row.decision_id}-1",
            case_number=f"RF-{row.case_id:06d}",
            capture=row.number,
            method=row.payment_method,
            amount=Money.from_minor(row.amount_minor, row.currency),
        )
        filled = sa.text("UPDATE refunds SET key = :key, body = :body WHERE id = :id")
        connection.execute(filled, {"key": order.key, "body": order.body(), "id": row.id})
