"""The table of keys in a PostgreSQL database of its own, with credentials of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar
from uuid import UUID

import psycopg

from crm_events.keys.port import KeysUnavailable
from crm_events.keys.schema import SCRIPTS
from crm_events.keys.sql import KeyTable, Rows, Tombstone
from crm_events.sql.arrays import Blobs, Uuids, register
from crm_events.sql.migrating import postgres_version
from crm_events.sql.postgres import Connection, Connections, Limits, Unreachable, connection_info

T = TypeVar("T")

register(psycopg.adapters)

_INSERT: Final = """
    INSERT INTO subject_keys (subject, wrapped, created_at)
    SELECT subject, wrapped, clock_timestamp()
    FROM unnest(%s, %s) AS fresh(subject, wrapped) ORDER BY subject
    ON CONFLICT (subject) DO NOTHING RETURNING subject
"""
_BURY: Final = """
    INSERT INTO subject_keys AS kept (subject, created_at, erased_at, reason)
    VALUES (%s, clock_timestamp(), clock_timestamp(), %s)
    ON CONFLICT (subject) DO UPDATE SET
        wrapped = NULL, erased_at = excluded.erased_at, reason = excluded.reason
    WHERE kept.erased_at IS NULL
"""


class PostgresKeyTable(KeyTable):
    """Over a schema that the migration job has made. Connects when first used."""

    def __init__(
        self, dsn: str, schema: str, *, connections: int = 4, limits: Limits | None = None
    ) -> None:
        limits = limits or Limits()
        self._schema = schema
        self._connections = Connections(
            connection_info(dsn, limits, schema), connections, limits.connection
        )

    def _do(self, work: Callable[[Connection], T]) -> T:
        """Everything here may be done twice, so a broken connection is simply replaced."""
        try:
            return self._connections.reading(work)
        except (Unreachable, psycopg.OperationalError) as error:
            raise KeysUnavailable(f"The key database cannot be reached: {error}") from error
        except psycopg.errors.UndefinedTable as error:
            raise KeysUnavailable(
                "The key database has no tables: run the migration job first."
            ) from error

    def _rows(self, statement: str, *parameters: Any) -> list[Any]:
        return self._do(
            lambda each: each.cursor(binary=True).execute(statement, parameters).fetchall()
        )

    def read(self, subjects: Iterable[UUID]) -> Rows:
        statement = "SELECT subject, wrapped FROM subject_keys WHERE subject = ANY(%s)"
        return dict(self._rows(statement, Uuids.of(subjects)))

    def insert(self, rows: Mapping[UUID, bytes]) -> set[UUID]:
        """Done twice over a broken connection, it may answer fewer than it made."""
        inserted = self._rows(_INSERT, Uuids.of(rows.keys()), Blobs.of(rows.values()))
        return {row[0] for row in inserted}

    def bury(self, subject: UUID, reason: str) -> None:
        self._do(lambda each: each.execute(_BURY, [subject, reason]))

    def buried_lately(self) -> set[UUID]:
        rows = self._rows(
            "SELECT subject FROM subject_keys "
            "WHERE erased_at > clock_timestamp() - interval '10 minutes'"
        )
        return {row[0] for row in rows}

    def tombstone(self, subject: UUID) -> Tombstone | None:
        rows = self._rows(
            "SELECT erased_at, reason FROM subject_keys "
            "WHERE subject = %s AND erased_at IS NOT NULL",
            subject,
        )
        return Tombstone(*rows[0]) if rows else None

    def empty(self) -> bool:
        return not self._rows("SELECT 1 FROM subject_keys LIMIT 1")

    def schema_current(self) -> bool:
        return SCRIPTS.fits(self._do(lambda each: postgres_version(each, self._schema)))

    def close(self) -> None:
        self._connections.close()
