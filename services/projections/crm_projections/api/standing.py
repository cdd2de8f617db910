"""How far the views are, for people and for whoever waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from crm_projections.api.answering import standing
from crm_projections.api.schemas import DefinitionOut, PositionOut, ViewOut, ViewsOut
from crm_projections.engine.database import Database
from crm_projections.engine.stopping import stops
from crm_projections.engine.view import Projector


class Standings:
    """Looks at all views in one snapshot. Thread-safe; blocking."""

    def __init__(self, database: Database, views: Sequence[Projector[Any]]) -> None:
        self._database = database
        self._views = views

    def views(self) -> ViewsOut:
        """Raises NothingLive and OutdatedView."""
        with self._database.reading() as connection:
            stopped = stops(connection)
            return ViewsOut(views=[_view(connection, view, stopped) for view in self._views])

    def position(self) -> PositionOut:
        """For each context the least that any view of it is complete to."""
        with self._database.reading() as connection:
            found = {
                view.definition.id: dict(standing(connection, view).position)
                for view in self._views
            }
        least: dict[str, int] = {}
        for position in found.values():
            for context, sequence in position.items():
                least[context] = min(sequence, least.get(context, sequence))
        return PositionOut(position=least, views=found)


def _view(connection: Connection, view: Projector[Any], stopped: Mapping[str, str]) -> ViewOut:
    now, definition = standing(connection, view), view.definition
    parameters = getattr(view, "parameters", None)
    fields = parameters.model_fields if parameters is not None else {}
    states = now.states.values()
    return ViewOut(
        name=definition.id,
        definition=DefinitionOut(id=definition.id, version=definition.version),
        contexts=list(view.contexts),
        parameters=[field.alias or name for name, field in fields.items()],
        generation=now.opened.generation.number,
        position=dict(now.position),
        applied=sum(state.applied for state in states),
        skipped=sum(state.skipped for state in states),
        parked=sum(state.parked for state in states),
        stopped=stopped.get(definition.id),
    )
