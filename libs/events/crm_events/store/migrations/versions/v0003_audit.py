"""The Merkle tree over the log: its head, its leaf hashes, its signed checkpoints."""

import sqlalchemy as sa
from alembic import op

from crm_events.sql.columns import INSTANT, POSITION, SMALL

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """The head is one row, which is there from the start."""
    head = op.create_table(
        "audit_head",
        sa.Column("id", SMALL, sa.CheckConstraint("id = 1"), primary_key=True),
        sa.Column("size", POSITION, nullable=False),
        sa.Column("position", POSITION, nullable=False),
        sa.Column("checkpoints", POSITION, nullable=False),
        sa.Column("peaks", sa.LargeBinary, nullable=False),
        sa.Column("asked", POSITION, nullable=False),
    )
    start = {"id": 1, "size": 0, "position": 0, "checkpoints": 0, "peaks": b"", "asked": 0}
    op.bulk_insert(head, [start])
    op.create_table(
        "audit_tiles",
        sa.Column("number", POSITION, primary_key=True, autoincrement=False),
        sa.Column("positions", sa.LargeBinary, nullable=False),
        sa.Column("hashes", sa.LargeBinary, nullable=False),
        sa.Column("root", sa.LargeBinary),
    )
    op.create_table(
        "audit_checkpoints",
        sa.Column("number", POSITION, primary_key=True, autoincrement=False),
        sa.Column("size", POSITION, nullable=False),
        sa.Column("position", POSITION, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("left_at", INSTANT),
    )
