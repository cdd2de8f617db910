"""A key database by its address: a file is SQLite, a `postgresql://` URL is PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from crm_events.keys.master import make_master_key, read_master_key
from crm_events.keys.postgres import PostgresKeyTable
from crm_events.keys.schema import SCRIPTS
from crm_events.keys.sql import SqlKeys
from crm_events.keys.sqlite import SqliteKeyTable
from crm_events.sql.migrating import migrate_postgres
from crm_events.sql.names import is_postgres, schema_name

_NAME = "keys"


def open_keys(place: str | Path, namespace: str, master_key_file: Path) -> SqlKeys:
    """The keys of a deployment.

    A file, and the master key's beside an empty one, is made where missing. PostgreSQL needs
    `migrate_keys` to have been run and a master key file that all services share (see
    `make_master_key`). Raises MasterKeyMissing.
    """
    if is_postgres(place):
        master = read_master_key(master_key_file)
        return SqlKeys(PostgresKeyTable(str(place), schema_name(namespace, _NAME)), master)
    table = SqliteKeyTable(Path(place))
    try:
        if table.empty():
            make_master_key(master_key_file)
        return SqlKeys(table, read_master_key(master_key_file))
    except BaseException:
        table.close()
        raise


def migrate_keys(place: str, namespace: str) -> None:
    """Make or bring up to date the key database on PostgreSQL; repeating it changes nothing."""
    migrate_postgres(place, schema_name(namespace, _NAME), SCRIPTS)
