"""Every single change of a sealed log is found, and its first bad position is the right one."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
from crm_events.audit.keyfile import AuditKeys
from crm_events.sql.postgres import Limits, connection_info
from crm_events.store.open import migrate, open_recorder
from crm_events.store.port import EventRecorder

from tests.events.audit.sealing import Desk
from tests.events.audit.tampering import Forger, Run, Vandal

SEED = 20261122
ON_SQLITE, ON_POSTGRES = 1_000, 60
FORGED_ON_SQLITE, FORGED_ON_POSTGRES = 300, 40
_TABLES = ("events", "audit_head", "audit_tiles", "audit_checkpoints")
_HOLES = range(4, 330, 11)


class Scene:
    """A sealed log that can be tampered with again and again. `restore` undoes a tamper."""

    def __init__(self, desk: Desk, run: Run, restore: Callable[[], None]) -> None:
        self.desk = desk
        self.run = run
        self.restore = restore
        self.positions = [row[0] for row in run("SELECT position FROM events ORDER BY position")]

    def first_bad(self) -> tuple[int, int] | None:
        wrong = self.desk.check().wrong
        return None if wrong is None else (wrong.position, wrong.upto)


def _sealed(recorder: EventRecorder, keys: AuditKeys, run: Run) -> Desk:
    """330 events, of which every eleventh was never there, under five checkpoints."""
    desk = Desk(recorder, keys)
    desk.write(100, 1)
    for seed, count in enumerate((30, 100, 50, 50, 0), 2):
        for hole in _HOLES:
            run("DELETE FROM events WHERE position = ?", hole)
        desk.notary.take_in()
        desk.write(count, seed)
    assert desk.check().wrong is None
    return desk


@pytest.fixture
def on_sqlite(tmp_path: Path, keys: AuditKeys) -> Iterator[Scene]:
    path = tmp_path / "log.db"
    recorder = open_recorder(path, "test", "contacts")
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous=OFF")

    def run(statement: str, *parameters: Any) -> Sequence[Sequence[Any]]:
        return connection.execute(statement, parameters).fetchall()

    desk = _sealed(recorder, keys, run)
    pristine = sqlite3.connect(":memory:")
    connection.backup(pristine)
    yield Scene(desk, run, lambda: pristine.backup(connection))
    recorder.close()
    connection.close()
    pristine.close()


@pytest.fixture
def on_postgres(postgres_dsn: str, namespace: str, keys: AuditKeys) -> Iterator[Scene]:
    migrate(postgres_dsn, namespace, "contacts")
    recorder = open_recorder(postgres_dsn, namespace, "contacts")
    schema = f"{namespace}_contacts"
    limits = Limits(connection=30, lock=30, statement=30)
    with psycopg.connect(connection_info(postgres_dsn, limits, schema), autocommit=True) as held:

        def run(statement: str, *parameters: Any) -> Sequence[Sequence[Any]]:
            cursor = held.execute(statement.replace("?", "%s"), parameters)
            return cursor.fetchall() if cursor.description else []

        def restore() -> None:
            with held.transaction():
                for table in _TABLES:
                    held.execute(f"DELETE FROM {table}")
                    held.execute(f"INSERT INTO {table} SELECT * FROM kept_{table}")

        desk = _sealed(recorder, keys, run)
        for table in _TABLES:
            held.execute(f"CREATE TABLE kept_{table} AS SELECT * FROM {table}")
        yield Scene(desk, run, restore)
    recorder.close()


def _found(scene: Scene, count: int) -> list[str]:
    """What was not found, or found elsewhere."""
    holes = [hole for hole in _HOLES if hole < scene.positions[-1]]
    vandal = Vandal(scene.run, scene.positions, holes, random.Random(SEED))  # noqa: S311
    missed = []
    for number in range(count):
        tamper = vandal.tamper()
        found = scene.first_bad()
        if found != (tamper.first, tamper.first):
            missed.append(f"{number}: {tamper.what} shows at {tamper.first}, found {found}")
        scene.restore()
    return missed


def _forged(scene: Scene, count: int) -> list[str]:
    forger = Forger(scene.run, random.Random(SEED))  # noqa: S311
    missed = []
    for number in range(count):
        what = forger.forge()
        wrong = scene.desk.check().wrong
        if wrong is None or wrong.kind not in ("sealed", "checkpoint"):
            missed.append(f"{number}: {what}, found {wrong}")
        scene.restore()
    return missed


def test_every_tamper_on_sqlite_is_found_where_it_is(on_sqlite: Scene) -> None:
    assert _found(on_sqlite, ON_SQLITE) == []
    assert on_sqlite.desk.check().wrong is None


def test_every_tamper_on_postgres_is_found_where_it_is(on_postgres: Scene) -> None:
    assert _found(on_postgres, ON_POSTGRES) == []
    assert on_postgres.desk.check().wrong is None


def test_every_change_of_sealed_rows_on_sqlite_is_found(on_sqlite: Scene) -> None:
    assert _forged(on_sqlite, FORGED_ON_SQLITE) == []


def test_every_change_of_sealed_rows_on_postgres_is_found(on_postgres: Scene) -> None:
    assert _forged(on_postgres, FORGED_ON_POSTGRES) == []
