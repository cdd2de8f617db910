"""What interrupted work had filled: gone on with where it fits, dropped where it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from crm_events.feed.port import Lane
from sqlalchemy import Connection, Row, select

from crm_projections.engine.bounded import Bounds
from crm_projections.engine.database import Database
from crm_projections.engine.generation import (
    Opened,
    Status,
    create_beside,
    definition_number,
    of_generation,
    open_generation,
)
from crm_projections.engine.leftovers import drop_unfinished
from crm_projections.engine.position import Generation, LaneState, load_states
from crm_projections.engine.tables import GENERATIONS
from crm_projections.engine.view import Projector

T = TypeVar("T")
Release = Callable[[], None]
_ANEW: Final = "was not wanted"


@dataclass(frozen=True, slots=True)
class Begun(Generic[T]):
    """A generation to fill, held by this process alone until `release`.

    `states` are the lanes as an earlier attempt left them, `note` says why what an earlier attempt
    left is not gone on with.
    """

    opened: Opened[T]
    release: Release
    states: Mapping[Lane, LaneState] = field(default_factory=dict)
    note: str | None = None

    @property
    def taken(self) -> dict[Lane, int]:
        """The sequence of the last event of each lane."""
        return {lane: state.sequence for lane, state in self.states.items()}


@dataclass(frozen=True, slots=True)
class Wanted(Generic[T]):
    """`settings` are those of the deployment that rows are made by, None where nothing is gone on
    with and nobody is to go on; with `anew` what was begun before is dropped. What was filled past
    the `bounds` does not fit."""

    view: Projector[T]
    settings: str | None
    anew: bool = False
    status: Status = "building"
    bounds: Bounds = field(default_factory=dict)


def take_up(database: Database, wanted: Wanted[T], now: int) -> Begun[T]:
    """The newest unfinished generation that fits and that nobody fills, else a new one."""
    note = None
    for generation, release in () if wanted.settings is None else _claimed(database, wanted):
        opened = open_generation(wanted.view, generation)
        with database.reading() as connection:
            unfit = _unfit(connection, wanted, generation)
            states = load_states(connection, generation)
        if unfit is None:
            return Begun(opened, release, states)
        note = (
            f"What an earlier attempt had begun {unfit}: this one begins anew." if unfit else note
        )
        _dropped(database, wanted.view, generation, release)
    return _new(database, wanted, now, note)


def drop_unfit(database: Database, wanted: Wanted[T], *, also_fit: bool = False) -> None:
    """Drop what nobody fills and nobody can go on with; with `also_fit` also what fits."""
    for generation, release in _claimed(database, wanted):
        with database.reading() as connection:
            unfit = _unfit(connection, wanted, generation)
        if unfit is None and not also_fit:
            release()
        else:
            _dropped(database, wanted.view, generation, release)


def _new(database: Database, wanted: Wanted[T], now: int, note: str | None) -> Begun[T]:
    opened = create_beside(database, wanted.view, wanted.status, now, wanted.settings)
    release = database.claim(_key(opened.generation))
    if release is None:  # somebody saw it before this process held it
        return _new(database, wanted, now, note)
    if opened.generation.number not in _unfinished(database, wanted):
        release()
        return _new(database, wanted, now, note)
    return Begun(opened, release, note=note)


def _claimed(database: Database, wanted: Wanted[Any]) -> Iterator[tuple[Generation, Release]]:
    """Every unfinished generation that nobody else holds, the newest first."""
    for number in _unfinished(database, wanted):
        generation = Generation(wanted.view.definition.id, number)
        release = database.claim(_key(generation))
        if release is not None:
            yield generation, release


def _unfinished(database: Database, wanted: Wanted[Any]) -> Sequence[int]:
    """What a later program had begun is left to that."""
    query = select(GENERATIONS.c.generation).where(
        GENERATIONS.c.view == wanted.view.definition.id,
        GENERATIONS.c.status == wanted.status,
        GENERATIONS.c.definition_version <= definition_number(wanted.view),
    )
    with database.reading() as connection:
        return connection.execute(query.order_by(GENERATIONS.c.generation.desc())).scalars().all()


def _unfit(connection: Connection, wanted: Wanted[Any], generation: Generation) -> str | None:
    """Why it cannot be gone on with, as the end of a sentence; empty where there is nothing in it
    to speak of, None where it can be."""
    row = connection.execute(
        select(GENERATIONS).where(*of_generation(GENERATIONS, generation))
    ).one_or_none()
    states = load_states(connection, generation)
    if row is None or row.status != wanted.status or not any(map(_reached, states.values())):
        return ""
    return _made_otherwise(wanted, row) or _filled_otherwise(wanted, states)


def _made_otherwise(wanted: Wanted[Any], row: Row[Any]) -> str | None:
    if row.definition_version != definition_number(wanted.view):
        return "is of another definition of the view"
    if row.settings != wanted.settings:
        return f"was made with other settings ({row.settings}, now {wanted.settings})"
    return "holds names, and is not kept" if wanted.view.definition.personal else None


def _filled_otherwise(wanted: Wanted[Any], states: Mapping[Lane, LaneState]) -> str | None:
    if any(state.parked for state in states.values()):
        return "had set events aside, which may be readable now"
    if any(_reached(states[lane]) > to for lane, to in wanted.bounds.items() if lane in states):
        return "goes further than is asked for now"
    return _ANEW if wanted.anew else None


def _reached(state: LaneState) -> int:
    return max(state.sequence, state.complete_to)


def _dropped(
    database: Database, view: Projector[Any], generation: Generation, release: Release
) -> None:
    try:
        drop_unfinished(database, view, generation.number)
    finally:
        release()


def _key(generation: Generation) -> str:
    return f"filling/{generation.view}/{generation.number}"
