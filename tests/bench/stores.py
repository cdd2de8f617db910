"""Our stores, empty and ready, and ways of filling them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Final

from crm_events.application import ContextApplication
from crm_events.clock import utc_now
from crm_events.codec import Codec
from crm_events.domain import Aggregate
from crm_events.event import Money
from crm_events.ids import new_id
from crm_events.keys.open import migrate_keys, open_keys
from crm_events.keys.port import SubjectKeys
from crm_events.store.mapper import Cause
from crm_events.store.open import migrate
from crm_events.store.postgres import PostgresRecorder
from crm_events.store.reading import LogQueries
from crm_events.store.sqlite import SqliteRecorder
from crm_pipeline.domain.order import Order, OrderFacts

from tests.bench.ground import Ground
from tests.support.processes import master_key_in

NAMESPACE: Final = "bench"
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Store:
    """A context's store with an application over it."""

    recorder: LogQueries
    keys: SubjectKeys
    app: ContextApplication
    dsn: str = ""
    """Of its own database; empty for a file."""

    def save(self, things: Sequence[Aggregate]) -> int:
        """In one transaction, as one command; answers the last position."""
        id = new_id()
        return self.app.save_all(things, Cause(id, id, None, "local:bench", "live", utc_now()))

    def positions(self, after: int) -> list[int]:
        """What lies in the table beyond a position, however it would be followed."""
        rows = self.recorder.rows(
            "SELECT position FROM events WHERE position > ? ORDER BY position", after
        )
        return [row[0] for row in rows]


@contextmanager
def postgres_store(place: Ground, context: str = "pipeline") -> Iterator[Store]:
    """In a database of its own, with the keys beside it."""
    with place.database() as dsn:
        migrate(dsn, NAMESPACE, context)
        migrate_keys(dsn, NAMESPACE)
        keys = open_keys(dsn, NAMESPACE, master_key_in(place.folder()))
        recorder = PostgresRecorder(dsn, f"{NAMESPACE}_{context}")
        with closing(recorder), closing(keys):
            yield replace(_store(recorder, keys), dsn=dsn)


@contextmanager
def sqlite_store(place: Ground, context: str = "pipeline") -> Iterator[Store]:
    with sqlite_store_in(place.folder(), context) as store:
        yield store


@contextmanager
def sqlite_store_in(folder: Path, context: str) -> Iterator[Store]:
    """The one that lies there, or a new one; stores of one folder share their keys."""
    keys = open_keys(folder / "keys.db", NAMESPACE, folder / "master.key")
    recorder = SqliteRecorder(folder / f"{context}.db")
    with closing(recorder), closing(keys):
        yield _store(recorder, keys)


def _store(recorder: LogQueries, keys: SubjectKeys) -> Store:
    return Store(recorder, keys, ContextApplication(recorder, Codec(keys)))


def order() -> Order:
    """One event, without personal values."""
    thing = Order(new_id())
    total = Money(amount=Decimal("19.90"), currency="EUR")
    thing.place(OrderFacts(new_id(), total, source="bench", region="north"), at=utc_now())
    return thing


def fill(store: Store, orders: int) -> int:
    """Place so many orders; answers the last position."""
    last = 0
    for start in range(0, orders, _AT_ONCE):
        last = store.save([order() for _ in range(min(_AT_ONCE, orders - start))])
    return last
