"""Events to facts and standings, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
from crm_events.contracts import pipeline
from crm_events.event import Event
from sqlalchemy import Connection, MetaData, insert, select

from crm_projections.columns.layout import Layout
from crm_projections.engine.parameters import ViewParameters
from crm_projections.engine.view import Answer, Cut, Received
from crm_projections.facts.instants import Reporting
from crm_projections.facts.timeline import grouped
from crm_projections.views.funnel.evidence import FunnelFigures
from crm_projections.views.funnel.facts import FunnelTables, funnel_tables
from crm_projections.views.funnel.kept import moves_layout, standings_layout
from crm_projections.views.funnel.parameters import FunnelParameters
from crm_projections.views.funnel.queries import DEFINITION, answer, suppose
from crm_projections.views.funnel.stage_map import StageMap
from crm_projections.views.funnel.standing import FunnelFact, fact_of
from crm_projections.views.funnel.storage import (
    Move,
    move_of,
    store_facts,
    store_moves,
    store_units,
)
from crm_projections.views.funnel.taken import UNITS
from crm_projections.views.funnel.units import FunnelUnit, load_units

_PIPELINES: tuple[type[Event], ...] = (pipeline.PipelineDefined, pipeline.PipelineStagesChanged)


class FunnelView:
    """Deals through their pipelines, and leads through the pipeline `leads`."""

    definition: ClassVar = DEFINITION
    contexts: ClassVar = ("contacts", "pipeline")
    handles: ClassVar = frozenset(UNITS + _PIPELINES)

    parameters: ClassVar[type[ViewParameters]] = FunnelParameters
    policy: ClassVar = StageMap

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
        news = grouped(facts, lambda fact: fact.unit)
        units = load_units(connection, tables, news)
        moves = [
            move
            for unit_id, told in news.items()
            for move in _taken(units.setdefault(unit_id, FunnelUnit()), told)
        ]
        store_facts(connection, tables, facts)
        store_units(connection, tables, units)
        store_moves(connection, tables, moves, facts, units)

    def answer(
        self,
        connection: Connection,
        tables: FunnelTables,
        cut: Cut,
        parameters: Any,
    ) -> Answer:
        return answer(connection, tables, cut, parameters, self._reporting)

    def suppose(
        self,
        connection: Connection,
        tables: FunnelTables,
        cut: Cut,
        parameters: Any,
        policy: StageMap,
    ) -> Answer:
        return suppose(connection, tables, cut, parameters, self._reporting, to=policy)

    def layouts(self, tables: FunnelTables) -> tuple[Layout, ...]:
        return standings_layout(tables), moves_layout(tables)

    def sums(
        self, connection: Connection, tables: FunnelTables, cut: Cut, parameters: Any
    ) -> FunnelFigures:
        return FunnelFigures(connection, tables, cut, parameters, self._reporting)

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


def _taken(unit: FunnelUnit, facts: Sequence[FunnelFact]) -> Iterator[Move]:
    for fact in facts:
        unit.add(fact)
        if (move := move_of(fact, unit)) is not None:
            yield move


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
