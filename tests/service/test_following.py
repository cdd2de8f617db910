import asyncio
from collections.abc import Callable

import pytest
from crm_events.store.port import StoreUnavailable
from crm_service.following import StandsStill, together, watch


async def watched(behind: bool, progress: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        await watch(lambda: behind, progress, still=0.1, look=0.01)


def moving() -> Callable[[], object]:
    steps = iter(range(1_000_000))
    return lambda: next(steps)


def unreachable() -> object:
    raise StoreUnavailable("away")


async def test_standing_still_with_more_to_read_ends() -> None:
    with pytest.raises(StandsStill, match=r"0\.1 s"):
        await watched(behind=True, progress=lambda: 7)


@pytest.mark.parametrize(
    ("behind", "progress"),
    [(False, lambda: 7), (True, moving()), (True, unreachable)],
    ids=["nothing to read", "moving", "store away"],
)
async def test_watch_lets_be_what_is_not_stuck(
    behind: bool, progress: Callable[[], object]
) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.4):
            await watch(lambda: behind, progress, still=0.1, look=0.01)


async def test_together_ends_the_others_when_one_fails() -> None:
    ended = asyncio.Event()

    async def lasting() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def failing() -> None:
        raise LookupError("broken")

    with pytest.raises(LookupError, match="broken"):
        await together(asyncio.Event(), [lasting(), failing()])
    assert ended.is_set()


async def test_together_ends_when_told_to() -> None:
    stop, ended = asyncio.Event(), asyncio.Event()

    async def lasting() -> None:
        stop.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with asyncio.timeout(5):
        await together(stop, [lasting()])
    assert ended.is_set()
