"""R5: the relay beside a raw idempotent producer that is handed the same records ready-made."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from aiokafka import AIOKafkaProducer
from crm_events.catalogue import events_topic
from crm_events.envelope import Headers, to_headers
from crm_events.relay.publishing import link
from crm_events.relay.relay import Relay, RelaySettings
from crm_events.relay.topics import ensure_topics

from tests.bench.ground import Ground, fresh_namespace
from tests.bench.measuring import Bars, Bench, NotDone, Sides
from tests.bench.stores import Store, fill, postgres_store

_EVENTS, _QUICK_EVENTS = 20_000, 2_000
_PAGE = 2_000
_SECONDS = 120.0
_PAUSE = 0.001
Record = tuple[int, bytes, bytes, Headers]


class Relaying:
    """Every round stores another lot; both sides then publish that lot, each to its own topic."""

    def __init__(self, store: Store, bootstrap: str, events: int) -> None:
        self._store = store
        self._bootstrap = bootstrap
        self._events = events
        self._ours = RelaySettings(bootstrap, fresh_namespace(), "pipeline")
        self._raw = fresh_namespace()
        self._last = 0
        self._records: list[Record] = []

    def before(self) -> None:
        after, self._last = self._last, fill(self._store, self._events)
        self._records = self._lot(after)
        asyncio.run(ensure_topics(self._bootstrap, self._raw, "pipeline"))

    def _lot(self, after: int) -> list[Record]:
        lasts = dict(self._store.recorder.last_in_partitions(after))
        records: list[Record] = []
        while after < self._last:
            page = self._store.recorder.read_log(after, _PAGE)
            linked, lasts = link(page.envelopes, lasts)
            for envelope, previous in linked:
                key = str(envelope.aggregate_id).encode()
                headers = to_headers(envelope, previous)
                records.append((envelope.partition, key, envelope.data, headers))
            after = page.safe_to
        return records

    def ours(self) -> float:
        seconds = asyncio.run(self._relayed())
        state = self._store.recorder.relay_state()
        if state.position < self._last:
            raise NotDone(f"the relay stored position {state.position}, not {self._last}")
        return self._events / seconds

    async def _relayed(self) -> float:
        """Seconds from leading, connected, to the position behind the last event."""
        relay = Relay(self._store.recorder, self._ours)
        running = asyncio.create_task(relay.run())
        try:
            async with asyncio.timeout(_SECONDS):
                while not relay.leading:  # noqa: ASYNC110 (nothing rings for it)
                    await asyncio.sleep(_PAUSE)
                started = time.perf_counter()
                while relay.position < self._last:  # noqa: ASYNC110 (nor for this)
                    await asyncio.sleep(_PAUSE)
                return time.perf_counter() - started
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    def baseline(self) -> float:
        topic = events_topic(self._raw, "pipeline")
        return self._events / asyncio.run(produced(self._bootstrap, topic, self._records))


async def produced(bootstrap: str, topic: str, records: Sequence[Record]) -> float:
    """Seconds from the first send to the last acknowledgement, nothing awaited in between."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        enable_idempotence=True,
        max_batch_size=512 * 1024,
        max_request_size=2 * 1024 * 1024,
    )
    await producer.start()
    try:
        started = time.perf_counter()
        sent = [
            await producer.send(topic, data, key, partition, headers=headers)
            for partition, key, data, headers in records
        ]
        await asyncio.gather(*sent)
        return time.perf_counter() - started
    finally:
        await producer.stop()


@contextmanager
def _opened(place: Ground) -> Iterator[Sides]:
    with postgres_store(place) as store:
        bootstrap = place.kafka.bootstrap
        warm = Relaying(store, bootstrap, _QUICK_EVENTS)
        warm.before()
        warm.baseline()
        relaying = Relaying(store, bootstrap, place.size(_EVENTS, _QUICK_EVENTS))
        relaying.before()
        relaying.ours()
        yield Sides(relaying.ours, relaying.baseline, relaying.before)


RELAYING = Bench(
    "R5", "relay / raw pipelined idempotent producer", "events/s", _opened, Bars(0.3, 0.6)
)
