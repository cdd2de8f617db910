"""What a rebuild would read and write, how long it would take, and how much space it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crm_events.feed.store import lanes_of
from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import OperationalError

from crm_projections.engine.database import Database
from crm_projections.engine.generation import (
    NothingLive,
    Opened,
    live_number,
    open_generation,
)
from crm_projections.engine.position import complete_to, load_states
from crm_projections.engine.view import Projector
from crm_projections.jobs.queue import Queue


@dataclass(frozen=True, slots=True)
class Plan:
    """Counts of events and rows are of the live view; `bytes` is the space its tables take with
    their indexes, None where the database cannot tell; `rate` is events a second as last seen."""

    view: str
    position: Mapping[str, int]
    events: int
    rows: Mapping[str, int]
    bytes: int | None
    rate: float | None

    @property
    def seconds(self) -> float | None:
        return self.events / self.rate if self.rate else None


def plan(database: Database, view: Projector[Any], queue: Queue) -> Plan:
    """Raises NothingLive."""
    name = view.definition.id
    rate = queue.rate(name)
    with database.reading() as connection:
        live = live_number(connection, name)
        if live is None:
            raise NothingLive(name)
        states, opened = load_states(connection, live), open_generation(view, live)
        return Plan(
            name,
            complete_to(states, lanes_of(view.contexts)),
            sum(state.seen for state in states.values()),
            _rows(connection, opened),
            _bytes(connection, opened),
            rate,
        )


def events_of(database: Database, view: str) -> int | None:
    """How many events the live view has taken; None where there is none."""
    with database.reading() as connection:
        live = live_number(connection, view)
        states = load_states(connection, live) if live is not None else {}
    return sum(state.seen for state in states.values()) or None


def _rows(connection: Connection, opened: Opened[Any]) -> dict[str, int]:
    return {
        name.removesuffix(opened.generation.suffix): connection.execute(
            select(func.count()).select_from(table)
        ).scalar_one()
        for name, table in sorted(opened.metadata.tables.items())
    }


def _bytes(connection: Connection, opened: Opened[Any]) -> int | None:
    tables = list(opened.metadata.tables.values())
    if connection.dialect.name == "postgresql":
        sizes = [
            connection.execute(
                text("SELECT pg_total_relation_size(to_regclass(:name))"), {"name": table.name}
            ).scalar_one()
            for table in tables
        ]
        return sum(size or 0 for size in sizes)
    names = [*opened.metadata.tables, *(str(i.name) for table in tables for i in table.indexes)]
    return _file_bytes(connection, names)


def _file_bytes(connection: Connection, names: list[str]) -> int | None:
    """SQLite tells it only where it was built to."""
    size = text("SELECT sum(pgsize) FROM dbstat WHERE name = :name")
    try:
        return sum(connection.execute(size, {"name": n}).scalar_one() or 0 for n in names)
    except OperationalError:
        return None
