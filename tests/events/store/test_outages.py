"""PostgreSQL that is slow, cut off, killed or gone: what a caller hears, and what is stored."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial

import psycopg
import pytest
from crm_events.ids import new_id
from crm_events.sql.postgres import Limits
from crm_events.store.open import migrate
from crm_events.store.port import RelayState, StoreUnavailable
from crm_events.store.postgres import PostgresRecorder
from crm_servers import PostgresServer

from tests.events.store.building import append, at_once, command, event, whole_log
from tests.events.store.by_hand import by_hand
from tests.events.store.cable import Cable
from tests.events.store.on_a_loop import RecorderOnLoop
from tests.support.waiting import wait_until


@pytest.fixture
def cable(postgres_dsn: str) -> Iterator[Cable]:
    with Cable(postgres_dsn) as cable:
        yield cable


@pytest.fixture(params=[PostgresRecorder, RecorderOnLoop])
def over_cable(
    request: pytest.FixtureRequest, cable: Cable, schema: str
) -> Iterator[PostgresRecorder]:
    with closing(request.param(cable.dsn, schema, patience=1.5)) as recorder:
        append(recorder, [event(new_id(), 1)])
        yield recorder


def test_lost_answer_is_found_out(over_cable: PostgresRecorder, cable: Cable) -> None:
    """The save was stored, the answer was lost: the caller hears the positions all the same."""
    lead = new_id()
    beside = command(lead)
    cable.cut_next_answer()
    assert append(over_cable, [event(lead, 1), event(lead, 2)], beside) == [2, 3]
    assert cable.cuts == 1
    assert [(e.aggregate_id, e.aggregate_version) for e in whole_log(over_cable)[1:]] == [
        (lead, 1),
        (lead, 2),
    ]


def test_lost_answer_of_a_group_is_found_out(over_cable: PostgresRecorder, cable: Cable) -> None:
    ids = [new_id() for _ in range(20)]
    cable.cut_next_answer()
    outcomes = at_once(*[partial(append, over_cable, [event(id_, 1)], command(id_)) for id_ in ids])
    assert cable.cuts == 1
    stored = {each.aggregate_id: [each.sequence] for each in whole_log(over_cable)[1:]}
    assert stored == dict(zip(ids, outcomes, strict=True))


def test_unknown_outcome_is_reported_and_can_be_looked_up(
    over_cable: PostgresRecorder, cable: Cable
) -> None:
    lead = new_id()
    beside = command(lead)
    cable.refuse()
    cable.cut_next_answer()
    with pytest.raises(StoreUnavailable):
        append(over_cable, [event(lead, 1)], beside)
    cable.accept_again()
    assert beside.command is not None
    found = over_cable.find_command(beside.command.command_id)
    assert found is not None
    assert found.sequence == 2


def test_everybody_hears_of_an_outage_at_once(over_cable: PostgresRecorder, cable: Cable) -> None:
    cable.refuse()
    cable.cut_next_answer()
    begun = time.monotonic()
    outcomes = at_once(*[partial(append, over_cable, [event(new_id(), 1)]) for _ in range(30)])
    assert time.monotonic() - begun < 1
    assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}
    cable.accept_again()
    assert len(append(over_cable, [event(new_id(), 1)])) == 1


def test_silent_network_is_given_up_in_time(over_cable: PostgresRecorder, cable: Cable) -> None:
    cable.hold()
    begun = time.monotonic()
    with pytest.raises(StoreUnavailable, match="unknown"):
        append(over_cable, [event(new_id(), 1)])
    assert time.monotonic() - begun < 2.5
    cable.release()
    wait_until(lambda: _answers(over_cable), "appends go on")


def _answers(recorder: PostgresRecorder) -> bool:
    try:
        append(recorder, [event(new_id(), 1)])
    except StoreUnavailable:
        return False
    return True


def test_killed_backend_is_survived_mid_way(
    postgres_dsn: str, schema: str, postgres_store: PostgresRecorder
) -> None:
    """The save waits for another transaction when its backend dies; it is written once after."""
    lead = new_id()
    with by_hand(postgres_dsn, schema) as other, ThreadPoolExecutor(1) as own:
        other.append(event(lead, 1))
        outcome = own.submit(append, postgres_store, [event(new_id(), 1), event(lead, 1)])
        wait_until(lambda: _end_waiting_backends(postgres_dsn) == 1, "its backend is ended")
        wait_until(lambda: _waiting_backends(postgres_dsn) == 1, "it tries again")
        other.roll_back()
        positions = outcome.result(10)
    assert [e.sequence for e in whole_log(postgres_store)] == positions


_WAITING = "FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'SELECT append%'"


def _waiting_backends(dsn: str) -> int:
    with psycopg.connect(dsn) as connection:
        return len(connection.execute(f"SELECT pid {_WAITING}").fetchall())


def _end_waiting_backends(dsn: str) -> int:
    with psycopg.connect(dsn) as connection:
        return len(connection.execute(f"SELECT pg_terminate_backend(pid) {_WAITING}").fetchall())


def test_ended_idle_connections_are_replaced(
    postgres_dsn: str, postgres_store: PostgresRecorder
) -> None:
    for _ in range(2):
        append(postgres_store, [event(new_id(), 1)])
        at_once(*[postgres_store.ping] * 4)
        with psycopg.connect(postgres_dsn, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        assert len(whole_log(postgres_store)) > 0
    append(postgres_store, [event(new_id(), 1)])
    assert len(whole_log(postgres_store)) == 3


def test_locked_table_is_given_up_in_time(postgres_dsn: str, schema: str) -> None:
    limits = Limits(lock=0.2)
    with (
        closing(PostgresRecorder(postgres_dsn, schema, limits=limits)) as recorder,
        by_hand(postgres_dsn, schema) as other,
    ):
        other.connection.execute("LOCK TABLE events IN EXCLUSIVE MODE")
        with pytest.raises(StoreUnavailable, match="lock timeout"):
            append(recorder, [event(new_id(), 1)])
        other.roll_back()
        append(recorder, [event(new_id(), 1)])
        assert len(whole_log(recorder)) == 1


def test_save_that_gave_way_comes_again(postgres_dsn: str, schema: str) -> None:
    """Two processes save the same two streams in opposite order; the one that gave way comes
    again once the other is through."""
    with (
        closing(PostgresRecorder(postgres_dsn, schema)) as here,
        by_hand(postgres_dsn, schema) as other,
        ThreadPoolExecutor(1) as own,
    ):
        first, second = new_id(), new_id()
        other.connection.execute("SET deadlock_timeout = '10s'")  # it is not the one to give way
        other.append(event(second, 1))
        outcome = own.submit(append, here, [event(first, 1), event(second, 1)])
        wait_until(lambda: _waiting_backends(postgres_dsn) == 1, "one waits for the other")
        other.append(event(first, 1))
        other.roll_back()
        assert len(outcome.result(10)) == 2


def test_missing_schema_names_the_remedy(postgres_dsn: str) -> None:
    with closing(PostgresRecorder(postgres_dsn, "never_made")) as recorder:
        assert not recorder.schema_current()
        for ask in (recorder.safe_position, lambda: append(recorder, [event(new_id(), 1)])):
            with pytest.raises(StoreUnavailable, match="migration"):
                ask()


@pytest.fixture
def breakable(own_postgres: PostgresServer, namespace: str) -> Iterator[PostgresRecorder]:
    migrate(own_postgres.dsn, namespace, "contacts")
    recorder = PostgresRecorder(own_postgres.dsn, f"{namespace}_contacts")
    with closing(recorder):
        yield recorder


def test_killed_server_is_reported_at_once_and_comes_back(
    own_postgres: PostgresServer, breakable: PostgresRecorder
) -> None:
    written = [append(breakable, [event(new_id(), 1)])[0] for _ in range(5)]
    at_once(*[breakable.ping] * 4)
    own_postgres.kill()
    asks: list[Callable[[], object]] = [
        breakable.ping,
        breakable.safe_position,
        partial(append, breakable, [event(new_id(), 1)]),
    ]
    for ask in asks:
        begun = time.monotonic()
        with pytest.raises(StoreUnavailable):
            ask()
        assert time.monotonic() - begun < 1
    own_postgres.restart()
    written += append(breakable, [event(new_id(), 1)])
    assert [e.sequence for e in whole_log(breakable)] == written


def test_leader_of_a_killed_server_steps_down(
    own_postgres: PostgresServer, breakable: PostgresRecorder
) -> None:
    state = breakable.lead()
    assert state is not None
    own_postgres.kill()
    with pytest.raises(StoreUnavailable):
        breakable.advance_relay(state, RelayState(1, state.epoch, {}))
    own_postgres.restart()
    assert not breakable.advance_relay(state, RelayState(1, state.epoch, {}))
    again = breakable.lead()
    assert again is not None
    assert again.epoch == state.epoch + 1
