"""Generations of a view: each has its own tables and positions, and one of them is live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Generic, Literal, TypeVar

from crm_events.event import Event
from sqlalchemy import (
    Connection,
    MetaData,
    Row,
    Select,
    Table,
    bindparam,
    case,
    delete,
    func,
    insert,
    inspect,
    select,
    text,
    update,
)

from crm_projections.engine.database import Database
from crm_projections.engine.position import Generation
from crm_projections.engine.tables import GENERATIONS, JOBS, LETTERS, METADATA, POSITIONS
from crm_projections.engine.view import Projector

T = TypeVar("T")
Status = Literal["building", "live", "retired", "scratch"]
UNFINISHED: Final[tuple[Status, ...]] = ("building", "scratch")
"""What somebody fills, or has left."""
_FIRST: Final = 1
# Made once: to put one of these together anew takes longer than to ask it.
_ALL_LIVE: Final[Select[Any]] = select(
    GENERATIONS.c.view, GENERATIONS.c.generation, GENERATIONS.c.definition_version
).where(GENERATIONS.c.status == "live")
_LIVE: Final = _ALL_LIVE.where(GENERATIONS.c.view == bindparam("name"))
_LOCKED: Final = _LIVE.with_for_update()


@dataclass(frozen=True, slots=True)
class Opened(Generic[T]):
    """A generation of a view with its tables at hand."""

    generation: Generation
    tables: T
    metadata: MetaData


class OutdatedView(Exception):
    """The live tables hold another definition; `newer` says that a later program made them."""

    def __init__(self, view: str, stored: int, wanted: int) -> None:
        self.newer = stored > wanted
        remedy = "upgrade this program" if self.newer else "rebuild the view"
        super().__init__(
            f"The tables of view {view!r} hold definition {stored}, this program computes "
            f"definition {wanted}: {remedy}."
        )


class NothingLive(Exception):
    """No process has made the view's tables yet."""

    def __init__(self, view: str) -> None:
        super().__init__(f"View {view!r} has no tables yet; start its projection, or migrate.")


def migrate(database: Database) -> None:
    """Make the engine's own tables, and columns of them, where they are missing; safe in many
    processes at once."""
    with database.defining() as connection:
        METADATA.create_all(connection)
        for table in (GENERATIONS, JOBS):
            _complete(connection, table)


def _complete(connection: Connection, table: Table) -> None:
    """A column that came later may be empty: rows of before have nothing to say in it."""
    there = {column["name"] for column in inspect(connection).get_columns(table.name)}
    for column in table.columns:
        if column.name not in there:
            kind = column.type.compile(connection.dialect)
            connection.execute(text(f'ALTER TABLE {table.name} ADD COLUMN "{column.name}" {kind}'))


def open_generation(view: Projector[T], generation: Generation) -> Opened[T]:
    """The tables of a generation, without looking whether they exist."""
    return _opened(view, generation)  # type: ignore[arg-type]  # every object hashes


@lru_cache(maxsize=64)
def _opened(view: Any, generation: Generation) -> Opened[Any]:
    """Kept, for statements are compiled once for the same tables and anew for equal ones. The
    tables say whose they are to whoever keeps what was read from them."""
    metadata = MetaData(info={"generation": generation})
    return Opened(generation, view.tables(metadata, generation.suffix), metadata)


def find_live(connection: Connection, view: Projector[T]) -> Generation | None:
    """The live generation. Raises OutdatedView where the program has moved on since it was made."""
    return _current(view, _live_row(connection, view.definition.id))


def find_all_live(
    connection: Connection, views: Sequence[Projector[Any]]
) -> list[Generation | None]:
    """As `find_live` of each of them, asked at once."""
    rows = {row.view: row for row in connection.execute(_ALL_LIVE)}
    return [_current(view, rows.get(view.definition.id)) for view in views]


def _current(view: Projector[Any], row: Row[Any] | None) -> Generation | None:
    if row is None:
        return None
    name = view.definition.id
    if row.definition_version != (wanted := definition_number(view)):
        raise OutdatedView(name, row.definition_version, wanted)
    return Generation(name, row.generation)


def definition_number(view: Projector[Any]) -> int:
    """The definition's, raised by each version of an event that the view takes: rows keep what an
    event said in the shape of their time, and a rebuild would make others of it."""
    return view.definition.version + _raised(view.handles)


@lru_cache(maxsize=64)
def _raised(handles: frozenset[type[Event]]) -> int:
    return sum(int(event.TYPE.rpartition(".v")[2]) - 1 for event in handles)


def live_number(connection: Connection, view: str, *, lock: bool = False) -> Generation | None:
    """The live generation, whichever definition it holds. With `lock` nobody adds lanes to it
    until the transaction ends."""
    row = _live_row(connection, view, lock=lock)
    return None if row is None else Generation(view, row.generation)


def _live_row(connection: Connection, view: str, *, lock: bool = False) -> Row[Any] | None:
    return connection.execute(_LOCKED if lock else _LIVE, {"name": view}).one_or_none()


def open_live(database: Database, view: Projector[T], now: int) -> Opened[T]:
    """The live generation, made first where there is none. Raises OutdatedView."""
    with database.reading() as connection:
        found = find_live(connection, view)
    if found is not None:
        return open_generation(view, found)
    with database.defining() as connection:
        found = find_live(connection, view)
        if found is not None:
            return open_generation(view, found)
        return _create(connection, view, "live", now)


def create_beside(
    database: Database, view: Projector[T], status: Status, now: int, settings: str | None = None
) -> Opened[T]:
    """A new, empty generation beside what there is."""
    with database.defining() as connection:
        return _create(connection, view, status, now, settings)


def _create(
    connection: Connection,
    view: Projector[T],
    status: Status,
    now: int,
    settings: str | None = None,
) -> Opened[T]:
    name = view.definition.id
    highest = connection.execute(
        select(func.max(GENERATIONS.c.generation)).where(GENERATIONS.c.view == name)
    ).scalar_one()
    opened = open_generation(view, Generation(name, (highest or 0) + _FIRST))
    opened.metadata.create_all(connection)
    row = {
        "view": name,
        "generation": opened.generation.number,
        "status": status,
        "definition": view.definition.id,
        "definition_version": definition_number(view),
        "created_at": now,
        "settings": settings,
    }
    connection.execute(insert(GENERATIONS).values(**row))
    return opened


def switch(connection: Connection, old: Generation | None, new: Generation, now: int) -> None:
    """Make `new` live and `old` retired in one statement; whoever feeds `old` is to be fenced in
    the same transaction."""
    numbers = [generation.number for generation in (old, new) if generation is not None]
    becoming = GENERATIONS.c.generation == new.number
    connection.execute(
        update(GENERATIONS)
        .where(GENERATIONS.c.view == new.view, GENERATIONS.c.generation.in_(numbers))
        .values(
            status=case((becoming, "live"), else_="retired"),
            switched_at=case((becoming, now), else_=GENERATIONS.c.switched_at),
            stopped=None,
        )
    )


def drop(database: Database, opened: Opened[Any]) -> None:
    """Remove a generation that is not live. Decisions to skip an event are kept."""
    generation = opened.generation
    with database.defining() as connection:
        opened.metadata.drop_all(connection)
        for table in (GENERATIONS, POSITIONS):
            connection.execute(delete(table).where(*of_generation(table, generation)))
        connection.execute(
            delete(LETTERS).where(
                *of_generation(LETTERS, generation), LETTERS.c.status != "skipped"
            )
        )


def readable(connection: Connection, view: Projector[T], number: int) -> Opened[T] | None:
    """A generation that is live, or that was and is kept; None where there is no such one."""
    generation = Generation(view.definition.id, number)
    found = connection.execute(
        select(GENERATIONS.c.status, GENERATIONS.c.definition_version).where(
            *of_generation(GENERATIONS, generation)
        )
    ).one_or_none()
    if found is None or found.definition_version != definition_number(view):
        return None
    return open_generation(view, generation) if found.status in ("live", "retired") else None


def of_generation(table: Any, generation: Generation) -> tuple[Any, ...]:
    return (table.c.view == generation.view, table.c.generation == generation.number)
