"""Events, what commits beside them, and the state of relay and marks."""

import sqlalchemy as sa
from alembic import context, op

from crm_events.sql.columns import ID, INSTANT, POSITION, SMALL
from crm_events.store.migrations.v0001_functions import functions

revision = "0001"
down_revision = None


def upgrade() -> None:
    _events()
    _commands()
    _tracking()
    _timers()
    _directory()
    _imported()
    _relay()
    _marks()
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE SEQUENCE events_position AS bigint CACHE 1")
        for function in functions(context.config.attributes["schema"]):
            op.get_bind().exec_driver_sql(function)


def _events() -> None:
    """AUTOINCREMENT: the position of a deleted row is never handed out again."""
    op.create_table(
        "events",
        sa.Column("position", POSITION, primary_key=True, autoincrement=False),
        sa.Column("aggregate_id", ID, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("event_id", ID, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("occurred_at", INSTANT, nullable=False),
        sa.Column("partition", SMALL, nullable=False),
        sa.Column("correlation_id", ID, nullable=False),
        sa.Column("causation_id", ID),
        sa.Column("command_id", ID, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("supersedes", ID),
        sa.Column("traceparent", sa.Text),
        sa.UniqueConstraint("aggregate_id", "version", name="events_stream"),
        sqlite_autoincrement=True,
    )
    op.create_index("events_lane", "events", ["partition", "position"])


def _commands() -> None:
    op.create_table(
        "command_log",
        sa.Column("command_id", ID, primary_key=True),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("aggregate_id", ID, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("partition", SMALL, nullable=False),
        sa.Column("answer", sa.LargeBinary, nullable=False),
        sa.Column("sequence", POSITION, nullable=False),
        sa.Column("done_at", INSTANT, nullable=False),
        sqlite_with_rowid=False,
    )


def _tracking() -> None:
    op.create_table(
        "tracking",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("position", POSITION, nullable=False),
        sqlite_with_rowid=False,
    )


def _timers() -> None:
    op.create_table(
        "timers",
        sa.Column("id", ID, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("aggregate_id", ID, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("timers_due", "timers", ["due_at"])


def _directory() -> None:
    op.create_table(
        "directory",
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("id", ID, primary_key=True),
        sa.Column("name_key", sa.LargeBinary),
        sa.Column("data", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("directory_names", "directory", ["kind", "name_key"])


def _imported() -> None:
    op.create_table(
        "imported",
        sa.Column("id", ID, primary_key=True),
        sa.Column("row_hash", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )


def _relay() -> None:
    """One row, which is there from the start."""
    relay = op.create_table(
        "relay",
        sa.Column("id", SMALL, sa.CheckConstraint("id = 1"), primary_key=True),
        sa.Column("position", POSITION, nullable=False),
        sa.Column("epoch", POSITION, nullable=False),
        sa.Column("last_in_partition", sa.Text, nullable=False),
    )
    op.bulk_insert(relay, [{"id": 1, "position": 0, "epoch": 0, "last_in_partition": "{}"}])


def _marks() -> None:
    op.create_table(
        "marks",
        sa.Column("at", INSTANT, primary_key=True, autoincrement=False),
        sa.Column("safe_to", POSITION, nullable=False),
    )
