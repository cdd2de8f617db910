"""Events that name things, folded to the name each thing has now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final
from uuid import UUID

from crm_events.contracts.campaigns import CampaignPlanned
from crm_events.contracts.contacts import (
    OrganisationChanged,
    OrganisationRegistered,
    PersonChanged,
    PersonRegistered,
    StaffChanged,
    StaffRegistered,
    SubjectErased,
)
from crm_events.contracts.pipeline import (
    PipelineDefined,
    PipelineStagesChanged,
    ProductChanged,
    ProductRegistered,
    Stage,
)
from crm_events.event import Event
from sqlalchemy import Connection, MetaData, Table

from crm_projections.engine.database import upsert
from crm_projections.engine.view import Definition, Received
from crm_projections.views.names.blanking import blank
from crm_projections.views.names.facts import Kind, names_table

Rows = Iterator[dict[str, Any]]


def _named(kind: Kind) -> Callable[[UUID, Any], Rows]:
    def rows(id: UUID, event: Any) -> Rows:
        yield _row(kind, str(id), name=event.name)

    return rows


def _pipeline(id: UUID, event: PipelineDefined) -> Rows:
    yield _row("pipeline", str(id), key=event.key, name=event.name)
    yield from _stages(id, event)


def _stages(id: UUID, event: PipelineDefined | PipelineStagesChanged) -> Rows:
    """A stage that is gone keeps its name: past answers still speak of it."""
    for stage in event.stages:
        yield _stage(id, stage)


def _stage(pipeline: UUID, stage: Stage) -> dict[str, Any]:
    id = f"{pipeline}/{stage.key}"
    return _row("stage", id, parent=str(pipeline), key=stage.key, name=stage.name)


def _row(
    kind: Kind, id: str, *, name: str | None, parent: str | None = None, key: str | None = None
) -> dict[str, Any]:
    return {"kind": kind, "id": id, "parent": parent, "key": key, "name": name}


_ROWS: Final[Mapping[type[Event], Callable[[UUID, Any], Rows]]] = {
    StaffRegistered: _named("staff"),
    StaffChanged: _named("staff"),
    OrganisationRegistered: _named("organisation"),
    OrganisationChanged: _named("organisation"),
    PersonRegistered: _named("person"),
    PersonChanged: _named("person"),
    ProductRegistered: _named("product"),
    ProductChanged: _named("product"),
    CampaignPlanned: _named("campaign"),
    PipelineDefined: _pipeline,
    PipelineStagesChanged: _stages,
}


class NamesView:
    """The one view that is not asked about the past: a name is shown as it is now, or blank.

    What was withdrawn keeps its name: answers about what was known before still speak of it.
    """

    definition: ClassVar = Definition("names", 1, personal=True)
    contexts: ClassVar = ("contacts", "pipeline", "campaigns")
    handles: ClassVar[frozenset[type[Event]]] = frozenset((*_ROWS, SubjectErased))

    def tables(self, metadata: MetaData, suffix: str) -> Table:
        return names_table(metadata, suffix)

    def apply(self, connection: Connection, tables: Table, batch: Sequence[Received]) -> None:
        latest: dict[tuple[str, str], dict[str, Any]] = {}
        erased: list[str] = []
        for received in batch:
            event = received.event
            if isinstance(event, SubjectErased):
                erased.append(str(event.subject_id))
                continue
            for row in _ROWS[type(event)](received.envelope.aggregate_id, event):
                latest[row["kind"], row["id"]] = row
        upsert(connection, tables, list(latest.values()))
        if erased:
            blank(connection, self.definition.id, erased)
