"""What a batch changed of the funnel's units, written to their tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from crm_events.event import impersonal
from sqlalchemy import Connection, bindparam, update

from crm_projections.engine.writing import end_rows, insert_rows
from crm_projections.facts.instants import FOREVER
from crm_projections.facts.timeline import withdrawn_by
from crm_projections.views.funnel.facts import FunnelTables
from crm_projections.views.funnel.standing import FunnelFact, Standing
from crm_projections.views.funnel.taken import MOVES
from crm_projections.views.funnel.units import GROUPING, STANDING, FunnelUnit

_EVENT: Final = (*FunnelFact._fields[:-1], "type", "data")
_INTERVAL: Final = (
    "unit",
    "context",
    "known_from",
    "known_to",
    "valid_from",
    "valid_to",
    "event_id",
    "from_day",
    "until_day",
)
_MOVE: Final = (
    "event_id",
    "unit",
    "context",
    "known_from",
    "known_to",
    "valid_from",
    "pipeline",
    "stage",
    "rank",
    "state",
    "previous",
    "previous_rank",
    "day",
)
_NO_DAY: Final = 2**31 - 1
"""Never read: an interval without an end is counted to the day asked about."""
Move = tuple[FunnelFact, Standing]
"""An event that enters a stage or an end, and the standing after it."""
Row = tuple[Any, ...]


def store_facts(connection: Connection, tables: FunnelTables, facts: Sequence[FunnelFact]) -> None:
    insert_rows(connection, tables.events, _EVENT, [_event_row(fact) for fact in facts])


def _event_row(fact: FunnelFact) -> Row:
    data = impersonal(fact.event).model_dump_json().encode()
    return *fact[:-1], fact.event.TYPE, data


def store_units(
    connection: Connection, tables: FunnelTables, units: Mapping[UUID, FunnelUnit]
) -> None:
    """End the intervals that are contradicted, and begin those that are implied."""
    ended = (k for unit in units.values() for k in unit.ended())
    end_rows(connection, tables.standings, {k.stored: k.known_to for k in ended if k.stored})
    begun = [row for id, unit in units.items() for row in _standing_rows(id, unit)]
    insert_rows(connection, tables.standings, (*_INTERVAL, *STANDING, *GROUPING), begun)


def _standing_rows(id: UUID, unit: FunnelUnit) -> Iterable[Row]:
    context, days = unit.facts[0].context, unit.days
    for known in unit.begun():
        valid_from, valid_to, event_id, state = known.interval
        yield (
            id,
            context,
            known.known_from,
            known.known_to,
            valid_from,
            valid_to,
            event_id,
            days[valid_from],
            days.get(valid_to, _NO_DAY),
            *state[:-1],
            *state.by,
        )


def move_of(fact: FunnelFact, unit: FunnelUnit) -> Move | None:
    """The move an event made, from where the unit's events before it had left it."""
    if unit.standing is None or not isinstance(fact.event, MOVES):
        return None
    return fact, unit.standing


def store_moves(
    connection: Connection,
    tables: FunnelTables,
    moves: Sequence[Move],
    facts: Sequence[FunnelFact],
    units: Mapping[UUID, FunnelUnit],
) -> None:
    """Enter the moves, and end those that any of the facts corrects or withdraws."""
    insert_rows(connection, tables.moves, (*_MOVE, *GROUPING), [_move_row(*m) for m in moves])
    corrected = [
        {"corrected": event_id, "ended": fact.sequence}
        for fact in facts
        if fact.supersedes is not None
        for event_id in _corrected(fact, units[fact.unit])
    ]
    if corrected:
        connection.execute(
            update(tables.moves)
            .where(tables.moves.c.event_id == bindparam("corrected"))
            .values(known_to=bindparam("ended")),
            corrected,
        )


def _corrected(fact: FunnelFact, unit: FunnelUnit) -> Iterable[UUID | None]:
    versions = withdrawn_by(fact.event)
    if not versions:
        return [fact.supersedes]
    return [other.event_id for other in unit.facts if other.version in versions]


def _move_row(fact: FunnelFact, to: Standing) -> Row:
    return (
        fact.event_id,
        fact.unit,
        fact.context,
        fact.sequence,
        FOREVER,
        fact.effective,
        to.pipeline,
        to.stage,
        to.rank,
        to.state,
        to.previous,
        to.previous_rank,
        fact.day,
        *to.by,
    )
