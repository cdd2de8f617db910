"""The `eventsourcing` library as it comes: its own aggregate, JSON and recorders, every default."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from uuid import UUID, uuid4  # noqa: TID251 (what the library's own examples use)

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from psycopg.conninfo import conninfo_to_dict

from tests.bench.ground import Ground


class PlainOrder(Aggregate):
    """The same order, said in the library's way."""

    @event("Placed")
    def __init__(
        self, customer_id: UUID, amount: Decimal, currency: str, source: str, region: str
    ) -> None:
        self.customer_id = customer_id
        self.amount = amount
        self.currency = currency
        self.source = source
        self.region = region


class PlainOrders(Application[UUID]):
    """Saves and follows."""

    def append(self) -> None:
        self.save(PlainOrder(uuid4(), Decimal("19.90"), "EUR", "bench", "north"))

    def read(self, after: int) -> tuple[Sequence[int], int]:
        found = self.recorder.select_notifications(after + 1, 2_000)
        positions = [notification.id for notification in found]
        return positions, positions[-1] if positions else after


@contextmanager
def plain_on_postgres(place: Ground) -> Iterator[PlainOrders]:
    with place.database() as dsn:
        told = conninfo_to_dict(dsn)
        names = {"DBNAME": "dbname", "HOST": "host", "PORT": "port", "USER": "user"}
        env = {f"POSTGRES_{name}": str(told[key]) for name, key in names.items()}
        env["POSTGRES_PASSWORD"] = str(told.get("password") or "")
        with _opened({"PERSISTENCE_MODULE": "eventsourcing.postgres", **env}) as app:
            yield app


@contextmanager
def plain_on_sqlite(place: Ground) -> Iterator[PlainOrders]:
    file = place.folder() / "plain.db"
    env = {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(file)}
    with _opened(env) as app:
        yield app


@contextmanager
def _opened(env: Mapping[str, str]) -> Iterator[PlainOrders]:
    app = PlainOrders(dict(env))
    try:
        yield app
    finally:
        app.close()
