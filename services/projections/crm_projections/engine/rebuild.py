"""A view computed anew from the log beside the one that answers: to replace it, or to check it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from crm_events.crashing import crash_point
from crm_events.feed.port import Feed, Lane
from crm_events.feed.store import lanes_of
from sqlalchemy import Connection, bindparam, update

from crm_projections.engine.compare import differences
from crm_projections.engine.generation import (
    NothingLive,
    Opened,
    create_beside,
    drop,
    find_live,
    live_number,
    open_generation,
    stops,
    switch,
)
from crm_projections.engine.instants import micros
from crm_projections.engine.intake import Workplace
from crm_projections.engine.position import Generation, LaneState, fence, load_states
from crm_projections.engine.projection import Projection
from crm_projections.engine.runner import LowestPositions, MakeFeed, Pace, Runner
from crm_projections.engine.tables import POSITIONS
from crm_projections.engine.view import Projector
from crm_projections.engine.waiting import Bell

T = TypeVar("T")
States = Mapping[Lane, LaneState]
_PACE: Final = Pace(batch=5_000, poll=0.1)


class RebuildFailed(Exception):
    """The new generation could not be filled; the one that answers was left as it is."""


class NeverEqual(Exception):
    """The live view and its check did not come to one position in time; it is behind or stopped."""


@dataclass(slots=True)
class _Filling:
    """What is being filled, and since when (monotonic) nothing more was found."""

    work: Workplace
    quiet: float
    idle_since: float | None = None

    def look(self, found_something: bool) -> None:
        now = time.monotonic()
        self.idle_since = None if found_something else (self.idle_since or now)

    @property
    def whole(self) -> bool:
        """Whether this is all that the log holds."""
        return self.idle_since is not None and time.monotonic() - self.idle_since >= self.quiet


async def rebuild(
    view: Projector[T], workplace: Workplace, make_feed: MakeFeed, *, quiet: float = 0.2
) -> Generation:
    """Fill a new generation from the log, and make it live once it has passed the live position.

    A live generation that has stopped is not passed but replaced once the log has shown nothing
    new for `quiet` seconds: its position may be of a log that is gone.

    Whoever follows the view is fenced at that moment and goes on with the new generation. Raises
    RebuildFailed; then nothing has changed.
    """
    opened = await _beside(view, workplace, "building")
    try:
        await _fill(
            view, workplace, make_feed, opened, lambda f: _switched(f, view, opened), quiet=quiet
        )
    except BaseException:
        await asyncio.to_thread(drop, workplace.database, opened)
        raise
    return opened.generation


async def verify(
    view: Projector[T], workplace: Workplace, make_feed: MakeFeed, timeout: float = 60.0
) -> list[str]:
    """How the live view differs from one computed anew; empty where they are equal row by row.

    Raises NothingLive, RebuildFailed, and NeverEqual after `timeout` seconds.
    """
    found: list[str] = []
    opened = await _beside(view, workplace, "scratch")
    try:
        async with asyncio.timeout(timeout):
            await _fill(
                view, workplace, make_feed, opened, lambda f: _compared(f, view, opened, found)
            )
    except TimeoutError:
        raise NeverEqual(
            f"View {view.definition.id!r} did not reach the position of its check within "
            f"{timeout:g} s; see whether its projection runs."
        ) from None
    finally:
        await asyncio.to_thread(drop, workplace.database, opened)
    return found


async def _beside(view: Projector[T], work: Workplace, status: Any) -> Opened[T]:
    return await asyncio.to_thread(create_beside, work.database, view, status, micros(work.clock()))


async def _fill(
    view: Projector[T],
    workplace: Workplace,
    make_feed: MakeFeed,
    opened: Opened[T],
    done: Callable[[_Filling], bool],
    *,
    quiet: float = 0.0,
) -> None:
    work = workplace.apart()
    projection = Projection(view, work, lambda: opened)
    filling = _Filling(work, quiet)
    runner = Runner([projection], work, make_feed, Bell(), _PACE)
    feed = make_feed(LowestPositions([projection]))
    await feed.start()
    try:
        while not await asyncio.to_thread(done, filling):
            moves = projection.moves
            await runner.turn(feed)
            crash_point("rebuilding")
            filling.look(projection.moves != moves or not _nothing_ahead(feed, view))
            if projection.stopped is not None:
                raise RebuildFailed(projection.stopped)
    finally:
        await feed.stop()
        runner.close()


def _nothing_ahead(feed: Feed, view: Projector[Any]) -> bool:
    """Whether the feed owns every lane, knows how far each goes, and has shown all of it."""
    ahead, lanes = feed.lag(), set(lanes_of(view.contexts))
    return lanes <= feed.owned() and lanes <= ahead.keys() and not any(ahead.values())


def _switched(filling: _Filling, view: Projector[T], opened: Opened[T]) -> bool:
    database, name = filling.work.database, view.definition.id
    with database.reading() as connection:
        whole = filling.whole and _nothing_to_pass(connection, name)
        if not (whole or _passed(connection, name, opened.generation)):
            return False
    with database.writing() as connection:
        old = live_number(connection, name, lock=True)
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


def _compared(filling: _Filling, view: Projector[T], scratch: Opened[T], found: list[str]) -> bool:
    """Compare once both have taken the very same events, in one snapshot of the database."""
    with filling.work.database.reading() as connection:
        live = find_live(connection, view)
        if live is None:
            raise NothingLive(view.definition.id)
        olds, news = load_states(connection, live), load_states(connection, scratch.generation)
        if _taken(olds) != _taken(news):
            return False
        found += differences(connection, open_generation(view, live), scratch)
    return True


def _taken(states: States) -> dict[Lane, tuple[int, int]]:
    return {lane: (s.sequence, s.digest) for lane, s in states.items() if s.sequence}
