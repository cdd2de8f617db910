"""A reader who names a position gets an answer that includes it, or hears that it did not come."""

import asyncio

import pytest
from crm_projections.engine.waiting import Bell, Token, parse_token, wait_for

from tests.projections.rig import Rig


async def test_wait_ends_when_the_partition_is_taken(rig: Rig) -> None:
    rig.tag(1, "a")
    process = await rig.start()
    view = process.views[0]
    lane = next(lane for lane, events in rig.log.lanes.items() if events)
    token = Token("contacts", lane.partition, 1)
    waiting = asyncio.create_task(wait_for(lambda: rig.states(view), [token], 20, rig.bell))
    await process.until(lambda: rig.seen(view) == 1, "event taken")
    assert await waiting
    rig.tag(1, "b")
    later = Token("contacts", lane.partition, 2)
    assert not await wait_for(lambda: rig.states(view), [later], 0.0, rig.bell)


async def test_wait_for_all_partitions_needs_completeness(rig: Rig) -> None:
    rig.tag(1, "a")
    process = await rig.start()
    view = process.views[0]
    read = lambda: rig.states(view)  # noqa: E731
    assert not await wait_for(read, [Token("contacts", None, 1)], 0.0, rig.bell)
    await process.until(lambda: len(rig.states(view)) == 12, "all lanes complete")
    assert await wait_for(read, [Token("contacts", None, 1)], 5, rig.bell)
    assert not await wait_for(read, [Token("contacts", None, 2)], 0.0, rig.bell)


async def test_a_process_elsewhere_is_seen_by_polling(rig: Rig) -> None:
    rig.tag(1, "a")
    process = await rig.start()
    view = process.views[0]
    token = Token("contacts", None, 1)
    elsewhere = wait_for(lambda: rig.states(view), [token], 20, Bell())
    waiting = asyncio.create_task(elsewhere)
    await process.until(lambda: len(rig.states(view)) == 12, "all lanes complete")
    assert await waiting


async def test_wait_gives_up_after_its_timeout(light_rig: Rig) -> None:
    never = Token("contacts", 3, 99)
    assert not await wait_for(dict, [never], 0.1, light_rig.bell)


async def test_a_ring_between_look_and_wait_is_not_lost() -> None:
    bell = Bell()
    since = bell.rings
    bell.ring()
    async with asyncio.timeout(5):
        await bell.heard(since, 60)


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("contacts/3/17", Token("contacts", 3, 17)),
        (" pipeline/*/5 ", Token("pipeline", None, 5)),
    ],
)
def test_tokens_are_read_as_commands_answer_them(text: str, token: Token) -> None:
    assert parse_token(text) == token


@pytest.mark.parametrize("text", ["", "contacts", "contacts/12/1", "sales/1/1", "contacts/1/x"])
def test_wrong_tokens_are_refused_with_the_remedy(text: str) -> None:
    with pytest.raises(ValueError, match=r"pipeline/3/1234|0 to 11"):
        parse_token(text)
