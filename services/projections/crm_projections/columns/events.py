"""The events that changes are owed to, looked up where a view keeps what it was told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Connection, FromClause, and_, select

from crm_projections.columns.counting import Array
from crm_projections.columns.frame import Columns
from crm_projections.columns.layout import Layout
from crm_projections.columns.tracing import EFFECT, END, NEWS, Changes
from crm_projections.engine.evidence import Cause

_AT_ONCE: Final = 500
Event = tuple[UUID, str, str, UUID, int, int]
"""Id, type, context, aggregate, sequence, effective."""
Key = tuple[str, int]
"""A row, by its context and the key of its layout."""


def causes(
    connection: Connection, layout: Layout, columns: Columns, events: FromClause, changes: Changes
) -> list[Cause]:
    """In the order of their effect; what an event added in several rows is one sum. `events` has
    the columns of `facts.columns.told`."""
    added: dict[Event, int] = defaultdict(int)
    for by in (EFFECT, NEWS, END):
        mine = changes.by == by
        rows, amounts = changes.rows[mine], changes.added[mine]
        keys = _keys(layout, columns, rows)
        told = dict(_told(connection, layout.table.c[layout.key or "known_from"], keys, events, by))
        for key, amount in zip(keys, amounts.tolist(), strict=True):
            added[told[key]] += amount
    found = [Cause(*event, amount) for event, amount in added.items() if amount]
    return sorted(found, key=lambda cause: (cause.effective, cause.context, cause.sequence))


def _keys(layout: Layout, columns: Columns, rows: Array) -> list[Key]:
    """Rows by their context and key."""
    words = columns.words["context"]
    contexts = [words.value_of(code) for code in columns["context"][rows].tolist()]
    return list(zip(contexts, columns[layout.key or "known_from"][rows].tolist(), strict=True))


def _told(
    connection: Connection, key: Column[int], keys: list[Key], events: FromClause, by: int
) -> Iterator[tuple[Key, Event]]:
    """The key of each row with the event that its change is owed to."""
    of_context: dict[str, list[int]] = defaultdict(list)
    for context, number in keys:
        of_context[context].append(number)
    e, table = events.c, key.table
    owed = and_(e.unit == table.c.unit, _owed(table, events, by))
    told = select(key, e.event_id, e.type, e.unit, e.sequence, e.effective).join(events, owed)
    for context, numbers in of_context.items():
        for start in range(0, len(numbers), _AT_ONCE):
            some = key.in_(numbers[start : start + _AT_ONCE])
            found = connection.execute(told.where(table.c.context == context, some))
            for number, id, type, unit, sequence, effective in found:
                yield (context, number), (id, type, context, unit, sequence, effective)


def _owed(table: FromClause, events: FromClause, by: int) -> ColumnElement[bool]:
    if by == EFFECT:
        return events.c.event_id == table.c.event_id
    return events.c.sequence == (table.c.known_from if by == NEWS else table.c.known_to)
