"""The two key databases under one name, each test on one of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from crm_events.keys.cache import KeyCache
from crm_events.keys.master import make_master_key, read_master_key
from crm_events.keys.open import migrate_keys
from crm_events.keys.postgres import PostgresKeyTable
from crm_events.keys.sql import KeyTable, SqlKeys
from crm_events.keys.sqlite import SqliteKeyTable
from crm_events.sql.names import schema_name

Opener = Callable[[], SqlKeys]


@pytest.fixture
def master_file(tmp_path: Path) -> Path:
    path = tmp_path / "master"
    make_master_key(path)
    return path


@pytest.fixture(params=["sqlite", "postgres"])
def new_table(
    request: pytest.FixtureRequest, tmp_path: Path, namespace: str
) -> Callable[[], KeyTable]:
    """Opens the test's table, as another process would if it is open already."""
    if request.param == "sqlite":
        return lambda: SqliteKeyTable(tmp_path / "keys.db")
    dsn = str(request.getfixturevalue("postgres_dsn"))
    migrate_keys(dsn, namespace)
    return lambda: PostgresKeyTable(dsn, schema_name(namespace, "keys"))


@pytest.fixture
def opened(new_table: Callable[[], KeyTable], master_file: Path) -> Iterator[Opener]:
    with ExitStack() as stack:

        def open_one() -> SqlKeys:
            keys = SqlKeys(new_table(), read_master_key(master_file), KeyCache())
            return stack.enter_context(closing(keys))

        yield open_one


@pytest.fixture
def keys(opened: Opener) -> SqlKeys:
    return opened()
