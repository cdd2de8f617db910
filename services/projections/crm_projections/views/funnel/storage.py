"""The funnel's facts and standings to and from their tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from crm_events.contracts import contacts
from crm_events.event import Event
from sqlalchemy import Connection, bindparam, select, update

from crm_projections.engine.writing import end_rows, insert_rows
from crm_projections.facts.instants import FOREVER
from crm_projections.facts.timeline import Interval, KnownInterval, Unit
from crm_projections.views.funnel.facts import FunnelTables
from crm_projections.views.funnel.grouping import Grouping
from crm_projections.views.funnel.standing import FunnelFact, Standing, fold
from crm_projections.views.funnel.taken import MOVES, UNITS

FunnelUnit = Unit[Standing, FunnelFact]
_TYPES: Final[Mapping[str, type[Event]]] = {event.TYPE: event for event in UNITS}
_NO_DAY: Final = 2**31 - 1
"""Never read: an interval without an end is counted to the day asked about."""


def load_units(
    connection: Connection, tables: FunnelTables, ids: Sequence[UUID]
) -> dict[UUID, FunnelUnit]:
    found: dict[UUID, FunnelUnit] = {}
    for start in range(0, len(ids), 500):
        chunk = ids[start : start + 500]
        for row in connection.execute(
            select(tables.events)
            .where(tables.events.c.unit.in_(chunk))
            .order_by(tables.events.c.sequence)
        ).mappings():
            found.setdefault(row["unit"], Unit()).facts.append(_stored_fact(row))
        for row in connection.execute(
            select(tables.standings).where(
                tables.standings.c.unit.in_(chunk), tables.standings.c.known_to == FOREVER
            )
        ).mappings():
            found.setdefault(row["unit"], Unit()).known.append(_stored_interval(row))
    return found


def _stored_fact(row: Any) -> FunnelFact:
    event = _TYPES[row["type"]].model_validate_json(row["data"])
    names = ("unit", "context", "version", "sequence", "effective", "day", "event_id", "supersedes")
    return FunnelFact(**{name: row[name] for name in names}, event=event)


_GROUPING = tuple(Grouping.__dataclass_fields__)
_STANDING = tuple(name for name in Standing.__dataclass_fields__ if name != "by")


def _stored_interval(row: Any) -> KnownInterval[Standing]:
    by = Grouping(**{name: row[name] for name in _GROUPING})
    standing = Standing(**{name: row[name] for name in _STANDING}, by=by)
    interval = Interval(row["valid_from"], row["valid_to"], row["event_id"], standing)
    return KnownInterval(interval, row["known_from"], row["known_to"], row["id"])


def store_units(
    connection: Connection,
    tables: FunnelTables,
    facts: Sequence[FunnelFact],
    units: dict[UUID, FunnelUnit],
) -> None:
    insert_rows(connection, tables.events, [_event_row(fact) for fact in facts])
    ended = (k for unit in units.values() for k in unit.ended())
    end_rows(connection, tables.standings, {k.stored: k.known_to for k in ended if k.stored})
    begun = [row for id_, unit in units.items() for row in _rows(id_, unit)]
    insert_rows(connection, tables.standings, begun)
    _store_moves(connection, tables, facts, units)


def _store_moves(
    connection: Connection,
    tables: FunnelTables,
    facts: Sequence[FunnelFact],
    units: dict[UUID, FunnelUnit],
) -> None:
    moves = [row for fact in facts if (row := _move(fact, units[fact.unit])) is not None]
    insert_rows(connection, tables.moves, moves)
    corrected = [
        {"corrected": fact.supersedes, "ended": fact.sequence}
        for fact in facts
        if fact.supersedes is not None
    ]
    if corrected:
        connection.execute(
            update(tables.moves)
            .where(tables.moves.c.event_id == bindparam("corrected"))
            .values(known_to=bindparam("ended")),
            corrected,
        )


def _move(fact: FunnelFact, unit: FunnelUnit) -> dict[str, Any] | None:
    """The move an event made, from where the unit's events before it had left it."""
    if not isinstance(fact.event, MOVES):
        return None
    standing: Standing | None = None
    for earlier in unit.facts:
        if earlier.version <= fact.version:
            standing = fold(standing, earlier)
    if standing is None:
        return None
    own = ("pipeline", "stage", "rank", "state", "previous", "previous_rank")
    row = {name: getattr(standing, name) for name in own}
    row |= {name: getattr(standing.by, name) for name in _GROUPING}
    return row | {
        "event_id": fact.event_id,
        "unit": fact.unit,
        "context": fact.context,
        "known_from": fact.sequence,
        "known_to": FOREVER,
        "valid_from": fact.effective,
    }


def _event_row(fact: FunnelFact) -> dict[str, Any]:
    return {
        "unit": fact.unit,
        "version": fact.version,
        "context": fact.context,
        "sequence": fact.sequence,
        "effective": fact.effective,
        "day": fact.day,
        "event_id": fact.event_id,
        "supersedes": fact.supersedes,
        "type": fact.event.TYPE,
        "data": _impersonal(fact.event),
    }


def _impersonal(event: Event) -> bytes:
    """The event without what is personal: the funnel counts units and needs no names."""
    if isinstance(event, contacts.LeadCaptured):
        event = event.model_copy(update={"name": None, "email": None, "phone": None})
    return event.model_dump_json().encode()


def _rows(unit_id: UUID, unit: FunnelUnit) -> Iterable[dict[str, Any]]:
    context = unit.facts[0].context
    days = {fact.effective: fact.day for fact in unit.facts}
    for known in unit.begun():
        interval = known.interval
        state = interval.state
        row = {name: getattr(state, name) for name in _STANDING}
        row |= {name: getattr(state.by, name) for name in _GROUPING}
        yield row | {
            "unit": unit_id,
            "context": context,
            "known_from": known.known_from,
            "known_to": known.known_to,
            "valid_from": interval.valid_from,
            "valid_to": interval.valid_to,
            "event_id": interval.event_id,
            "from_day": days[interval.valid_from],
            "until_day": days.get(interval.valid_to, _NO_DAY),
        }
