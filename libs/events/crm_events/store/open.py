"""A store by its address: a file is SQLite, a `postgresql://` URL is PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from crm_events.sql.migrating import migrate_postgres
from crm_events.sql.names import is_postgres, schema_name
from crm_events.store.port import EventRecorder
from crm_events.store.postgres import PostgresRecorder
from crm_events.store.schema import SCRIPTS
from crm_events.store.sqlite import SqliteRecorder


def open_recorder(place: str | Path, namespace: str, context: str) -> EventRecorder:
    """The store of a context. A file is made or brought up to date; PostgreSQL needs `migrate`
    to have been run, connects when first used and says through `schema_current` whether it fits.
    """
    if is_postgres(place):
        return PostgresRecorder(str(place), schema_name(namespace, context))
    return SqliteRecorder(place)


def migrate(place: str, namespace: str, context: str) -> None:
    """Make or bring up to date a context's schema on PostgreSQL; repeating it changes nothing."""
    migrate_postgres(place, schema_name(namespace, context), SCRIPTS)
