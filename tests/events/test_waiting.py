"""Plain code on an event loop is left where it waits, and elsewhere waits as plain code does."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial

import pytest
from crm_events.waiting import Latch, blocking, on_loop

LONG = 20.0
whose: ContextVar[str] = ContextVar("whose", default="nobody's")


def here() -> int:
    return threading.get_ident()


async def test_it_runs_on_the_loops_thread_and_its_answer_is_the_answer() -> None:
    assert await on_loop(here) == here()


async def test_what_it_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        await on_loop(lambda: 1 // 0)


async def test_what_blocks_has_another_thread_and_comes_back_to_the_loops() -> None:
    assert await on_loop(lambda: (blocking(here), here())) != (here(), here())
    assert (await on_loop(lambda: (blocking(here), here())))[1] == here()


async def test_what_blocking_work_raises_is_raised_where_it_was_called() -> None:
    def work() -> str:
        try:
            return blocking(lambda: str(1 // 0))
        except ZeroDivisionError:
            return "caught"

    assert await on_loop(work) == "caught"


def test_blocking_work_stays_on_a_thread_of_the_callers_own() -> None:
    assert blocking(here) == here()


async def test_others_go_on_while_one_waits() -> None:
    latches = [Latch() for _ in range(3)]
    waiting = [asyncio.ensure_future(on_loop(partial(each.wait, LONG))) for each in latches]
    await asyncio.sleep(0)
    assert not any(each.done() for each in waiting)
    in_thread(partial(Latch.open_all, latches))
    assert await asyncio.gather(*waiting) == [True] * 3


async def test_what_was_opened_before_is_not_waited_for() -> None:
    latch = Latch()
    Latch.open_all([latch])
    assert await on_loop(partial(latch.wait, LONG))


async def test_nobody_waits_longer_than_they_said() -> None:
    assert not await on_loop(partial(Latch().wait, 0.01))
    assert not await asyncio.to_thread(Latch().wait, 0.01)


async def test_threads_wait_for_the_same_latches() -> None:
    latch = Latch()
    waiting = asyncio.ensure_future(asyncio.to_thread(latch.wait, LONG))
    Latch.open_all([latch])
    assert await waiting


async def test_each_keeps_its_context_over_a_wait() -> None:
    latches = [Latch() for _ in range(2)]

    def work(latch: Latch, name: str) -> tuple[str, str]:
        whose.set(name)
        latch.wait(LONG)
        return whose.get(), blocking(whose.get)

    names = ("hers", "his")
    pairs = zip(latches, names, strict=True)
    waiting = [asyncio.ensure_future(on_loop(partial(work, *pair))) for pair in pairs]
    await asyncio.sleep(0)
    in_thread(partial(Latch.open_all, latches))
    assert await asyncio.gather(*waiting) == [(name, name) for name in names]
    assert whose.get() == "nobody's"


async def test_who_is_cancelled_hears_it_where_they_wait() -> None:
    heard: list[type[BaseException]] = []

    def work() -> None:
        try:
            Latch().wait(LONG)
        except BaseException as error:
            heard.append(type(error))
            raise

    waiting = asyncio.ensure_future(on_loop(work))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert heard == [asyncio.CancelledError]


def test_opening_for_a_loop_that_has_ended_harms_nobody() -> None:
    latch = Latch()

    async def leave() -> None:
        waiting = asyncio.ensure_future(on_loop(partial(latch.wait, LONG)))
        await asyncio.sleep(0)
        waiting.cancel()

    asyncio.run(leave())
    Latch.open_all([latch])


async def test_a_thousand_at_once_are_all_woken() -> None:
    latches = [Latch() for _ in range(1_000)]
    waiting = [asyncio.ensure_future(on_loop(partial(each.wait, LONG))) for each in latches]
    openers = [
        threading.Thread(target=Latch.open_all, args=[latches[start::4]]) for start in range(4)
    ]
    for opener in openers:
        opener.start()
    assert all(await asyncio.gather(*waiting))
    for opener in openers:
        opener.join()


def in_thread(work: Callable[[], object]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
