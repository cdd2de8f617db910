"""Which keys were destroyed of late is asked every second, by every process."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    there = sa.text("erased_at IS NOT NULL")
    op.create_index(
        "subject_keys_erased",
        "subject_keys",
        ["erased_at"],
        sqlite_where=there,
        postgresql_where=there,
    )
