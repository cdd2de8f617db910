"""Whom each thing's events are about, so that one person's are found without reading the log."""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import context, op

from crm_events.sealing import subjects_named
from crm_events.sql.columns import ID
from crm_events.store.migrations.v0004_functions import functions

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Events that are there already are noted too."""
    op.create_table(
        "subject_streams",
        sa.Column("subject", ID, primary_key=True),
        sa.Column("aggregate_id", ID, primary_key=True),
        sqlite_with_rowid=False,
    )
    if op.get_bind().dialect.name == "postgresql":
        for statement in functions(context.config.attributes["schema"]):
            op.get_bind().exec_driver_sql(statement)
    elif named := set(_named()):
        op.get_bind().exec_driver_sql(
            "INSERT INTO subject_streams (subject, aggregate_id) VALUES (?, ?)", sorted(named)
        )


def _named() -> Iterator[tuple[bytes, bytes]]:
    rows = op.get_bind().exec_driver_sql("SELECT aggregate_id, data FROM events")
    for aggregate_id, data in rows:
        for subject in subjects_named(data):
            if subject != aggregate_id:
                yield subject, aggregate_id
