"""The same engine over the stores' own logs: what the all-in-one process runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from crm_events.clock import utc_now
from crm_events.codec import Codec
from crm_events.contracts.contacts import LeadQualified, LeadTagged
from crm_events.event import Event
from crm_events.feed.store import lanes_of
from crm_projections.engine.database import Database
from crm_projections.engine.digest import digest_of
from crm_projections.engine.feeds import store_feeds
from crm_projections.engine.generation import find_live, open_generation, open_live
from crm_projections.engine.host import ViewHost
from crm_projections.engine.marks import known_at
from crm_projections.engine.position import load_states
from prometheus_client import CollectorRegistry
from sqlalchemy import func, select

from tests.projections.tags import TagsView
from tests.support.keys import KeysInMemory
from tests.support.telling import Telling
from tests.support.until import until


@dataclass
class Stores:
    """One context's store and a database for views."""

    contacts: Telling
    database: Database
    keys: KeysInMemory

    @asynccontextmanager
    async def following(self, *views: TagsView) -> AsyncIterator[ViewHost]:
        feeds = store_feeds({"contacts": self.contacts.recorder})
        codec, registry = Codec(self.keys), CollectorRegistry()
        host = ViewHost(self.database, codec, views or [TagsView()], feeds, utc_now, registry)
        await host.start()
        try:
            yield host
        finally:
            await host.stop()

    def head(self) -> dict[str, int]:
        return {"contacts": self.contacts.recorder.safe_position()}

    def rows(self, view: TagsView | None = None) -> int:
        table = open_live(self.database, view or TagsView(), 0).tables
        with self.database.reading() as connection:
            return connection.execute(select(func.count()).select_from(table)).scalar_one()


@pytest.fixture
def stores(tmp_path: Path, sqlite: Database) -> Stores:
    keys = KeysInMemory()
    return Stores(Telling(tmp_path, "contacts", keys), sqlite, keys)


def _tell(stores: Stores, things: int) -> None:
    events: list[Event] = [LeadTagged(tag="a"), LeadQualified(), LeadTagged(tag="b")]
    for _ in range(things):
        stores.contacts.tell(*events)


async def test_events_of_a_store_become_rows(stores: Stores) -> None:
    _tell(stores, 30)
    async with stores.following() as host:
        assert await host.wait_caught_up(stores.head(), 20)
        assert stores.rows() == 60
        _tell(stores, 5)
        assert await host.wait_caught_up(stores.head(), 20)
        assert stores.rows() == 70


async def test_a_second_process_goes_on_where_the_first_stopped(stores: Stores) -> None:
    _tell(stores, 10)
    async with stores.following() as host:
        assert await host.wait_caught_up(stores.head(), 20)
    _tell(stores, 10)
    async with stores.following() as host:
        assert await host.wait_caught_up(stores.head(), 20)
    assert stores.rows() == 40


async def test_sums_prove_that_nothing_is_missing_or_double(stores: Stores) -> None:
    _tell(stores, 30)
    async with stores.following() as host:
        assert await host.wait_caught_up(stores.head(), 20)
    log = stores.contacts.recorder.read_log(0, 1_000).envelopes
    with stores.database.reading() as connection:
        live = find_live(connection, TagsView())
        assert live is not None
        states = load_states(connection, live)
    for lane in lanes_of(["contacts"]):
        own = [envelope for envelope in log if envelope.partition == lane.partition]
        assert states[lane].digest == digest_of(envelope.id for envelope in own)
        assert states[lane].seen == len(own)


async def test_rebuilt_equals_live_while_events_arrive(stores: Stores) -> None:
    _tell(stores, 30)
    async with stores.following() as host:
        telling = asyncio.create_task(asyncio.to_thread(_tell, stores, 30))
        rebuilt = await host.rebuild("tags")
        await telling
        assert await host.wait_caught_up(stores.head(), 20)
        assert rebuilt.number == 2
        assert (await host.verify("tags")).differences == []
        assert stores.rows() == 120


async def test_a_new_definition_is_rebuilt_at_the_start(stores: Stores) -> None:
    _tell(stores, 10)
    async with stores.following(TagsView(version=1)) as host:
        assert await host.wait_caught_up(stores.head(), 20)
    newer = TagsView(version=2)
    async with stores.following(newer) as host:
        assert await host.wait_caught_up(stores.head(), 20)
        assert host.failed() is None
    with stores.database.reading() as connection:
        live = find_live(connection, newer)
    assert live is not None
    assert live.number == 2
    assert open_generation(newer, live).generation.suffix == "__g2"
    assert stores.rows(newer) == 20


async def test_a_store_that_was_restored_stops_the_view_until_rebuilt(
    stores: Stores, tmp_path: Path
) -> None:
    _tell(stores, 10)
    async with stores.following() as host:
        assert await host.wait_caught_up(stores.head(), 20)
    (tmp_path / "restored").mkdir()
    stores.contacts = Telling(tmp_path / "restored", "contacts", stores.keys)
    _tell(stores, 4)
    async with stores.following() as host:
        await until(lambda: "Rebuild the view" in (host.failed() or ""))
        assert stores.rows() == 20
        await host.rebuild("tags")
        _tell(stores, 1)
        assert await host.wait_caught_up(stores.head(), 20)
        assert host.failed() is None
    assert stores.rows() == 10


async def test_marks_of_the_store_answer_what_was_known(stores: Stores) -> None:
    _tell(stores, 2)
    mark = stores.contacts.recorder.write_mark()
    assert mark is not None
    _tell(stores, 2)

    def known() -> bool:
        at = int(mark.at.timestamp() * 1_000_000) + 1
        with stores.database.reading() as connection:
            return known_at(connection, ("contacts",), at).sequences == {"contacts": mark.safe_to}

    async with stores.following():
        await until(known)
