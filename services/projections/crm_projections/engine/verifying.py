"""Whether the live view is what the log says, at one position, while both go on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from crm_events.feed.port import Lane
from crm_events.feed.store import lanes_of
from sqlalchemy import Connection

from crm_projections.engine.compare import Difference, differences
from crm_projections.engine.filling import Filling, LogEnds, Source, filling, going_on
from crm_projections.engine.generation import NothingLive, find_live, open_generation
from crm_projections.engine.position import LaneState, complete_to, load_states
from crm_projections.engine.view import Projector

T = TypeVar("T")
States = Mapping[Lane, LaneState]


class NeverEqual(Exception):
    """The log does not come to the position of the live view."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was compared: up to where, how many events, and how the live view differs."""

    position: Mapping[str, int]
    events: int
    differences: list[Difference]


async def verify(source: Source[T], patience: float = 60.0) -> Verdict:
    """Compute the view anew beside the live one, and compare them at one position of every lane.

    The live view goes on meanwhile: it is compared as one snapshot of the database holds it, and
    the other is filled up to exactly there. One that was interrupted goes on where it was, for what
    it had filled is of a beginning of each lane, and the live view only moves on. Raises
    NothingLive, RebuildFailed, and NeverEqual where nothing comes for `patience` seconds.
    """
    return await going_on(source, partial(_verified, patience))


async def _verified(patience: float, source: Source[T]) -> Verdict:
    work, view = source.work, source.view
    with work.database.reading() as connection:
        near = _bounds(view, _live_states(connection, view))
    async with filling(source, "scratch", near) as found:
        try:
            await found.until(lambda: _reached(found.states, near), patience)
            return await _compared(found, source, patience)
        except LogEnds as ends:
            raise NeverEqual(
                f"The log does not come to the position of view {view.definition.id!r} ({ends}); "
                "rebuild the view, or see whether the log can be read."
            ) from None


async def _compared(found: Filling[T], source: Source[T], patience: float) -> Verdict:
    """In one snapshot, kept open by what is asked of it with every turn."""
    view = source.view
    with source.work.database.reading() as connection:
        states = await asyncio.to_thread(_live_states, connection, view)
        bounds = _bounds(view, states)
        await found.extend(bounds)

        def reached() -> bool:
            _live_states(connection, view)
            return _reached(found.states, bounds)

        await found.until(reached, patience)
        differing = await asyncio.to_thread(_differing, connection, found, source, states)
    position = complete_to(states, lanes_of(view.contexts))
    return Verdict(position, sum(state.seen for state in states.values()), differing)


def _live_states(connection: Connection, view: Projector[T]) -> States:
    live = find_live(connection, view)
    if live is None:
        raise NothingLive(view.definition.id)
    return load_states(connection, live)


def _bounds(view: Projector[T], states: States) -> dict[Lane, int]:
    """All that the live view says it has seen, where it took nothing too."""
    return {lane: _seen(states.get(lane)) for lane in lanes_of(view.contexts)}


def _seen(state: LaneState | None) -> int:
    return 0 if state is None else max(state.sequence, state.complete_to)


def _reached(states: States, bounds: Mapping[Lane, int]) -> bool:
    return all(_seen(states.get(lane)) >= to for lane, to in bounds.items())


def _differing(
    connection: Connection, found: Filling[T], source: Source[T], states: States
) -> list[Difference]:
    live = find_live(connection, source.view)
    if live is None:
        raise NothingLive(source.view.definition.id)
    taken = _other_events(states, found.states)
    with source.work.database.reading() as beside:
        rows = differences((connection, open_generation(source.view, live)), (beside, found.opened))
    return [*taken, *rows]


def _other_events(lives: States, news: States) -> list[Difference]:
    """Lanes whose multisets of event ids differ: an event was missed, doubled, or changed."""
    return [
        Difference(
            f"events of {lane.context}/{lane.partition}",
            only_live=state.seen,
            only_log=news[lane].seen,
            samples=("the sums over the ids of the events taken differ",),
        )
        for lane, state in sorted(lives.items())
        if lane in news and state.digest != news[lane].digest
    ]
