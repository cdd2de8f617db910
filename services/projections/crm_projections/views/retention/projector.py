"""Orders to facts: a placed order begins a row, an amended one replaces it from then on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar
from uuid import UUID

from crm_events.contracts.pipeline import OrderAmended, OrderPlaced, OrderWithdrawn
from crm_events.envelope import Envelope
from crm_events.event import Event
from sqlalchemy import Connection, MetaData, Table, select

from crm_projections.columns.layout import Layout
from crm_projections.engine.view import Answer, Cut, Received
from crm_projections.engine.writing import among, end_rows, insert_rows
from crm_projections.facts.amounts import units
from crm_projections.facts.instants import FOREVER, Reporting, local_day_and_month, micros
from crm_projections.views.retention.evidence import RetentionFigures
from crm_projections.views.retention.facts import order_table
from crm_projections.views.retention.orders import layout
from crm_projections.views.retention.parameters import RetentionParameters
from crm_projections.views.retention.queries import DEFINITION, RetentionQuery


@dataclass(slots=True)
class _Orders:
    """The orders of one batch: rows to insert, and where stored ones end. Of an amendment that was
    undone nothing is heard here: what was so before is said again after it."""

    stored: Mapping[UUID, tuple[int, int]]
    """Of orders of which something was said before: the row that is believed, and its begin."""
    rows: list[dict[str, Any]] = field(default_factory=list)
    ended: dict[int, int] = field(default_factory=dict)
    placed_at: dict[UUID, int] = field(init=False)
    _current: dict[UUID, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.placed_at = {order: at for order, (_, at) in self.stored.items()}

    def believe(self, row: dict[str, Any]) -> None:
        self._end(row["unit"], row["known_from"])
        self.placed_at[row["unit"]] = row["valid_from"]
        self._current[row["unit"]] = row
        self.rows.append(row)

    def withdraw(self, envelope: Envelope, withdrawn: OrderWithdrawn) -> None:
        if withdrawn.gone:
            self._end(envelope.aggregate_id, envelope.sequence)
            self.placed_at.pop(envelope.aggregate_id, None)

    def _end(self, order: UUID, sequence: int) -> None:
        before = self._current.pop(order, None)
        if before is not None:
            before["known_to"] = sequence
        elif order in self.stored:
            self.ended.setdefault(self.stored[order][0], sequence)


class RetentionView:
    """Customers by the month of their first order, and how many come back."""

    definition: ClassVar = DEFINITION
    contexts: ClassVar = ("pipeline",)
    handles: ClassVar[frozenset[type[Event]]] = frozenset(
        (OrderPlaced, OrderAmended, OrderWithdrawn)
    )
    parameters: ClassVar = RetentionParameters

    def __init__(self, reporting: Reporting) -> None:
        self._reporting = reporting

    def tables(self, metadata: MetaData, suffix: str) -> Table:
        return order_table(metadata, suffix)

    def apply(self, connection: Connection, tables: Table, batch: Sequence[Received]) -> None:
        orders = _Orders(_standing(connection, tables, list(_changed(batch))))
        for received in batch:
            if isinstance(received.event, OrderWithdrawn):
                orders.withdraw(received.envelope, received.event)
            else:
                orders.believe(self._row(received, orders.placed_at))
        end_rows(connection, tables, orders.ended)
        rows = orders.rows
        if rows:
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

    def layouts(self, tables: Table) -> tuple[Layout, ...]:
        return (layout(tables),)

    def sums(
        self, connection: Connection, tables: Table, _: Cut, parameters: Any
    ) -> RetentionFigures:
        return RetentionFigures(connection, tables, parameters, self._reporting)


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


def _changed(batch: Sequence[Received]) -> dict[UUID, None]:
    """The orders of which something was said before."""
    news = (OrderAmended, OrderWithdrawn)
    return dict.fromkeys(r.envelope.aggregate_id for r in batch if isinstance(r.event, news))
