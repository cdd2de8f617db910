"""Orders to facts: a placed order begins a row, an amended one replaces it from then on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from crm_events.contracts.pipeline import OrderAmended, OrderPlaced
from crm_events.event import Event
from sqlalchemy import Connection, MetaData, Table, select

from crm_projections.engine.view import Answer, Cut, Received
from crm_projections.engine.writing import among, end_rows, insert_rows
from crm_projections.facts.amounts import units
from crm_projections.facts.instants import FOREVER, Reporting, local_day_and_month, micros
from crm_projections.views.retention.facts import order_table
from crm_projections.views.retention.parameters import RetentionParameters
from crm_projections.views.retention.queries import DEFINITION, RetentionQuery


class RetentionView:
    """Customers by the month of their first order, and how many come back."""

    definition: ClassVar = DEFINITION
    contexts: ClassVar = ("pipeline",)
    handles: ClassVar[frozenset[type[Event]]] = frozenset((OrderPlaced, OrderAmended))
    parameters: ClassVar = RetentionParameters

    def __init__(self, reporting: Reporting) -> None:
        self._reporting = reporting

    def tables(self, metadata: MetaData, suffix: str) -> Table:
        return order_table(metadata, suffix)

    def apply(self, connection: Connection, tables: Table, batch: Sequence[Received]) -> None:
        amended = [r.envelope.aggregate_id for r in batch if isinstance(r.event, OrderAmended)]
        stored = _standing(connection, tables, list(dict.fromkeys(amended)))
        placed_at = {unit: at for unit, (_, at) in stored.items()}
        rows: list[dict[str, Any]] = []
        current: dict[UUID, dict[str, Any]] = {}
        for received in batch:
            row = self._row(received, placed_at)
            unit = row["unit"]
            placed_at[unit] = row["valid_from"]
            if unit in current:
                current[unit]["known_to"] = row["known_from"]
            current[unit] = row
            rows.append(row)
        end_rows(connection, tables, _first_news(rows, stored))
        insert_rows(connection, tables, tuple(rows[0]), [tuple(row.values()) for row in rows])

    def _row(self, received: Received, placed_at: Mapping[UUID, int]) -> dict[str, Any]:
        envelope, order = received.envelope, received.event
        if not isinstance(order, OrderPlaced | OrderAmended):
            raise TypeError(type(order).__name__)
        valid_from = placed_at.get(envelope.aggregate_id, micros(envelope.occurred_at))
        day, month = local_day_and_month(valid_from, self._reporting.zone)
        return {
            "unit": envelope.aggregate_id,
            "context": envelope.context,
            "known_from": envelope.sequence,
            "known_to": FOREVER,
            "valid_from": valid_from,
            "event_id": envelope.id,
            "customer": order.customer_id,
            "day": day,
            "month": month,
            "amount": units(order.total),
            "currency": order.total.currency,
            "source": order.source,
            "region": order.region,
            "segment": order.segment,
        }

    def answer(
        self, connection: Connection, tables: Table, cut: Cut, parameters: RetentionParameters
    ) -> Answer:
        return RetentionQuery(connection, tables, cut, parameters, self._reporting).answer()


def _standing(
    connection: Connection, table: Table, ids: Sequence[UUID]
) -> dict[UUID, tuple[int, int]]:
    """Of those orders that are stored: the row believed now, and when they were placed."""
    found: dict[UUID, tuple[int, int]] = {}
    for condition in among(connection, table.c.unit, ids):
        query = select(table.c.unit, table.c.id, table.c.valid_from)
        rows = connection.execute(query.where(condition, table.c.known_to == FOREVER))
        found.update((unit, (id, placed_at)) for unit, id, placed_at in rows)
    return found


def _first_news(
    rows: Sequence[Mapping[str, Any]], stored: Mapping[UUID, tuple[int, int]]
) -> dict[int, int]:
    """Of each stored row that is believed no more, where that begins: by its id."""
    first = {row["unit"]: row["known_from"] for row in reversed(rows)}
    return {id: first[unit] for unit, (id, _) in stored.items()}
