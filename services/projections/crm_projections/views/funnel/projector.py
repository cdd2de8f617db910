"""Events to facts and standings, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
from crm_events.contracts import contacts, pipeline
from crm_events.event import Event
from sqlalchemy import Connection, MetaData, bindparam, insert, select, update

from crm_projections.engine.view import Answer, Cut, Definition, Received
from crm_projections.facts.instants import FOREVER, Reporting
from crm_projections.facts.timeline import Interval, KnownInterval, Unit, grouped
from crm_projections.views.funnel.facts import FunnelTables, funnel_tables
from crm_projections.views.funnel.parameters import FunnelParameters
from crm_projections.views.funnel.queries import answer
from crm_projections.views.funnel.standing import (
    FunnelFact,
    Grouping,
    Standing,
    fact_of,
    fold,
)

_MOVES: tuple[type[Event], ...] = (
    contacts.LeadCaptured,
    contacts.LeadAssigned,
    contacts.LeadQualified,
    contacts.LeadDisqualified,
    contacts.LeadConverted,
    pipeline.DealOpened,
    pipeline.StageAdvanced,
    pipeline.StageMovedBack,
    pipeline.DealAssigned,
    pipeline.DealAmended,
    pipeline.DealWon,
    pipeline.DealLost,
    pipeline.DealReopened,
)
_PIPELINES: tuple[type[Event], ...] = (pipeline.PipelineDefined, pipeline.PipelineStagesChanged)
_TYPES = {event.TYPE: event for event in _MOVES}
_NO_DAY = 2**31 - 1
"""Never read: an interval without an end is counted to the day asked about."""
FunnelUnit = Unit[Standing, FunnelFact]


class FunnelView:
    """Deals through their pipelines, and leads through the pipeline `leads`."""

    definition: ClassVar = Definition("funnel", 1)
    contexts: ClassVar = ("contacts", "pipeline")
    handles: ClassVar = frozenset(_MOVES + _PIPELINES)

    parameters: ClassVar = FunnelParameters

    def __init__(self, reporting: Reporting) -> None:
        self._reporting = reporting

    def tables(self, metadata: MetaData, suffix: str) -> FunnelTables:
        return funnel_tables(metadata, suffix)

    def apply(
        self, connection: Connection, tables: FunnelTables, batch: Sequence[Received]
    ) -> None:
        self._define(connection, tables, [r for r in batch if isinstance(r.event, _PIPELINES)])
        facts = [
            fact_of(r, self._reporting.zone) for r in batch if not isinstance(r.event, _PIPELINES)
        ]
        if not facts:
            return
        by_unit = grouped(facts, lambda fact: fact.unit)
        units = _load(connection, tables, [u for u, new in by_unit.items() if new[0].version > 1])
        for unit_id, new in by_unit.items():
            unit = units.setdefault(unit_id, Unit())
            for fact in new:
                unit.take(fact, fold)
        _store(connection, tables, facts, units)

    def answer(
        self,
        connection: Connection,
        tables: FunnelTables,
        cut: Cut,
        parameters: FunnelParameters,
    ) -> Answer:
        return answer(connection, tables, cut, parameters, self._reporting)

    def _define(
        self, connection: Connection, tables: FunnelTables, batch: Sequence[Received]
    ) -> None:
        keys = (
            {
                row.unit: row.pipeline
                for row in connection.execute(
                    select(tables.pipelines.c.unit, tables.pipelines.c.pipeline)
                )
            }
            if batch
            else {}
        )
        rows = []
        for received in batch:
            row = _pipeline_row(received, keys)
            keys[row["unit"]] = row["pipeline"]
            rows.append(row)
        if rows:
            connection.execute(insert(tables.pipelines), rows)


def _pipeline_row(received: Received, keys: dict[UUID, str]) -> dict[str, Any]:
    fact = fact_of(received, ZoneInfo("UTC"))
    event = received.event
    if not isinstance(event, pipeline.PipelineDefined | pipeline.PipelineStagesChanged):
        raise TypeError(type(event).__name__)
    key = event.key if isinstance(event, pipeline.PipelineDefined) else keys[fact.unit]
    return {
        "unit": fact.unit,
        "version": fact.version,
        "sequence": fact.sequence,
        "effective": fact.effective,
        "pipeline": key,
        "stages": orjson.dumps([stage.model_dump() for stage in event.stages]).decode(),
        "won_name": event.won_name,
        "lost_name": event.lost_name,
    }


def _load(
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


def _store(
    connection: Connection,
    tables: FunnelTables,
    facts: Sequence[FunnelFact],
    units: dict[UUID, FunnelUnit],
) -> None:
    connection.execute(insert(tables.events), [_event_row(fact) for fact in facts])
    ended = [{"row": k.stored, "ended": k.known_to} for u in units.values() for k in u.ended()]
    if ended:
        connection.execute(
            update(tables.standings)
            .where(tables.standings.c.id == bindparam("row"))
            .values(known_to=bindparam("ended")),
            ended,
        )
    begun = [row for id_, unit in units.items() for row in _rows(id_, unit)]
    if begun:
        connection.execute(insert(tables.standings), begun)


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
