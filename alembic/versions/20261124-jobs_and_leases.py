"""jobs and leases

Jobs that are done once get a table; the lease of the sweep becomes one of many, and takes its cursor along.

Revision: 0005
Follows: 0004
"""

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# What columns were made of when this was written; the application's own types may move on.
UtcDateTime = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
JsonText = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
MYSQL = {
    "mariadb_charset": "utf8mb4",
    "mariadb_collate": "utf8mb4_bin",
    "mariadb_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mysql_engine": "InnoDB",
}
LEASES = sa.table(
    "job_leases",
    sa.column("name", sa.String(60)),
    sa.column("holder", sa.String(40)),
    sa.column("until", UtcDateTime),
    sa.column("cursor", sa.String(255)),
)
SWEEP_STATE = sa.table(
    "sweep_state",
    sa.column("name", sa.String(40)),
    sa.column("holder", sa.String(40)),
    sa.column("held_until", UtcDateTime),
    sa.column("events_read_until", sa.BigInteger()),
)


def upgrade() -> None:
    op.create_table(
        "job_leases",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("holder", sa.String(length=40), nullable=True),
        sa.Column("until", UtcDateTime, nullable=True),
        sa.Column("cursor", sa.String(length=255), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_job_leases")),
        **MYSQL,
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.CHAR(length=16), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("arguments", JsonText, nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "running",
                "done",
                "failed",
                "canceled",
                name="jobstate",
                native_enum=False,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_at", UtcDateTime, nullable=False),
        sa.Column("holder", sa.String(length=40), nullable=True),
        sa.Column("held_until", UtcDateTime, nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("result", JsonText, nullable=True),
        sa.Column("error", sa.String(length=300), nullable=False),
        sa.Column(
            "actor_kind",
            sa.Enum("staff", "job", "command", name="actorkind", native_enum=False, length=24),
            nullable=False,
        ),
        sa.Column("actor_id", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("started_at", UtcDateTime, nullable=True),
        sa.Column("finished_at", UtcDateTime, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        **MYSQL,
    )
    op.create_index(op.f("ix_jobs_created_at_id"), "jobs", ["created_at", "id"])
    op.create_index(op.f("ix_jobs_state_next_try_at"), "jobs", ["state", "next_try_at"])
    state = SWEEP_STATE.c
    op.execute(
        LEASES.insert().from_select(
            ["name", "holder", "until", "cursor"],
            sa.select(
                state.name, state.holder, state.held_until, sa.cast(state.events_read_until, sa.String(255))
            ),
        )
    )
    op.drop_table("sweep_state")


def downgrade() -> None:
    op.create_table(
        "sweep_state",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("holder", sa.String(length=40), nullable=True),
        sa.Column("held_until", UtcDateTime, nullable=True),
        sa.Column("events_read_until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_sweep_state")),
        **MYSQL,
    )
    lease = LEASES.c
    op.execute(
        SWEEP_STATE.insert().from_select(
            ["name", "holder", "held_until", "events_read_until"],
            sa.select(lease.name, lease.holder, lease.until, sa.cast(lease.cursor, sa.BigInteger())).where(
                lease.name == "sweep"
            ),
        )
    )
    op.drop_table("jobs")
    op.drop_table("job_leases")
