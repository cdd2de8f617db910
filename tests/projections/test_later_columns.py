"""Tables of the engine that an earlier program made get the columns that came since."""

from __future__ import annotations

from crm_projections.engine.database import Database
from crm_projections.engine.generation import migrate
from crm_projections.engine.tables import GENERATIONS, JOBS
from sqlalchemy import inspect, text

LATER = {"view_job": ("continued", "note"), "view_generation": ("settings",)}


def _columns(database: Database) -> dict[str, set[str]]:
    with database.reading() as connection:
        looked = inspect(connection)
        return {name: {c["name"] for c in looked.get_columns(name)} for name in LATER}


def test_missing_columns_are_added_and_rows_stay(database: Database) -> None:
    whole = _columns(database)
    with database.defining() as connection:
        connection.execute(
            GENERATIONS.insert().values(
                view="tags",
                generation=1,
                status="live",
                definition="tags",
                definition_version=1,
                created_at=0,
            )
        )
        for table, names in LATER.items():
            for name in names:
                connection.execute(text(f"ALTER TABLE {table} DROP COLUMN {name}"))
    assert _columns(database) != whole
    migrate(database)
    migrate(database)
    assert _columns(database) == whole
    with database.reading() as connection:
        assert [row.settings for row in connection.execute(GENERATIONS.select())] == [None]
        assert not connection.execute(JOBS.select()).all()
