"""orders hold a basket

Several payments of an order one after the other, refunds that are wanted before they are made and belong to
items, the quote that was ordered, the browser in which it was pressed.

Revision: 0003
Follows: 0002
"""

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# What columns were made of when this was written; the application's own types may move on.
UtcDateTime = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
MYSQL = {
    "mariadb_charset": "utf8mb4",
    "mariadb_collate": "utf8mb4_bin",
    "mariadb_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mysql_engine": "InnoDB",
}
REASON = sa.Enum("staff", "paid_twice", "stripe", name="refundreason", native_enum=False, length=24)


def upgrade() -> None:
    _add()
    _fill()
    _enforce()


def _add() -> None:
    op.create_table(
        "refund_items",
        sa.Column("refund_id", sa.CHAR(length=16), nullable=False),
        sa.Column("order_item_id", sa.CHAR(length=16), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_item_id"], ["order_items.id"], name="fk_refund_items_order_item_id_order_items"
        ),
        sa.ForeignKeyConstraint(["refund_id"], ["refunds.id"], name="fk_refund_items_refund_id_refunds"),
        sa.PrimaryKeyConstraint("refund_id", "order_item_id", name="pk_refund_items"),
        **MYSQL,  # type: ignore[arg-type]
    )
    op.create_index("ix_refund_items_order_item_id", "refund_items", ["order_item_id"])
    op.add_column("order_items", sa.Column("list_amount", sa.BigInteger(), nullable=True))
    op.add_column("orders", sa.Column("pressed_key_id", sa.CHAR(length=16), nullable=True))
    op.add_column("orders", sa.Column("quote_digest", sa.String(length=32), nullable=True))
    op.create_index("ix_orders_paid_at", "orders", ["paid_at"])
    op.create_index("ix_orders_pressed_key_id", "orders", ["pressed_key_id"])
    op.add_column("payments", sa.Column("tries", sa.Integer(), nullable=True))
    op.add_column("payments", sa.Column("customer_id", sa.String(length=255), nullable=True))
    for name in ("last_declined_at", "looked_at", "secret_out_at", "succeeded_at"):
        op.add_column("payments", sa.Column(name, UtcDateTime, nullable=True))
    op.add_column("refunds", sa.Column("reason", REASON, nullable=True))
    op.add_column("refunds", sa.Column("once_key", sa.String(length=80), nullable=True))
    op.add_column("refunds", sa.Column("tries", sa.Integer(), nullable=True))
    op.create_index("ix_refunds_status_created_at", "refunds", ["status", "created_at"])


def _fill() -> None:
    """Until now an order had one item and one payment, whose `attempt` counted the tries to make it."""
    op.execute("UPDATE order_items SET list_amount = amount")
    op.execute("UPDATE orders SET pressed_key_id = order_key_id, quote_digest = ''")
    op.execute("UPDATE payments SET tries = attempt, looked_at = updated_at")
    op.execute("UPDATE payments SET attempt = 1")
    op.execute("UPDATE payments SET last_declined_at = updated_at WHERE declines > 0")
    # Whether its secret was handed out was not written down: to be closed at Stripe, not here alone.
    op.execute("UPDATE payments SET secret_out_at = created_at WHERE intent_id IS NOT NULL")
    op.execute(
        "UPDATE payments SET succeeded_at = (SELECT paid_at FROM orders WHERE orders.id = payments.order_id) "
        "WHERE status = 'succeeded'"
    )
    op.execute("UPDATE refunds SET reason = 'stripe', tries = 0")
    op.execute(
        "INSERT INTO refund_items (refund_id, order_item_id, amount) "
        "SELECT refunds.id, order_items.id, refunds.amount FROM refunds "
        "JOIN order_items ON order_items.order_id = refunds.order_id"
    )


def _enforce() -> None:
    with op.batch_alter_table("order_items") as table:
        table.alter_column("list_amount", existing_type=sa.BigInteger(), nullable=False)
    with op.batch_alter_table("orders") as table:
        table.alter_column("quote_digest", existing_type=sa.String(length=32), nullable=False)
        table.create_foreign_key(
            "fk_orders_pressed_key_id_order_keys", "order_keys", ["pressed_key_id"], ["id"]
        )
    with op.batch_alter_table("payments") as table:
        table.alter_column("tries", existing_type=sa.Integer(), nullable=False)
        table.alter_column("looked_at", existing_type=UtcDateTime, nullable=False)
        table.drop_column("updated_at")
    with op.batch_alter_table("refunds") as table:
        table.alter_column("reason", existing_type=REASON, nullable=False)
        table.alter_column("tries", existing_type=sa.Integer(), nullable=False)
        table.alter_column("stripe_id", existing_type=sa.String(length=255), nullable=True)
        table.create_unique_constraint("uq_refunds_once_key", ["once_key"])


def downgrade() -> None:
    """Back to one payment an order: its newest; a refund that Stripe was not asked for is forgotten."""
    op.execute("DELETE FROM refund_items WHERE refund_id IN (SELECT id FROM refunds WHERE stripe_id IS NULL)")
    op.execute("DELETE FROM refunds WHERE stripe_id IS NULL")
    op.drop_table("refund_items")
    with op.batch_alter_table("refunds") as table:
        table.drop_constraint("uq_refunds_once_key", type_="unique")
        table.drop_index("ix_refunds_status_created_at")
        table.alter_column("stripe_id", existing_type=sa.String(length=255), nullable=False)
        for name in ("tries", "once_key", "reason"):
            table.drop_column(name)
    op.add_column("payments", sa.Column("updated_at", UtcDateTime, nullable=True))
    op.execute("UPDATE payments SET updated_at = looked_at")
    with op.batch_alter_table("payments") as table:
        table.alter_column("updated_at", existing_type=UtcDateTime, nullable=False)
        for name in (
            "succeeded_at",
            "secret_out_at",
            "looked_at",
            "last_declined_at",
            "customer_id",
            "tries",
        ):
            table.drop_column(name)
    with op.batch_alter_table("orders") as table:
        table.drop_constraint("fk_orders_pressed_key_id_order_keys", type_="foreignkey")
        table.drop_index("ix_orders_pressed_key_id")
        table.drop_index("ix_orders_paid_at")
        table.drop_column("quote_digest")
        table.drop_column("pressed_key_id")
    with op.batch_alter_table("order_items") as table:
        table.drop_column("list_amount")
