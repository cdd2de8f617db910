"""A context's store on either database, and its relays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from crm_events.relay.relay import Relay, RelaySettings
from crm_events.store.port import EventRecorder
from crm_servers import KafkaServer

from tests.events.store.conftest import forms, opened, place, recorder, sqlite
from tests.events.topic import published
from tests.events.writing import Writer, chains, without_repeats
from tests.support.until import until

__all__ = ["form", "opened", "place", "recorder", "sqlite"]

form = forms("sqlite", "postgres")

MakeRelay = Callable[[EventRecorder], Relay]
TopicHolds = Callable[[EventRecorder], Awaitable[None]]


@pytest.fixture
def writer(recorder: EventRecorder) -> Writer:
    return Writer(recorder)


@pytest.fixture
def make_relay(kafka: KafkaServer, namespace: str) -> MakeRelay:
    settings = RelaySettings(kafka.bootstrap, namespace, "contacts")
    return lambda recorder: Relay(recorder, settings)


@pytest.fixture
def topic_holds(kafka: KafkaServer, namespace: str) -> TopicHolds:
    """Asserts that the topic holds a store's log, in order, but for suffixes that came twice."""

    async def holds(recorder: EventRecorder) -> None:
        found = await published(kafka.bootstrap, namespace, "contacts")
        stored = chains(recorder)
        assert {lane: without_repeats(events) for lane, events in found.items()} == stored

    return holds


@asynccontextmanager
async def running(relay: Relay) -> AsyncIterator[Relay]:
    """The relay at work; it leaves no task and no thread behind."""
    task = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def reaches(relay: Relay, position: int, seconds: float = 30) -> None:
    """Everything up to the position has been published and noted."""
    try:
        await until(lambda: relay.position >= position, seconds)
    except TimeoutError:
        pytest.fail(f"the relay stands at {relay.position} of {position}: {relay.failing}")
