"""A view computed anew from the log beside the one that answers, and put in its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from crm_events.crashing import crash_point
from crm_events.feed.port import Lane
from sqlalchemy import Connection, bindparam, update

from crm_projections.engine.filling import (
    Filling,
    RebuildFailed,
    Source,
    Told,
    filling,
    going_on,
    untold,
)
from crm_projections.engine.generation import live_number, switch
from crm_projections.engine.instants import micros
from crm_projections.engine.intake import Workplace
from crm_projections.engine.position import Generation, LaneState, fence, load_states
from crm_projections.engine.runner import MakeFeed
from crm_projections.engine.stopping import stops
from crm_projections.engine.tables import POSITIONS
from crm_projections.engine.view import Projector

__all__ = ["RebuildFailed", "rebuild"]
T = TypeVar("T")
States = Mapping[Lane, LaneState]


async def rebuild(
    view: Projector[T],
    workplace: Workplace,
    make_feed: MakeFeed,
    *,
    quiet: float = 0.2,
    told: Told = untold,
    settings: str = "",
    anew: bool = False,
) -> Generation:
    """Fill a new generation from the log, and make it live once it has passed the live position.

    One that was interrupted goes on where it was, as long as definition and `settings` are the
    same, unless `anew`. Cancelled, or with the log or the database away, it is kept for that.

    A live generation that has stopped is not passed but replaced once the log has shown nothing
    new for `quiet` seconds: its position may be of a log that is gone.

    Whoever follows the view is fenced at that moment and goes on with the new generation. Raises
    RebuildFailed; then nothing has changed.
    """
    source = Source(view, workplace, make_feed, quiet, told, settings, anew)
    return await going_on(source, _rebuilt)


async def _rebuilt(source: Source[T]) -> Generation:
    async with filling(source, "building") as found:
        await found.until(lambda: _switched(found, source.view.definition.id))
        return found.opened.generation


def _switched(filling: Filling[T], name: str) -> bool:
    database, opened = filling.work.database, filling.opened
    with database.reading() as connection:
        whole = filling.whole and _nothing_to_pass(connection, name)
        if not (whole or _passed(connection, name, opened.generation)):
            return False
    with database.writing() as connection:
        old = live_number(connection, name, lock=True)
        if old == opened.generation:  # somebody who went on with it as well was faster
            return True
        if old is not None:
            fence(connection, old)  # holds its lanes still until this transaction ends
        passed = _passed(connection, name, opened.generation)
        if not (whole or passed):
            return False
        if old is not None and passed:
            _take_over_offsets(connection, old, opened.generation)
        switch(connection, old, opened.generation, micros(filling.work.clock()))
        crash_point("switching")
    return True


def _nothing_to_pass(connection: Connection, view: str) -> bool:
    """Whether the whole log is enough: there is no live generation, or it stopped, as it does when
    a store was restored to a time before it."""
    return live_number(connection, view) is None or view in stops(connection)


def _passed(connection: Connection, view: str, new: Generation) -> bool:
    """Whether the new generation has taken all that the live one has."""
    old = live_number(connection, view)
    if old is None:
        return False
    olds, news = load_states(connection, old), load_states(connection, new)
    return all(
        (fresh := news.get(lane)) is not None
        and fresh.sequence >= state.sequence
        and fresh.complete_to >= state.complete_to
        for lane, state in olds.items()
        if state.complete_to
    )


def _take_over_offsets(connection: Connection, old: Generation, new: Generation) -> None:
    """What was filled from a store reads on where the old generation was, dropping repeats."""
    own = load_states(connection, new)
    rows = [
        {"lane_context": lane.context, "lane_partition": lane.partition, "offset": state.offset}
        for lane, state in load_states(connection, old).items()
        if state.offset is not None and own[lane].offset is None
    ]
    if rows:
        connection.execute(
            update(POSITIONS)
            .where(
                POSITIONS.c.view == new.view,
                POSITIONS.c.generation == new.number,
                POSITIONS.c.context == bindparam("lane_context"),
                POSITIONS.c.partition == bindparam("lane_partition"),
            )
            .values(next_offset=bindparam("offset")),
            rows,
        )
