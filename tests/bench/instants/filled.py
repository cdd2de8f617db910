"""A view's own tables, filled by the view itself with as many events as are wanted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from crm_events.feed.store import lanes_of
from crm_projections.engine.database import Database
from crm_projections.engine.generation import migrate, open_live
from crm_projections.engine.position import Step, advance, ensure_lanes, load_states
from crm_projections.engine.view import Received, View

_AT_ONCE: Final = 500  # PostgreSQL ends a transaction that idles, on a machine that is slow


class Filled:
    """A live generation that takes events of one context, in transactions of a few thousand."""

    def __init__(self, database: Database, view: View[Any], log: Iterator[Received]) -> None:
        migrate(database)
        self._database = database
        self._view = view
        self._log = log
        self._opened = open_live(database, view, 1)
        with database.writing() as connection:
            ensure_lanes(connection, self._opened.generation, lanes_of(view.contexts))

    def take(self, events: int) -> None:
        for taken in range(0, events, _AT_ONCE):
            self._write(list(islice(self._log, min(_AT_ONCE, events - taken))))

    def _write(self, batch: Sequence[Received]) -> None:
        head = batch[-1].envelope
        with self._database.writing() as connection:
            states = load_states(connection, self._opened.generation)
            steps = [
                Step(
                    lane,
                    state,
                    replace(
                        state,
                        sequence=head.sequence,
                        complete_to=head.sequence,
                        revision=state.revision + 1,
                    ),
                )
                for lane, state in states.items()
                if lane.context == head.context
            ]
            advance(connection, self._opened.generation, steps)
            self._view.apply(connection, self._opened.tables, batch)
