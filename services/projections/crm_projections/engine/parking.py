"""The dead letters of a view: events that failed, and those that wait behind them, in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from crm_events.feed.port import Lane
from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    Text,
    bindparam,
    exists,
    func,
    select,
    update,
)

from crm_projections.engine.letters import COLUMNS, Letter, Parked, Status, parked_of, row_of
from crm_projections.engine.position import Generation
from crm_projections.engine.tables import GENERATIONS, LETTERS, POSITIONS
from crm_projections.engine.writing import insert_rows

WINDOW: Final = 10_000
MOST_FAILURES: Final = WINDOW // 100
"""A view stops when more than these of the last WINDOW events failed by themselves."""


class TooManyFailures(Exception):
    """The fault is not in single events, so parking them one by one would hide it."""

    def __init__(self, view: str, last: str) -> None:
        super().__init__(
            f"More than {MOST_FAILURES} of the last {WINDOW} events of view {view!r} failed by "
            f"themselves; it stopped before the next. Mend the cause and start again. "
            f"The last failure: {last}"
        )


def park(
    connection: Connection, generation: Generation, letters: Sequence[Letter], now: int
) -> int | None:
    """Keep letters; answers how many are parked then, where any is new.

    Raises TooManyFailures, with nothing kept, when events fail in numbers.
    """
    fresh = _without_known_strays(connection, generation, letters)
    if not fresh:
        return None
    named = {"view": generation.view, "generation": generation.number, "window": WINDOW}
    standing = connection.execute(_STANDING, named).one()
    seen, failures, parked = (int(count) for count in standing)
    failed = [letter for letter in fresh if letter.kind != "behind"]
    if failed and len(failed) + failures > MOST_FAILURES:
        raise TooManyFailures(generation.view, failed[-1].reason)
    rows = [row_of(generation, letter, seen, now) for letter in fresh]
    insert_rows(connection, LETTERS, COLUMNS, rows)
    return parked + len(fresh)


def _without_known_strays(
    connection: Connection, generation: Generation, letters: Sequence[Letter]
) -> Sequence[Letter]:
    """A record without a place in its lane is known by its offset when it comes again."""
    if all(letter.aggregate_id is not None for letter in letters):
        return letters
    rows = connection.execute(
        select(LETTERS.c.context, LETTERS.c.partition, LETTERS.c.record_offset).where(
            *_of(generation), LETTERS.c.aggregate_id.is_(None)
        )
    )
    known = {(Lane(row.context, row.partition), row.record_offset) for row in rows}
    return [letter for letter in letters if (letter.lane, letter.stray_offset) not in known]


def parked_aggregates(connection: Connection, generation: Generation) -> set[int]:
    """Aggregates whose further events wait, as numbers: Python hashes those faster than ids, and
    every event is looked up."""
    rows = connection.execute(
        select(LETTERS.c.aggregate_id).where(*_of(generation), LETTERS.c.status == "parked")
    )
    return {row.aggregate_id.int for row in rows if row.aggregate_id is not None}


def left_out(connection: Connection, view: str) -> set[int]:
    """Events that somebody decided to skip, as numbers; they stay out of every generation of the
    view."""
    rows = connection.execute(
        select(LETTERS.c.event_id).where(LETTERS.c.view == view, LETTERS.c.status == "skipped")
    )
    return {row.event_id.int for row in rows if row.event_id is not None}


def parked_count(connection: Connection, generation: Generation) -> int:
    counted = select(func.count()).where(*_of(generation), LETTERS.c.status == "parked")
    return connection.execute(counted).scalar_one()


def letters(connection: Connection, *conditions: ColumnElement[bool]) -> list[Parked]:
    """Letters in the order in which they are to be applied."""
    ordered = select(LETTERS).where(*conditions).order_by(LETTERS.c.sequence, LETTERS.c.id)
    return [parked_of(row) for row in connection.execute(ordered)]


def find_letter(connection: Connection, id: int) -> Parked | None:
    return next(iter(letters(connection, LETTERS.c.id == id)), None)


def parked_letters(connection: Connection, generation: Generation | None = None) -> list[Parked]:
    """What is parked now, of one generation or of all."""
    of = _of(generation) if generation is not None else ()
    return letters(connection, LETTERS.c.status == "parked", *of)


def listed(
    connection: Connection, *, view: str | None, status: Status | None, after: int, limit: int
) -> list[Parked]:
    """Letters in the order in which they were kept, with an id above `after`; of those that nobody
    has decided on, the ones that can be: of tables that are live."""
    wanted = [LETTERS.c.id > after, (LETTERS.c.status != "parked") | _IS_LIVE]
    wanted += [LETTERS.c.view == view] if view is not None else []
    wanted += [LETTERS.c.status == status] if status is not None else []
    query = select(LETTERS).where(*wanted).order_by(LETTERS.c.id).limit(limit)
    return [parked_of(row) for row in connection.execute(query)]


def queue_of(connection: Connection, generation: Generation, aggregate_id: UUID) -> list[Parked]:
    """What is parked of one aggregate, in order."""
    return letters(
        connection,
        *_of(generation),
        LETTERS.c.status == "parked",
        LETTERS.c.aggregate_id == aggregate_id,
    )


def settle(
    connection: Connection,
    letter: Parked,
    status: Status,
    now: int,
    *,
    by: str,
    decision: str | None = None,
) -> None:
    """Record what became of a letter, when, and who saw to it."""
    _change(connection, letter, status=status, decided_at=now, decided_by=by, decision=decision)


def failed_again(connection: Connection, letter: Parked, reason: str) -> None:
    _change(connection, letter, kind="failed", reason=reason, attempts=LETTERS.c.attempts + 1)


def _change(connection: Connection, letter: Parked, **values: Any) -> None:
    connection.execute(update(LETTERS).where(LETTERS.c.id == letter.id).values(**values))


def _of(generation: Generation) -> tuple[ColumnElement[bool], ...]:
    return (LETTERS.c.view == generation.view, LETTERS.c.generation == generation.number)


_IS_LIVE: Final = exists().where(
    GENERATIONS.c.view == LETTERS.c.view,
    GENERATIONS.c.generation == LETTERS.c.generation,
    GENERATIONS.c.status == "live",
)


def _standing() -> Select[Any]:
    """How many events a generation has seen, how many of the last WINDOW failed by themselves, and
    how many are parked: asked at once, for whoever parks asks in every batch."""
    view = bindparam("view", type_=Text)
    generation = bindparam("generation", type_=Integer)
    counts = func.sum(POSITIONS.c.applied + POSITIONS.c.parked + POSITIONS.c.skipped)
    seen = (
        select(func.coalesce(counts, 0))
        .where(POSITIONS.c.view == view, POSITIONS.c.generation == generation)
        .scalar_subquery()
    )
    own = (LETTERS.c.view == view, LETTERS.c.generation == generation)
    lately = LETTERS.c.seen > seen - bindparam("window")
    failed = (LETTERS.c.kind != "behind") & (LETTERS.c.status != "applied") & lately
    counted = select(func.count()).select_from(LETTERS).where(*own)
    return select(
        seen,
        counted.where(failed).scalar_subquery(),
        counted.where(LETTERS.c.status == "parked").scalar_subquery(),
    )


_STANDING: Final = _standing()
