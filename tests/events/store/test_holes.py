"""Positions appear out of order on PostgreSQL: which readers lose events, and that ours holds."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import psycopg
import pytest
from crm_events.ids import new_id
from crm_events.sql.postgres import Limits, connection_info
from crm_events.store.port import Beside, EventRecorder, VersionConflict
from crm_events.store.postgres import PostgresRecorder
from eventsourcing.persistence import Tracking
from structlog.testing import capture_logs

from tests.events.store.building import append, event, whole_log
from tests.events.store.by_hand import ByHand, NaiveTail, XmaxTail, by_hand
from tests.support.waiting import wait_until


@pytest.fixture
def slow(postgres_dsn: str, schema: str) -> Iterator[ByHand]:
    with by_hand(postgres_dsn, schema) as transaction:
        yield transaction


@pytest.fixture
def quick(postgres_dsn: str, schema: str) -> Iterator[ByHand]:
    with by_hand(postgres_dsn, schema) as transaction:
        yield transaction


@pytest.fixture
def looking(postgres_dsn: str, schema: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(connection_info(postgres_dsn, Limits(), schema), autocommit=True) as own:
        yield own


def _sequences(recorder: EventRecorder) -> list[int]:
    return [envelope.sequence for envelope in whole_log(recorder)]


def test_naive_tail_loses_what_ours_waits_for(
    postgres_store: PostgresRecorder,
    slow: ByHand,
    quick: ByHand,
    looking: psycopg.Connection[Any],
) -> None:
    naive = NaiveTail(looking)
    assert slow.append() == [1]
    assert quick.append() == [2]
    quick.commit()
    naive.poll()
    assert _sequences(postgres_store) == []
    slow.commit()
    naive.poll()
    assert naive.seen == [2]
    assert _sequences(postgres_store) == [1, 2]


def test_xmax_variant_loses_what_ours_waits_for(
    postgres_store: PostgresRecorder,
    slow: ByHand,
    quick: ByHand,
    looking: psycopg.Connection[Any],
) -> None:
    """The hole's transaction has a higher number than the one that shows the hole: xmax is one
    more than the last that ended, which is exactly the number of the one still running."""
    variant = XmaxTail(looking)
    assert quick.take_number() < slow.take_number()
    assert slow.append() == [1]
    assert quick.append() == [2]
    quick.commit()
    for _ in range(3):
        variant.poll()
        assert _sequences(postgres_store) == []
    slow.commit()
    variant.poll()
    assert variant.seen == [2]
    assert _sequences(postgres_store) == [1, 2]


def test_every_way_of_reading_holds(
    postgres_store: PostgresRecorder, slow: ByHand, quick: ByHand
) -> None:
    append(postgres_store, [event(new_id(), 1)])
    assert slow.append(event(new_id(), 1), event(new_id(), 1)) == [2, 3]
    assert quick.append() == [4]
    quick.commit()
    assert postgres_store.safe_position() == 1
    assert postgres_store.max_notification_id() == 1
    assert [n.id for n in postgres_store.select_notifications(1, 10)] == [1]
    mark = postgres_store.write_mark()
    assert mark is not None
    assert mark.safe_to == 1
    slow.commit()
    assert postgres_store.safe_position() == 4


def test_all_that_was_stored_meanwhile_is_proven_in_one_call(
    postgres_store: PostgresRecorder,
) -> None:
    append(postgres_store, [event(new_id(), 1)])
    assert postgres_store.safe_position() == 1
    append(postgres_store, [event(new_id(), 1) for _ in range(10_001)])
    assert postgres_store.read_log(1, 3).safe_to == 4
    assert postgres_store.safe_position() == 10_002


def test_hole_of_a_failed_transaction_is_stepped_over(
    postgres_store: PostgresRecorder, slow: ByHand, quick: ByHand
) -> None:
    slow.append()
    quick.append()
    quick.commit()
    assert _sequences(postgres_store) == []
    slow.roll_back()
    assert _sequences(postgres_store) == [2]


def test_reader_that_starts_late_holds_too(
    postgres_dsn: str, schema: str, postgres_store: PostgresRecorder, slow: ByHand, quick: ByHand
) -> None:
    append(postgres_store, [event(new_id(), 1)])
    slow.append()
    quick.append()
    quick.commit()
    late = PostgresRecorder(postgres_dsn, schema)
    try:
        assert late.read_log(3, 10).safe_to == 1
        slow.commit()
        assert late.read_log(3, 10).safe_to == 3
    finally:
        late.close()


def test_foreign_transaction_holds_the_log_briefly(
    postgres_store: PostgresRecorder, slow: ByHand
) -> None:
    """It writes no events, so the appenders' lock proves the hole dead while it goes on."""
    lead = new_id()
    append(postgres_store, [event(lead, 1)])
    slow.take_number()
    with pytest.raises(VersionConflict):
        append(postgres_store, [event(lead, 1)])
    append(postgres_store, [event(lead, 2)])
    assert _sequences(postgres_store) == [1]
    wait_until(lambda: _sequences(postgres_store) == [1, 3], "the hole at 2 is stepped over")


def test_running_append_is_never_stepped_over(
    postgres_store: PostgresRecorder, slow: ByHand
) -> None:
    """Even when the reader has lost its patience; and it lets other appends go on meanwhile."""
    slow.append()
    append(postgres_store, [event(new_id(), 1)])
    with capture_logs() as logged:
        wait_until(
            lambda: (
                postgres_store.safe_position() == 0
                and any(line["event"] == "log_held" for line in logged)
            ),
            "the reader tries the appenders' lock and gives up",
        )
    append(postgres_store, [event(new_id(), 1)])
    assert _sequences(postgres_store) == []
    slow.commit()
    assert _sequences(postgres_store) == [1, 2, 3]


def test_proven_holes_cost_nothing_again(
    postgres_store: PostgresRecorder, looking: psycopg.Connection[Any]
) -> None:
    """Proving one takes a transaction number; reading what is proven takes none."""
    lead = new_id()
    append(postgres_store, [event(lead, 1)])
    for version in range(2, 30):
        with pytest.raises(VersionConflict):
            append(postgres_store, [event(lead, 1)])
        append(postgres_store, [event(lead, version)])
    assert len(_sequences(postgres_store)) == 29
    before = _last_number(looking)
    for _ in range(20):
        assert len(_sequences(postgres_store)) == 29
    assert _last_number(looking) - before < 5


def _last_number(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute(
        "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
    ).fetchone()
    assert row is not None
    return int(row[0])


def test_number_is_taken_before_the_position(
    postgres_dsn: str,
    schema: str,
    postgres_store: PostgresRecorder,
    slow: ByHand,
) -> None:
    """A save that waits between its position and its first row must hold the log already."""
    append(postgres_store, [event(new_id(), 1)])
    slow.connection.execute("LOCK TABLE tracking IN SHARE MODE")
    with closing(PostgresRecorder(postgres_dsn, schema)) as waiting, ThreadPoolExecutor(1) as own:
        tracked = Beside(tracking=(Tracking("lane", 1),))
        outcome = own.submit(append, waiting, [event(new_id(), 1)], tracked)
        wait_until(lambda: _last_position(postgres_store) == 2, "its position is drawn")
        append(postgres_store, [event(new_id(), 1)])
        assert _sequences(postgres_store) == [1]
        slow.roll_back()
        assert outcome.result(10) == [2]
    assert _sequences(postgres_store) == [1, 2, 3]


def _last_position(recorder: PostgresRecorder) -> int:
    return int(recorder.rows("SELECT last_value FROM events_position")[0][0])
