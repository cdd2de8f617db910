"""The same engine over a real Kafka, filled by the relay: what the distributed form runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from crm_events.clock import utc_now
from crm_events.codec import Codec
from crm_events.contracts.contacts import LeadQualified, LeadTagged
from crm_events.event import Event
from crm_events.relay.relay import Relay, RelaySettings
from crm_events.store.port import StoreUnavailable
from crm_projections.engine.database import Database
from crm_projections.engine.elsewhere import NotLetIn, StoresElsewhere
from crm_projections.engine.feeds import kafka_feeds
from crm_projections.engine.filling import Filled
from crm_projections.engine.generation import find_live, open_live
from crm_projections.engine.host import ViewHost
from crm_projections.engine.instants import micros
from crm_projections.engine.marks import known_at
from crm_projections.engine.position import LaneState, load_states
from crm_projections.engine.replaying import PastTheEnd
from crm_servers import KafkaServer
from crm_service.app import create_app
from crm_service.context import position_router
from crm_service.log_lines import log_router
from crm_service.principals import Principals, local_user
from crm_service.serving import listen, served
from prometheus_client import CollectorRegistry
from sqlalchemy import func, select
from structlog.testing import capture_logs

from tests.projections.tags import TagsView
from tests.support.keys import KeysInMemory
from tests.support.telling import Telling
from tests.support.until import until


@dataclass
class Distributed:
    """One context's store with its relay, and a database for views."""

    contacts: Telling
    database: Database
    keys: KeysInMemory
    settings: RelaySettings
    elsewhere: StoresElsewhere | None = None

    @asynccontextmanager
    async def telling_over_http(self) -> AsyncIterator[None]:
        """The context tells of its own log, to who has no access to its database."""
        recorder = self.contacts.recorder
        routers = [
            log_router("contacts", recorder),
            position_router("contacts", recorder, dict),
        ]
        principals = Principals("127.0.0.1", local=local_user("tester"))
        app = create_app("contacts", "contacts", routers, principals=principals, readiness={})
        listener = listen("127.0.0.1", 0)
        async with served(app, listener):
            address = f"http://127.0.0.1:{listener.getsockname()[1]}"
            self.elsewhere = StoresElsewhere(address, None)
            yield

    def tell(self, things: int) -> None:
        events: list[Event] = [LeadTagged(tag="a"), LeadQualified(), LeadTagged(tag="b")]
        for _ in range(things):
            self.contacts.tell(*events)

    @asynccontextmanager
    async def relaying(self) -> AsyncIterator[None]:
        task = asyncio.create_task(Relay(self.contacts.recorder, self.settings).run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    @asynccontextmanager
    async def following(self) -> AsyncIterator[ViewHost]:
        feeds = kafka_feeds(self.settings.bootstrap, self.settings.namespace, stores=self.elsewhere)
        codec, registry = Codec(self.keys), CollectorRegistry()
        host = ViewHost(self.database, codec, [TagsView()], feeds, utc_now, registry)
        await host.start()
        try:
            yield host
        finally:
            await host.stop()

    async def caught_up(self, host: ViewHost) -> bool:
        return await host.wait_caught_up({"contacts": self.contacts.recorder.safe_position()}, 60)

    def rows(self) -> int:
        table = open_live(self.database, TagsView(), 0).tables
        with self.database.reading() as connection:
            return connection.execute(select(func.count()).select_from(table)).scalar_one()

    def states(self) -> list[LaneState]:
        with self.database.reading() as connection:
            live = find_live(connection, TagsView())
            return list(load_states(connection, live).values()) if live else []


@pytest.fixture
def distributed(
    tmp_path: Path, sqlite: Database, kafka: KafkaServer, namespace: str
) -> Distributed:
    keys = KeysInMemory()
    settings = RelaySettings(kafka.bootstrap, namespace, "contacts")
    return Distributed(Telling(tmp_path, "contacts", keys), sqlite, keys, settings)


async def test_published_events_become_rows(distributed: Distributed) -> None:
    distributed.tell(20)
    async with distributed.relaying(), distributed.following() as host:
        assert await distributed.caught_up(host)
        assert distributed.rows() == 40
        distributed.tell(5)
        assert await distributed.caught_up(host)
    assert distributed.rows() == 50
    assert sum(state.seen for state in distributed.states()) == 75


async def test_a_restart_reads_on_from_the_stored_offset(distributed: Distributed) -> None:
    distributed.tell(20)
    async with distributed.relaying():
        async with distributed.following() as host:
            assert await distributed.caught_up(host)
        distributed.tell(5)
        with capture_logs() as logs:
            async with distributed.following() as host:
                assert await distributed.caught_up(host)
    assert distributed.rows() == 50
    assert not [entry for entry in logs if entry["event"] == "topic_wiped"]


async def test_two_replicas_share_the_lanes(distributed: Distributed) -> None:
    distributed.tell(10)
    async with (
        distributed.relaying(),
        distributed.following() as one,
        distributed.following() as other,
    ):
        assert await distributed.caught_up(one)
        distributed.tell(30)
        assert await distributed.caught_up(other)
    assert distributed.rows() == 80
    assert sum(state.seen for state in distributed.states()) == 120


async def test_marks_come_with_the_relay(distributed: Distributed) -> None:
    distributed.tell(1)

    def marked() -> bool:
        far = micros(utc_now())
        with distributed.database.reading() as connection:
            return known_at(connection, ("contacts",), far).sequences == {"contacts": 3}

    async with distributed.relaying(), distributed.following():
        await until(marked, 60)


async def test_a_rebuild_from_the_topic_equals_live(distributed: Distributed) -> None:
    distributed.tell(20)
    async with distributed.relaying(), distributed.following() as host:
        assert await distributed.caught_up(host)
        assert (await host.rebuild("tags")).number == 2
        distributed.tell(5)
        assert await distributed.caught_up(host)
        assert (await host.verify("tags")).differences == []
    assert distributed.rows() == 50


async def test_kafka_and_the_stores_replay_to_the_same_digest(distributed: Distributed) -> None:
    """To the end, and to any position before it, which the topic goes beyond."""
    distributed.tell(20)
    async with (
        distributed.relaying(),
        distributed.telling_over_http(),
        distributed.following() as host,
    ):
        assert await distributed.caught_up(host)
        for end in (60, 37, 1, 0):
            to = {"contacts": end}
            from_kafka = await host.replay("tags", to, origin="kafka")
            assert await host.replay("tags", to, origin="stores") == from_kafka
            assert from_kafka.events == end
        with pytest.raises(PastTheEnd):
            await host.replay("tags", {"contacts": 61}, origin="stores", patience=1.0)


async def test_a_check_goes_on_past_the_end_of_an_interrupted_replay(
    distributed: Distributed,
) -> None:
    """From the offsets at which the topic had been cut."""
    told: list[Filled] = []

    def press(filled: Filled) -> None:
        if filled.events:
            raise asyncio.CancelledError

    distributed.tell(20)
    async with distributed.relaying(), distributed.following() as host:
        assert await distributed.caught_up(host)
        with pytest.raises(asyncio.CancelledError):
            await host.replay("tags", {"contacts": 37}, press)
        verdict = await host.verify("tags", told=told.append)
    assert (verdict.events, verdict.differences) == (60, [])
    assert 0 < (told[0].continued or 0) <= 37


async def test_stores_that_let_nobody_in_are_told(distributed: Distributed, tmp_path: Path) -> None:
    distributed.tell(1)
    token = tmp_path / "token"
    async with distributed.relaying(), distributed.telling_over_http():
        assert distributed.elsewhere is not None
        distributed.elsewhere = replace(distributed.elsewhere, token_file=token)
        async with distributed.following() as host:
            with pytest.raises(NotLetIn, match="cannot be read: No such file"):
                await host.replay("tags", {"contacts": 1}, origin="stores")
            token.write_text("crm_0123456789ab_revoked")
            with pytest.raises(NotLetIn, match=r"\(401\): put a token with the right to read"):
                await host.replay("tags", {"contacts": 1}, origin="stores")


async def test_stores_that_do_not_answer_are_told(distributed: Distributed) -> None:
    distributed.elsewhere = StoresElsewhere("http://127.0.0.1:9", None)
    async with distributed.relaying(), distributed.following() as host:
        with pytest.raises(StoreUnavailable):
            await host.replay("tags", {"contacts": 1}, origin="stores")
