"""Orders to facts: a placed order begins a row, an amended one replaces it from then on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, cast
from uuid import UUID

from crm_events.catalogue import context_of
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

Said = OrderPlaced | OrderAmended
_SAID: Final = frozenset((OrderPlaced, OrderAmended))
_NEWS: Final = frozenset((OrderAmended, OrderWithdrawn))
_COLUMNS: Final = (
    "unit", "context", "known_from", "known_to", "valid_from", "event_id", "customer", "day",
    "month", "amount", "currency", "source", "region", "segment",
)  # fmt: skip
_KNOWN_TO: Final = _COLUMNS.index("known_to")
_VALID_FROM: Final = _COLUMNS.index("valid_from")


@dataclass(slots=True)
class _Orders:
    """The orders of one batch: rows to insert, and where stored ones end. Of an amendment that was
    undone nothing is heard here: what was so before is said again after it."""

    stored: Mapping[int, tuple[int, int]]
    """Of orders of which something was said before: the row that is believed, and its begin. By
    number: Python hashes those faster than ids."""
    rows: list[list[Any]] = field(default_factory=list)
    """Of the columns `_COLUMNS`."""
    ended: dict[int, int] = field(default_factory=dict)
    placed_at: dict[int, int] = field(init=False)
    _current: dict[int, list[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.placed_at = {order: at for order, (_, at) in self.stored.items()}

    def believe(self, envelope: Envelope, row: list[Any]) -> None:
        order = envelope.aggregate_id.int
        self._end(order, envelope.sequence)
        self.placed_at[order] = row[_VALID_FROM]
        self._current[order] = row
        self.rows.append(row)

    def withdraw(self, envelope: Envelope, withdrawn: OrderWithdrawn) -> None:
        if withdrawn.gone:
            self._end(envelope.aggregate_id.int, envelope.sequence)
            self.placed_at.pop(envelope.aggregate_id.int, None)

    def _end(self, order: int, sequence: int) -> None:
        before = self._current.pop(order, None)
        if before is not None:
            before[_KNOWN_TO] = sequence
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
        for envelope, event in batch:
            if type(event) in _SAID:
                orders.believe(envelope, self._row(envelope, cast(Said, event), orders.placed_at))
            elif isinstance(event, OrderWithdrawn):
                orders.withdraw(envelope, event)
            else:
                raise TypeError(type(event).__name__)
        end_rows(connection, tables, orders.ended)
        insert_rows(connection, tables, _COLUMNS, orders.rows)

    def _row(self, envelope: Envelope, order: Said, placed_at: Mapping[int, int]) -> list[Any]:
        """In the order of `_COLUMNS`."""
        told_at = placed_at.get(envelope.aggregate_id.int)
        valid_from = micros(envelope.occurred_at) if told_at is None else told_at
        day, month = local_day_and_month(valid_from, self._reporting.zone)
        total = order.total
        return [
            envelope.aggregate_id,
            context_of(envelope.type),
            envelope.sequence,
            FOREVER,
            valid_from,
            envelope.id,
            order.customer_id,
            day,
            month,
            units(total),
            total.currency,
            order.source,
            order.region,
            order.segment,
        ]

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
) -> dict[int, tuple[int, int]]:
    """Of those orders that are stored: the row believed now, and when they were placed."""
    found: dict[int, tuple[int, int]] = {}
    for condition in among(connection, table.c.unit, ids):
        query = select(table.c.unit, table.c.id, table.c.valid_from)
        rows = connection.execute(query.where(condition, table.c.known_to == FOREVER))
        found.update((unit.int, (id, placed_at)) for unit, id, placed_at in rows)
    return found


def _changed(batch: Sequence[Received]) -> dict[UUID, None]:
    """The orders of which something was said before."""
    return dict.fromkeys(r.envelope.aggregate_id for r in batch if type(r.event) in _NEWS)
