"""Many writers at once, with lost races and failures: nothing lost, doubled or out of order."""

from __future__ import annotations

import random
import threading
from collections import defaultdict
from contextlib import ExitStack, closing
from functools import partial
from uuid import UUID

from crm_events.envelope import Envelope
from crm_events.ids import new_id
from crm_events.store.port import EventRecorder, VersionConflict
from crm_events.store.postgres import PostgresRecorder
from crm_events.store.sqlite import SqliteRecorder

from tests.events.store.building import append, at_once, event, whole_log
from tests.events.store.by_hand import ByHand, by_hand
from tests.events.store.conftest import Opener

WRITERS = 6
SAVES = 150
SLOW_SAVES = 60
HOT = [new_id() for _ in range(5)]


class Following:
    """A tail that reads while the writers write."""

    def __init__(self, recorder: EventRecorder) -> None:
        self._recorder = recorder
        self.read: list[Envelope] = []
        self._after = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._follow)
        self._thread.start()

    def _follow(self) -> None:
        while not self._done.is_set():
            self._poll()
        self._poll()

    def _poll(self) -> None:
        page = self._recorder.read_log(self._after, 100)
        while page.safe_to > self._after:
            self.read += page.envelopes
            self._after = page.safe_to
            page = self._recorder.read_log(self._after, 100)

    def end(self) -> list[Envelope]:
        self._done.set()
        self._thread.join(30)
        return self.read


def _write(recorder: EventRecorder, seed: int, done: list[UUID]) -> None:
    chance = random.Random(seed)  # noqa: S311 (the same every time)
    for _ in range(SAVES):
        hot = chance.choice(HOT)
        known = recorder.select_events(hot, desc=True, limit=1)
        version = known[0].originator_version + 1 if known else 1
        events = [event(hot, version), *[event(new_id(), 1) for _ in range(chance.randrange(3))]]
        try:
            append(recorder, events)
        except VersionConflict:
            continue
        done += [each.event_id for each in events]


def _check(read: list[Envelope], stored: list[Envelope], acknowledged: set[UUID]) -> None:
    assert read == stored
    assert {each.id for each in read} == acknowledged
    sequences = [each.sequence for each in read]
    assert sequences == sorted(set(sequences))
    versions: dict[UUID, list[int]] = defaultdict(list)
    for each in read:
        versions[each.aggregate_id].append(each.aggregate_version)
    assert all(found == list(range(1, len(found) + 1)) for found in versions.values())


def test_writers_and_a_reader_agree(opened: Opener) -> None:
    reader, first = opened(), opened()
    # A SQLite file has one writing process, PostgreSQL as many as there are.
    second = first if isinstance(first, SqliteRecorder) else opened()
    following = Following(reader)
    done: list[list[UUID]] = [[] for _ in range(WRITERS)]
    outcomes = at_once(
        *[partial(_write, (first, second)[n % 2], n, done[n]) for n in range(WRITERS)]
    )
    assert outcomes == [None] * WRITERS
    _check(following.end(), whole_log(opened()), {id_ for each in done for id_ in each})


def _write_slowly(transaction: ByHand, seed: int, done: list[UUID]) -> None:
    """Holds its positions for up to 30 ms, then fails half of the time."""
    chance = random.Random(seed)  # noqa: S311 (the same every time)
    for _ in range(SLOW_SAVES):
        events = [event(new_id(), 1) for _ in range(chance.randrange(1, 4))]
        transaction.append(*events)
        transaction.connection.execute("SELECT pg_sleep(%s)", [chance.random() * 0.03])
        if chance.random() < 0.5:
            transaction.roll_back()
            continue
        transaction.commit()
        done += [each.event_id for each in events]


def test_slow_and_failing_transactions_hide_nothing(postgres_dsn: str, schema: str) -> None:
    done: list[list[UUID]] = [[] for _ in range(WRITERS)]
    with ExitStack() as stack:
        reader, *writers = [
            stack.enter_context(closing(PostgresRecorder(postgres_dsn, schema))) for _ in range(3)
        ]
        slow = [stack.enter_context(by_hand(postgres_dsn, schema)) for _ in range(2)]
        following = Following(reader)
        outcomes = at_once(
            *[partial(_write, writers[n % 2], n, done[n]) for n in range(WRITERS - 2)],
            *[partial(_write_slowly, slow[n], n, done[WRITERS - 2 + n]) for n in range(2)],
        )
        assert outcomes == [None] * WRITERS
        acknowledged = {id_ for each in done for id_ in each}
        _check(following.end(), whole_log(writers[0]), acknowledged)
        assert reader.safe_position() > len(acknowledged)  # there were holes
