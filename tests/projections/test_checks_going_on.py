"""A check or a replay that was interrupted goes on where it was, and is as right as a whole one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from crm_projections.engine.filling import Source
from crm_projections.engine.generation import open_live
from crm_projections.engine.rebuild import rebuild
from crm_projections.engine.replaying import Replayed, replay
from crm_projections.engine.verifying import Verdict, verify
from sqlalchemy import update

from tests.projections.rig import Rig, lead
from tests.projections.tags import TagsView
from tests.projections.test_going_on import EVENTS, SOME, Bench, cancelled

Work = Callable[[Source[Any]], Awaitable[Any]]


class Checks(Bench):
    """Checks and replays of the bench's view."""

    async def do(self, work: Work, settings: str | None = "UTC", **more: Any) -> Any:
        self.told = []
        told = more.pop("told", self.told.append)
        source = Source(self.view, self.rig.workplace(), self.feed, 0.0, told, settings, **more)
        return await work(source)

    async def stop(self, work: Work, at: int = SOME, **more: Any) -> int:
        return await cancelled(lambda told: self.do(work, told=told, **more), at)

    async def follow(self, events: int) -> None:
        """The live view takes them."""
        process = await self.rig.start(self.view)
        await process.until(lambda: self.rig.seen(self.view) == events, "the live view goes on")


async def check(source: Source[Any]) -> Verdict:
    return await verify(source, 20.0)


def up_to(sequence: int) -> Work:
    async def work(source: Source[Any]) -> Replayed:
        return await replay(source, {"contacts": sequence}, 20.0)

    return work


@pytest.fixture
async def checks(rig: Rig) -> Checks:
    made = Checks(rig)
    await made.begin()
    return made


@pytest.fixture
async def light(light_rig: Rig) -> Checks:
    made = Checks(light_rig)
    await made.begin()
    return made


async def test_a_check_goes_on_while_the_live_view_moves(checks: Checks) -> None:
    had = await checks.stop(check)
    for number in range(5):
        checks.rig.tag(number, "later")
    await checks.follow(EVENTS + 5)
    verdict = await checks.do(check)
    assert (verdict.events, verdict.differences) == (EVENTS + 5, [])
    assert checks.told[0].continued == had
    assert (len(checks.read[0]), len(checks.read[1])) == (had, EVENTS + 5 - had)
    assert checks.unfinished("scratch") == []


async def test_a_check_that_goes_on_finds_what_was_forged(checks: Checks) -> None:
    await checks.stop(check)
    table = open_live(checks.rig.database, checks.view, 0).tables
    with checks.rig.database.writing() as connection:
        connection.execute(update(table).where(table.c.lead == lead(1)).values(tag="forged"))
    verdict = await checks.do(check)
    assert checks.told[0].continued
    assert [(d.only_live, d.only_log) for d in verdict.differences] == [(2, 2)]


async def test_a_check_goes_on_after_the_view_was_rebuilt(light: Checks) -> None:
    had = await light.stop(check)
    await rebuild(light.view, light.rig.workplace(), light.rig.make_feed)
    assert (await light.do(check)).differences == []
    assert light.told[0].continued == had


async def test_a_replay_goes_on_to_the_same_digest(checks: Checks) -> None:
    whole = await checks.do(up_to(EVENTS))
    had = await checks.stop(up_to(EVENTS))
    assert await checks.do(up_to(EVENTS)) == whole
    assert checks.told[0].continued == had
    assert len(checks.read[-1]) == EVENTS - had


async def test_a_replay_to_an_earlier_position_begins_anew(light: Checks) -> None:
    half = await light.do(up_to(SOME))
    await light.stop(up_to(EVENTS), EVENTS - 10)
    assert await light.do(up_to(SOME)) == half
    assert light.told[0].continued is None
    assert "goes further than is asked for now" in str(light.told[0].note)
    assert light.unfinished("scratch") == []


async def test_a_check_goes_on_with_what_a_replay_had_filled(light: Checks) -> None:
    had = await light.stop(up_to(SOME * 2), SOME)
    assert (await light.do(check)).differences == []
    assert light.told[0].continued == had


@pytest.mark.parametrize("changed", [{"settings": None}, {"anew": True}])
async def test_what_is_not_wanted_is_read_whole(light: Checks, changed: dict[str, Any]) -> None:
    await light.stop(check)
    assert (await light.do(check, **changed)).differences == []
    assert light.told[0].continued is None
    assert len(light.read[-1]) == EVENTS


async def test_nothing_is_kept_of_what_nobody_can_go_on_with(light: Checks) -> None:
    class Named(TagsView):
        def __init__(self) -> None:
            super().__init__()
            self.definition = type(self.definition)("tags", 1, personal=True)

    await light.stop(check, settings=None)
    assert light.unfinished("scratch") == []
    light.view = Named()
    await light.stop(check)
    assert light.unfinished("scratch") == []
