"""A rebuild that was interrupted goes on where it was, and reads nothing again that it had."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import pytest
from crm_events.feed.port import LaneBatch, LogReplaced
from crm_projections.engine.compare import differences
from crm_projections.engine.filling import Filled, Source
from crm_projections.engine.generation import create_beside, open_live
from crm_projections.engine.position import Generation
from crm_projections.engine.rebuild import rebuild
from crm_projections.engine.tables import GENERATIONS
from crm_projections.engine.unfinished import Wanted, drop_unfit, take_up
from crm_projections.engine.verifying import verify
from sqlalchemy import inspect, select

from tests.projections.rig import Rig
from tests.projections.tags import TagsView
from tests.support.fake_feed import FakeFeed

LEADS, EVENTS = 60, 120
SOME = 30
Begin = Callable[[Callable[[Filled], None]], Coroutine[Any, Any, Any]]
"""Work that tells how far it is."""


class NarrowFeed(FakeFeed):
    """Few events at a time, and all that it ever gave out."""

    given: list[int]
    fails: Exception | None = None

    async def poll(self, max_events: int, timeout: float) -> Sequence[LaneBatch]:  # noqa: ARG002
        if self.fails is not None:
            raise self.fails
        batches = await super().poll(1, timeout)
        for batch in batches:
            self.given.extend(envelope.sequence for envelope in batch.envelopes)
        return batches


class Bench:
    """Rebuilds of one view over a log of `EVENTS` events, each with what was read for it."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.view = TagsView()
        self.read: list[list[int]] = []
        self.told: list[Filled] = []

    async def begin(self) -> None:
        for number in range(LEADS):
            self.rig.tag(number, "a", "b")
        process = await self.rig.start(self.view)
        await process.until(lambda: self.rig.seen(self.view) == EVENTS, "all events taken")

    def feed(self, positions: Any, fails: Exception | None = None) -> FakeFeed:
        made = NarrowFeed(self.rig.log, positions)
        made.given, made.fails = [], fails
        self.read.append(made.given)
        return made

    async def rebuild(self, view: TagsView | None = None, **more: Any) -> Generation:
        self.told = []
        work = self.rig.workplace()
        asked = {"settings": "UTC", "told": self.told.append, **more}
        return await rebuild(view or self.view, work, self.feed, **asked)

    async def interrupt(self, at: int = SOME, view: TagsView | None = None) -> int:
        return await cancelled(lambda told: self.rebuild(view, told=told), at)

    def unfinished(self, status: str = "building") -> list[int]:
        query = select(GENERATIONS.c.generation).where(GENERATIONS.c.status == status)
        with self.rig.database.reading() as connection:
            return list(connection.execute(query).scalars())


async def cancelled(begin: Begin, at: int) -> int:
    """Begin it and cancel it when it has taken so many events; answers how many it had."""
    enough = asyncio.Event()
    counts: list[int] = []

    def told(filled: Filled) -> None:
        counts.append(filled.events)
        if filled.events >= at:
            enough.set()

    work = asyncio.create_task(begin(told))
    await enough.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    return counts[-1]


@pytest.fixture
async def bench(rig: Rig) -> Bench:
    made = Bench(rig)
    await made.begin()
    return made


@pytest.fixture
async def light(light_rig: Rig) -> Bench:
    made = Bench(light_rig)
    await made.begin()
    return made


async def test_it_goes_on_and_reads_nothing_twice(bench: Bench) -> None:
    had = await bench.interrupt()
    assert SOME <= had < EVENTS
    generation = await bench.rebuild()
    first, second = bench.read
    assert generation.number == 2
    assert bench.told[0].continued == had
    assert (len(first), len(second)) == (had, EVENTS - had)
    assert set(first).isdisjoint(second)
    assert not await _differs(bench)
    assert bench.unfinished() == []


async def test_it_goes_on_as_often_as_it_is_interrupted(bench: Bench) -> None:
    had = [await bench.interrupt(at) for at in (20, 50, 90)]
    await bench.rebuild()
    assert had == sorted(set(had))
    assert len(bench.read[-1]) == EVENTS - had[-1]
    assert not await _differs(bench)


async def test_what_came_meanwhile_is_taken_too(bench: Bench) -> None:
    had = await bench.interrupt()
    bench.rig.tag(1, "later")
    process = await bench.rig.start(bench.view)
    await process.until(lambda: bench.rig.seen(bench.view) == EVENTS + 1, "the live view goes on")
    await bench.rebuild()
    assert len(bench.read[-1]) == EVENTS + 1 - had
    assert not await _differs(bench)


async def test_a_database_that_went_away_is_gone_on_with(light: Bench) -> None:
    await light.interrupt()
    lost = TimeoutError("no answer")
    with pytest.raises(TimeoutError):
        await rebuild(
            light.view, light.rig.workplace(), lambda p: light.feed(p, lost), settings="UTC"
        )
    assert light.unfinished() == []  # an error that nobody knows: what it left is not trusted


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"view": TagsView(version=2)}, "is of another definition of the view"),
        ({"settings": "Asia/Tokyo"}, "was made with other settings (UTC, now Asia/Tokyo)"),
        ({"anew": True}, "was not wanted"),
    ],
)
async def test_what_does_not_fit_is_begun_anew_and_told(
    light: Bench, changed: dict[str, Any], said: str
) -> None:
    await light.interrupt()
    generation = await light.rebuild(**changed)
    assert generation.number > 1
    assert light.told[0].continued is None
    assert light.told[0].note == f"What an earlier attempt had begun {said}: this one begins anew."
    assert len(light.read[-1]) == EVENTS
    assert light.unfinished() == []


async def test_what_set_events_aside_is_begun_anew(light: Bench) -> None:
    """The program that goes on may be able to read them."""
    light.rig.tag(1_000, "bad")
    await light.interrupt(EVENTS // 2, TagsView(poisonous=["a"]))
    await light.rebuild()
    assert "set events aside" in str(light.told[0].note)
    assert light.told[0].continued is None


async def test_a_log_that_was_replaced_is_read_from_its_beginning(light: Bench) -> None:
    had = await light.interrupt()
    feeds = [LogReplaced("restored"), None]
    told: list[Filled] = []
    await rebuild(
        light.view,
        light.rig.workplace(),
        lambda positions: light.feed(positions, feeds.pop(0)),
        settings="UTC",
        told=told.append,
    )
    assert told[0].continued == had
    assert (told[1].continued, told[1].events) == (None, 0)
    assert "no longer holds what an earlier attempt had taken" in str(told[1].note)
    assert len(light.read[-1]) == EVENTS


async def test_two_do_not_fill_the_same(bench: Bench) -> None:
    await bench.interrupt()
    wanted, database = Wanted(bench.view, "UTC"), bench.rig.database
    one, other = take_up(database, wanted, 0), take_up(database, wanted, 0)
    assert one.states
    assert not other.states
    assert one.opened.generation != other.opened.generation
    drop_unfit(database, wanted, also_fit=True)
    assert len(bench.unfinished()) == 2
    one.release()
    other.release()
    again = take_up(database, wanted, 0)
    again.release()
    assert again.opened.generation == one.opened.generation


async def test_what_a_later_program_had_begun_is_left_to_it(light: Bench) -> None:
    had = await light.interrupt(view=TagsView(version=2))
    assert (await light.rebuild()).number == 3
    assert light.unfinished() == [2]
    await light.rebuild(TagsView(version=2))
    assert light.told[0].continued == had


async def test_names_are_not_left_lying_about(light: Bench) -> None:
    class Named(TagsView):
        def __init__(self) -> None:
            super().__init__()
            self.definition = type(self.definition)("tags", 1, personal=True)

    await light.interrupt(view=Named())
    drop_unfit(light.rig.database, Wanted(Named(), "UTC"))
    assert light.unfinished() == []
    with light.rig.database.reading() as connection:
        assert "tags_fact__g2" not in inspect(connection).get_table_names()


async def test_an_empty_one_of_before_is_dropped_without_a_word(light: Bench) -> None:
    create_beside(light.rig.database, light.view, "building", 0, "UTC")
    await light.rebuild()
    assert (light.told[0].continued, light.told[0].note) == (None, None)
    assert light.unfinished() == []


async def _differs(bench: Bench) -> list[Any]:
    """Against the log, and row by row against tables filled at once."""
    work = bench.rig.workplace()
    verdict = await verify(Source(bench.view, work, bench.rig.make_feed), 20.0)
    database = bench.rig.database
    with database.reading() as one:
        live = open_live(database, bench.view, 0)
        doubled = differences((one, live), (one, live))
    return [*verdict.differences, *doubled]
