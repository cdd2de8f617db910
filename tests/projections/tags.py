"""A small view for tests of the engine: which tags leads were given, one row per event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from crm_events.contracts.contacts import LeadCaptured, LeadTagged, LeadUntagged
from crm_events.event import Event
from crm_projections.engine.instants import micros
from crm_projections.engine.view import Definition, Received
from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, Text, Uuid, insert


class TagsView:
    """Tags in `poisonous` make `apply` fail, as a fault in a view would."""

    contexts: ClassVar[tuple[str, ...]] = ("contacts",)

    def __init__(
        self,
        name: str = "tags",
        poisonous: Sequence[str] = (),
        handles: Sequence[type[Event]] = (LeadTagged, LeadCaptured),
        version: int = 1,
    ) -> None:
        self.definition = Definition(name, version)
        self.handles = frozenset(handles)
        self.poisonous = set(poisonous)

    def tables(self, metadata: MetaData, suffix: str) -> Table:
        return Table(
            f"{self.definition.id}_fact{suffix}",
            metadata,
            Column("event_id", Uuid, primary_key=True),
            Column("lead", Uuid, nullable=False),
            Column("version", BigInteger, nullable=False),
            Column("tag", Text, nullable=False),
            Column("effective", BigInteger, nullable=False),
        )

    def apply(self, connection: Connection, tables: Table, batch: Sequence[Received]) -> None:
        rows = [
            {
                "event_id": received.envelope.id,
                "lead": received.envelope.aggregate_id,
                "version": received.envelope.aggregate_version,
                "tag": self._tag(received.event),
                "effective": micros(received.envelope.occurred_at),
            }
            for received in batch
        ]
        connection.execute(insert(tables), rows)

    def _tag(self, event: Event) -> str:
        tag = event.tag if isinstance(event, LeadTagged | LeadUntagged) else "captured"
        if tag in self.poisonous:
            raise ValueError(f"cannot take the tag {tag!r}")
        return tag
