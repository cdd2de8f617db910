"""A rebuild that is measured says how much of the log it took."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from crm_projections.engine.database import sqlite_database

from tests.bench.rebuilding_alone import VIEWS, rebuilt
from tests.bench.stores import fill, sqlite_store_in


async def test_whole_log_is_told_with_time_and_memory(tmp_path: Path) -> None:
    with (
        sqlite_store_in(tmp_path, "pipeline") as store,
        closing(sqlite_database(tmp_path / "views.db")) as database,
    ):
        fill(store, 700)
        for table in ("retention_order__g1", "retention_order__g2"):
            found = await rebuilt(database, VIEWS["retention"], store)
            assert (found["events"], found["parked"], found["table"]) == (700, 0, table)
            assert found["seconds"] > 0
            assert found["peak"] > 10
