"""Which views do not move, and why: told to every process by their generation's row."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select, update

from crm_projections.engine.database import Database
from crm_projections.engine.generation import of_generation
from crm_projections.engine.position import Generation
from crm_projections.engine.tables import GENERATIONS


def record_stop(database: Database, generation: Generation, reason: str | None) -> None:
    """Tell every process why this view does not move; None when it does again."""
    with database.writing() as connection:
        connection.execute(
            update(GENERATIONS)
            .where(
                *of_generation(GENERATIONS, generation),
                GENERATIONS.c.stopped.is_distinct_from(reason),
            )
            .values(stopped=reason)
        )


def stops(connection: Connection) -> Mapping[str, str]:
    """The views that stopped, and why."""
    rows = connection.execute(
        select(GENERATIONS.c.view, GENERATIONS.c.stopped).where(
            GENERATIONS.c.status == "live", GENERATIONS.c.stopped.is_not(None)
        )
    )
    return {row.view: row.stopped for row in rows}
