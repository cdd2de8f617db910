"""One relay leads and the others stand by, whatever happens to the one that leads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator

import psycopg
import pytest
from crm_events.store.port import EventRecorder, RelayState
from crm_events.store.postgres import PostgresRecorder

from tests.events.relay.conftest import MakeRelay, TopicHolds, reaches, running
from tests.events.store.conftest import Opener, postgres_store, schema
from tests.events.writing import Writer
from tests.support.until import until

__all__ = ["postgres_store", "schema"]

_KILL_LEADER = """
    SELECT pg_terminate_backend(l.pid) FROM pg_locks l
    WHERE l.locktype = 'advisory' AND l.granted AND l.pid <> pg_backend_pid()
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND (l.classid::bigint << 32 | l.objid::bigint) = hashtextextended(%s, 0)
"""


async def test_one_leads_and_the_other_follows_when_it_goes(
    opened: Opener, make_relay: MakeRelay, topic_holds: TopicHolds
) -> None:
    here, there = opened(), opened()
    writer = Writer(here)
    second = make_relay(there)
    async with running(second):
        async with running(make_relay(here)) as first:
            await until(lambda: first.leading or second.leading)
            last = writer.spread(200)
            await until(lambda: last in {first.position, second.position})
            assert first.leading != second.leading
            assert first.failing is None
            assert second.failing is None
        await reaches(second, writer.spread(200))
    await topic_holds(here)


@pytest.fixture
def standby_store(postgres_dsn: str, schema: str) -> Iterator[PostgresRecorder]:
    """The same schema, as another process has it open."""
    recorder = PostgresRecorder(postgres_dsn, schema)
    yield recorder
    recorder.close()


def kill_leader(dsn: str, schema: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        (killed,) = connection.execute(_KILL_LEADER, [f"{schema}/relay"]).fetchall()
    assert killed == (True,)


@pytest.fixture
def kill(postgres_dsn: str, schema: str) -> Callable[[], None]:
    """Ends the connection that holds the leader's lock."""
    return lambda: kill_leader(postgres_dsn, schema)


async def test_standby_takes_over_when_the_connection_of_the_leader_dies(
    kill: Callable[[], None],
    postgres_store: PostgresRecorder,
    standby_store: PostgresRecorder,
    make_relay: MakeRelay,
    topic_holds: TopicHolds,
) -> None:
    writer = Writer(postgres_store)
    standby = make_relay(standby_store)
    async with running(make_relay(postgres_store)) as leader:
        await until(lambda: leader.leading)
        async with running(standby):
            await reaches(leader, writer.spread(200))
            epoch = postgres_store.relay_state().epoch
            kill()
            last = writer.spread(300)
            await until(lambda: last in {leader.position, standby.position})
            assert postgres_store.relay_state().epoch > epoch
    await topic_holds(postgres_store)


async def test_move_that_a_crash_took_back_is_made_again(
    writer: Writer, make_relay: MakeRelay, topic_holds: TopicHolds
) -> None:
    recorder = writer.recorder
    async with running(make_relay(recorder)) as relay:
        await reaches(relay, writer.spread(200))
    state = recorder.lead()
    assert state is not None
    older = RelayState(150, state.epoch, recorder.last_in_partitions(150))
    assert recorder.advance_relay(state, older)
    recorder.resign()
    async with running(make_relay(recorder)) as relay:
        await reaches(relay, writer.spread(60))
    await topic_holds(recorder)


def test_only_the_leaders_connection_does_not_wait_for_the_disk(
    postgres_store: PostgresRecorder,
) -> None:
    for _ in range(3):
        assert postgres_store.lead() is not None
        assert postgres_store.rows("SHOW synchronous_commit") == [("on",)]
        postgres_store.resign()
        assert postgres_store.rows("SHOW synchronous_commit") == [("on",)]


async def test_it_leaves_nothing_behind(
    writer: Writer, recorder: EventRecorder, make_relay: MakeRelay
) -> None:
    loop = asyncio.get_running_loop()
    tasks = asyncio.all_tasks()
    for _ in range(3):
        async with running(make_relay(recorder)) as relay:
            await reaches(relay, writer.spread(50))
        assert recorder.lead() is not None  # nobody holds it
        recorder.resign()
    await until(lambda: asyncio.all_tasks(loop) <= tasks)
    await until(lambda: not [t for t in threading.enumerate() if t.name.startswith("relay-")])


async def test_position_moves_only_after_a_batch_is_acknowledged(
    writer: Writer, make_relay: MakeRelay, topic_holds: TopicHolds
) -> None:
    """Cancelled at any moment, and started again: a suffix may come twice, nothing is missing."""
    writer.spread(3_000)
    for moment in (0.0, 0.05, 0.1, 0.2, 0.3, 0.4):
        async with running(make_relay(writer.recorder)):
            await asyncio.sleep(moment)
    async with running(make_relay(writer.recorder)) as relay:
        await reaches(relay, 3_000)
    await topic_holds(writer.recorder)
