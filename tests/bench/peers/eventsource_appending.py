"""Runs in build/peers: orders appended by eventsource-py, as many writers at once as it is told.

Started with the address of an empty database. Each line says how many writers for how many seconds;
the answer says how many events were appended in how many seconds, and how many a reader of its
feed, who looks every 20 ms, has seen when all is over.
"""

import asyncio
import json
import sys
import time
from decimal import Decimal
from uuid import UUID, uuid4  # noqa: TID251 (what the library's own examples use)

from eventsource import (
    DomainEvent,
    ExpectedVersion,
    FeedReadOptions,
    PostgreSQLEventStore,
    StreamId,
    create_async_engine,
    register_event,
)

_PAUSE, _PAGE = 0.02, 2_000


@register_event
class OrderPlaced(DomainEvent):  # type: ignore[misc]
    """The same order, said in the library's way."""

    aggregate_type: str = "Order"
    customer_id: UUID
    amount: Decimal
    currency: str
    source: str
    region: str


def _order() -> OrderPlaced:
    return OrderPlaced(
        aggregate_id=uuid4(),
        actor_id="local:bench",
        customer_id=uuid4(),
        amount=Decimal("19.90"),
        currency="EUR",
        source="bench",
        region="north",
    )


class Writing:
    """Writers and one reader over one store, on one loop, as the library is meant to be used."""

    def __init__(self, store: PostgreSQLEventStore) -> None:
        self._store = store
        self._after = None
        self._end = 0.0
        self.seen: list[UUID] = []

    async def round(self, writers: int, seconds: float) -> dict[str, float]:
        self.seen.clear()
        started = time.perf_counter()
        self._end = started + seconds
        following = asyncio.create_task(self._follow())
        times = sum(await asyncio.gather(*(self._write() for _ in range(writers))))
        took = time.perf_counter() - started
        await following
        return {"times": times, "seconds": took, "seen": len(set(self.seen))}

    async def _write(self) -> int:
        times = 0
        while time.perf_counter() < self._end:
            event = _order()
            stream = StreamId(event.aggregate_id, event.aggregate_type)
            await self._store.append(stream, [event], ExpectedVersion.no_stream())
            times += 1
        return times

    async def _follow(self) -> None:
        while time.perf_counter() < self._end:
            await asyncio.sleep(_PAUSE)
            await self._step()
        await asyncio.sleep(_PAUSE * 5)  # its feed holds back what may still be under way
        while await self._step():
            pass

    async def _step(self) -> bool:
        found = False
        async for envelope in self._store.read_all(self._after, FeedReadOptions(limit=_PAGE)):
            self.seen.append(envelope.event.event_id)
            self._after, found = envelope.position, True
        return found


async def main(address: str) -> None:
    engine = create_async_engine(address, pool_size=10)
    writing = Writing(PostgreSQLEventStore(engine, create_schema=True))
    for line in sys.stdin:
        told = json.loads(line)
        print(json.dumps(await writing.round(told["writers"], told["seconds"])), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
