"""A view on its own: events in, answers out, over a real database and without an engine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from crm_events.event import Event
from crm_projections.engine.view import Answer, Cut, Received, View
from crm_projections.facts.instants import Reporting, micros
from sqlalchemy import Engine, MetaData, create_engine, event

from tests.support import envelopes

UTC_EURO = Reporting(ZoneInfo("UTC"), "EUR")
_IDS = UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")
_RECORDED = datetime(2026, 1, 1, tzinfo=UTC)


def identity(name: str) -> UUID:
    """The same id for the same name, in every test."""
    return uuid5(_IDS, name)


def at(text: str) -> datetime:
    """`2026-01-05` or `2026-01-05T10:00`, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Told:
    """One event of the thing called `unit`, effective at `when`."""

    unit: str
    event: Event
    when: datetime
    supersedes: UUID | None = None


def _foreign_keys_off(connection: Any, _: Any) -> None:
    connection.execute("PRAGMA synchronous=OFF")


def memory_engine() -> Engine:
    engine = create_engine("sqlite://")
    event.listen(engine, "connect", _foreign_keys_off)
    return engine


class Viewing:
    """Feeds one view. Sequences count from 1 in each context, in the order of telling."""

    def __init__(self, view: View[Any], engine: Engine | None = None) -> None:
        self.view = view
        self.engine = engine or memory_engine()
        metadata = MetaData()
        self.tables = view.tables(metadata, "__g1")
        metadata.create_all(self.engine)
        self.sequences: dict[str, int] = {}
        self._versions: dict[UUID, int] = {}

    def received(self, told: Told) -> Received:
        context = told.event.TYPE.split(".")[1]
        unit = identity(told.unit)
        self.sequences[context] = sequence = self.sequences.get(context, 0) + 1
        self._versions[unit] = version = self._versions.get(unit, 0) + 1
        envelope = envelopes.told(
            told.event.TYPE,
            unit,
            version,
            sequence,
            _RECORDED + timedelta(seconds=sequence),
            id=identity(f"{told.unit}/{version}"),
            occurred_at=told.when,
            supersedes=told.supersedes,
        )
        return Received(envelope, told.event)

    def tell(self, *tellings: Told, batch: int = 1_000) -> None:
        """Apply events in this order, in transactions of `batch` events."""
        received = [self.received(told) for told in tellings]
        for start in range(0, len(received), batch):
            with self.engine.begin() as connection:
                self.view.apply(connection, self.tables, received[start : start + batch])

    def ask(
        self,
        as_of: str | None = None,
        known: dict[str, int] | None = None,
        **parameters: Any,
    ) -> Answer:
        given = parameters | ({"as_of": as_of} if as_of else {})
        asked = self.view.parameters.model_validate(given, context={"zone": ZoneInfo("UTC")})
        with self.engine.connect() as connection:
            cut = Cut(micros(at(as_of or "2030-01-01")), known or {})
            return self.view.answer(connection, self.tables, cut, asked)


def column(answer: Answer, name: str) -> list[Any]:
    """One column of the answer's rows."""
    return [row.get(name) for row in answer.rows]


def rounded(values: Iterable[float | None], digits: int = 4) -> list[float | None]:
    return [None if value is None else round(value, digits) for value in values]
