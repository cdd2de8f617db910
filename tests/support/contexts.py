"""A context over a real store in a folder of the test, spoken to over HTTP, without a network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import httpx
from crm_events.codec import Slot
from crm_events.envelope import Envelope
from crm_events.event import Event
from crm_events.feed.port import Lane, LanePosition
from crm_events.feed.reactor import Reactor
from crm_events.feed.store import StoreFeed
from crm_events.keys.open import open_keys
from crm_events.store.port import EventRecorder
from crm_events.store.sqlite import SqliteRecorder
from crm_service.app import Edge
from crm_service.hosting import Context, Storage
from crm_service.principals import Principals, local_user

SECRET: Final = b"a secret of the tests, of 32 byte"
Build = Callable[[Storage, str], Context]


@dataclass(frozen=True)
class Running:
    """A context, its store, and a client of its API."""

    context: Context
    storage: Storage
    client: httpx.AsyncClient

    async def post(
        self, path: str, body: Mapping[str, Any] | None = None, **headers: str
    ) -> httpx.Response:
        """POST below `/v1/<context>`; headers as `if_match=...`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.post(
            f"/v1/{self.context.name}{path}", json=dict(body or {}), headers=named
        )

    async def get(self, path: str, **query: Any) -> httpx.Response:
        """GET below `/v1/<context>`."""
        return await self.client.get(f"/v1/{self.context.name}{path}", params=query)

    async def made(self, path: str, body: Mapping[str, Any]) -> str:
        """The id of what a POST created."""
        answer = await self.post(path, body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def log(self, after: int = 0) -> list[Envelope]:
        """Every stored event beyond a position."""
        return list(self.storage.recorder.read_log(after, 100_000).envelopes)

    def head(self) -> int:
        return self.storage.recorder.safe_position()

    def events(self, id: str | UUID | None = None, after: int = 0) -> list[Event]:
        """The events beyond a position, of one aggregate or of all, decoded."""
        return [
            self.event(envelope)
            for envelope in self.log(after)
            if id is None or envelope.aggregate_id == UUID(str(id))
        ]

    def event(self, envelope: Envelope) -> Event:
        slot = Slot(envelope.type, envelope.aggregate_id, envelope.aggregate_version)
        return self.context.codec.decode(envelope.data, slot)


@contextmanager
def stored(folder: Path, context: str) -> Iterator[Storage]:
    """A context's store in a folder, opened and closed."""
    recorder = SqliteRecorder(folder / f"{context}.db")
    keys = open_keys(folder / "keys.db", "crm", folder / "master.key")
    try:
        yield Storage(recorder, keys, SECRET)
    finally:
        recorder.close()
        keys.close()


@asynccontextmanager
async def running(
    build: Build, storage: Storage, edge: Edge | None = None
) -> AsyncIterator[Running]:
    """The context's API for the local user, inside its lifespan."""
    context = build(storage, "EUR")
    api = context.api(Principals("127.0.0.1", local=local_user("tester")), edge)
    transport = httpx.ASGITransport(api, client=("127.0.0.1", 50_000))
    async with (
        api.router.lifespan_context(api),
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client,
    ):
        yield Running(context, storage, client)


class _Nowhere:
    """Positions of somebody who has seen nothing."""

    def load(self, lanes: Sequence[Lane]) -> Mapping[Lane, LanePosition]:
        return {lane: LanePosition() for lane in lanes}


class Reacting:
    """A context's reactions over other contexts' logs, batch by batch, as a test says."""

    def __init__(self, context: Context, logs: Mapping[str, EventRecorder]) -> None:
        self.context = context
        self.logs = logs
        self._begin()

    def _begin(self) -> None:
        reactions = self.context.reactions
        assert reactions is not None
        self._feed = StoreFeed(self.logs, self.context.positions())
        self._reactor = Reactor(self.context.app, reactions, self.context.codec, self._feed)
        self._started = False

    def crash(self) -> None:
        """Forget everything that is not stored."""
        self._begin()

    async def catch_up(self, seconds: float = 20) -> None:
        """React to all there is in the other logs."""
        if not self._started:
            await self._feed.start()
            self._started = True
        heads = {name: recorder.safe_position() for name, recorder in self.logs.items()}
        async with asyncio.timeout(seconds):
            while any(self.seen(name) < head for name, head in heads.items()):
                await self._reactor.take(await self._feed.poll(1_000, 0.2))

    async def redeliver(self) -> None:
        """Hand all there is in the other logs to the reactions again, from the very beginning."""
        feed = StoreFeed(self.logs, _Nowhere())
        await feed.start()
        while batches := await feed.poll(1_000, 0.05):
            await self._reactor.take(batches)

    def seen(self, context: str) -> int:
        return self.context.positions().complete_to(context)
