"""One row for each data subject: a wrapped key, or the tombstone of one."""

import sqlalchemy as sa
from alembic import op

from crm_events.sql.columns import ID, INSTANT

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "subject_keys",
        sa.Column("subject", ID, primary_key=True),
        sa.Column("wrapped", sa.LargeBinary),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("erased_at", INSTANT),
        sa.Column("reason", sa.Text),
        sa.CheckConstraint("(wrapped IS NULL) = (erased_at IS NOT NULL)", name="key_or_tombstone"),
        sqlite_with_rowid=False,
    )
