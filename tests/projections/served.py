"""All views followed and answered in this process, over a log in memory and a real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from crm_events.codec import Codec
from crm_events.feed.port import Feed, Positions
from crm_projections.bootstrap import Views, build
from crm_projections.engine.database import Database
from crm_projections.engine.feeds import Feeds
from crm_projections.engine.host import ViewHost
from crm_service.principals import Principals, local_user

from tests.support.fake_feed import FakeFeed, FakeLog
from tests.support.keys import KeysInMemory


@dataclass
class Served:
    """The views, the log they follow, and a client of their API."""

    views: Views
    host: ViewHost
    log: FakeLog
    keys: KeysInMemory
    client: httpx.AsyncClient

    async def settle(self) -> None:
        assert await self.host.wait_caught_up(dict(self.log.heads), 20), "views caught up"

    async def get(self, path: str, **parameters: Any) -> Any:
        """The JSON of an answer that has to succeed."""
        answer = await self.client.get(f"/v1/views{path}", params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def ask(self, **body: Any) -> Any:
        """The JSON of a job that has to be taken in."""
        answer = await self.client.post("/v1/views/jobs", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def worked(self, **body: Any) -> Any:
        """A job when it has ended, whatever came of it."""
        return await self.ended((await self.ask(**body))["id"])

    async def ended(self, id: str) -> Any:
        async with asyncio.timeout(30):
            while (job := await self.get(f"/jobs/{id}"))["ended_at"] is None:
                await self.host.bell.heard(self.host.bell.rings, 0.05)
        return job


@asynccontextmanager
async def serving(
    database: Database, *, wanted: Sequence[str] = (), history: type[FakeFeed] = FakeFeed
) -> AsyncIterator[Served]:
    """Everything started, the local user as client; `history` is what rebuilds read."""
    keys = KeysInMemory()
    log = FakeLog(Codec(keys))

    def open_feed(_: str, contexts: tuple[str, ...], positions: Positions) -> Feed:
        return FakeFeed(log, positions, contexts)

    def open_history(_: str, contexts: tuple[str, ...], positions: Positions) -> Feed:
        return history(log, positions, contexts)

    views = build(database, keys, "UTC", "EUR")
    views.migrate()
    host = views.host(Feeds(open_feed, open_history, shared=True), wanted)
    api = views.api(Principals("127.0.0.1", local=local_user("tester")))
    transport = httpx.ASGITransport(api, client=("127.0.0.1", 50_000))
    async with (
        api.router.lifespan_context(api),
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client,
    ):
        await host.start()
        working = asyncio.create_task(views.worker(host).run())
        try:
            yield Served(views, host, log, keys, client)
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
            await host.stop()
