"""What the `env.py` of every script set does: run on the connection it is handed."""

from __future__ import annotations

from alembic import context

from crm_events.sql.migrating import VERSION_TABLE


def run() -> None:
    """One transaction, begun and ended by the caller, who also holds the lock."""
    attributes = context.config.attributes
    context.configure(
        connection=attributes["connection"],
        version_table=VERSION_TABLE,
        version_table_schema=attributes["schema"],
    )
    with context.begin_transaction():
        context.run_migrations()
