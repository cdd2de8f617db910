"""Schemas are brought up by Alembic, one script set for both databases, one process at a time."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import sql

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection

# Alembic and SQLAlchemy are imported where a schema is old, and spared the many starts that find it
# current: they take longer to import than everything else here.

VERSION_TABLE: Final = "schema_version"
_SQLITE_PATIENCE: Final = 30.0
_ALEMBIC_IS_GLOBAL: Final = threading.Lock()


class SchemaTooNew(Exception):
    """The database was written by a newer version of this program."""


class SchemaMissing(Exception):
    """The migration job has not been run on this database, or not yet."""


@dataclass(frozen=True, slots=True)
class Scripts:
    """A set of migrations: `location` as Alembic writes it, `head` the newest revision of it.

    Revisions are numbers in order ("0001"), so that an older program knows a newer schema.
    """

    location: str
    head: str

    def config(self) -> Config:
        from alembic.config import Config  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", self.location)
        return config

    def newest(self) -> str | None:
        """What the scripts themselves say; equal to `head`, which is here to spare the reading."""
        from alembic.script import ScriptDirectory  # noqa: PLC0415

        return ScriptDirectory.from_config(self.config()).get_current_head()

    def fits(self, version: str | None) -> bool:
        """Whether a database at that version holds all that this program needs."""
        return version is not None and version >= self.head


def sqlite_version(connection: sqlite3.Connection) -> str | None:
    return _version_or_none(
        lambda: connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone(),
        sqlite3.OperationalError,
    )


def postgres_version(connection: psycopg.Connection[Any], schema: str) -> str | None:
    statement = sql.SQL("SELECT version_num FROM {}.{}").format(
        sql.Identifier(schema), sql.Identifier(VERSION_TABLE)
    )
    missing = (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName)
    return _version_or_none(lambda: connection.execute(statement).fetchone(), missing)


def _version_or_none(
    read: Callable[[], tuple[Any, ...] | None],
    missing: type[Exception] | tuple[type[Exception], ...],
) -> str | None:
    try:
        row = read()
    except missing:
        return None
    return None if row is None else str(row[0])


def migrate_sqlite(path: Path, scripts: Scripts) -> None:
    """Bring a file up to date, making it where it is missing. Raises SchemaTooNew."""
    with _sqlite(path) as connection:
        version = sqlite_version(connection)
        if version is not None and version > scripts.head:
            raise SchemaTooNew(
                f"{path} has schema {version} and this program knows {scripts.head}: it was "
                "written by a newer version; install that one, or open a copy made before."
            )
        if version != scripts.head:
            _upgrade_sqlite(connection, scripts)


def use_wal(connection: sqlite3.Connection) -> None:
    """Readers beside the writer from now on; SQLite does not wait by itself for this one."""
    deadline = time.monotonic() + _SQLITE_PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            threading.Event().wait(0.01)


@contextmanager
def _sqlite(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(
        path, timeout=_SQLITE_PATIENCE, isolation_level=None, check_same_thread=False
    )
    try:
        yield connection
    finally:
        connection.close()


def _upgrade_sqlite(connection: sqlite3.Connection, scripts: Scripts) -> None:
    """Another process may do the same: the write lock lets one through, the next finds it done."""
    from sqlalchemy import create_engine  # noqa: PLC0415

    engine = create_engine("sqlite://", creator=lambda: connection)
    with engine.connect() as held:
        held.exec_driver_sql("BEGIN IMMEDIATE")
        _run(scripts, held)
        held.commit()


def migrate_postgres(dsn: str, schema: str, scripts: Scripts) -> None:
    """The explicit job: make the schema and bring it up to date; repeating it changes nothing."""
    from sqlalchemy import create_engine  # noqa: PLC0415

    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(dsn))
    try:
        with engine.begin() as held:
            held.exec_driver_sql(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"{schema}/migrate",)
            )
            held.exec_driver_sql(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
            held.exec_driver_sql(f'SET LOCAL search_path TO "{schema}"')
            _run(scripts, held, schema)
    finally:
        engine.dispose()


def _run(scripts: Scripts, connection: Connection, schema: str | None = None) -> None:
    from alembic import command  # noqa: PLC0415

    config = scripts.config()
    config.attributes.update(connection=connection, schema=schema)
    with _ALEMBIC_IS_GLOBAL:
        command.upgrade(config, "head")
