"""Another context as reactions see it: a log of events, said by a test rather than decided."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from uuid import UUID

from crm_events.application import ContextApplication
from crm_events.codec import Codec
from crm_events.domain import Aggregate
from crm_events.envelope import Origin
from crm_events.event import Event
from crm_events.ids import new_id
from crm_events.keys.port import SubjectKeys
from crm_events.store.mapper import Cause
from crm_events.store.sqlite import SqliteRecorder

from tests.support.decisions import NOW


class Told(Aggregate):
    """Anything that events are said of."""


class Telling:
    """One context's log in a file of its own; `tell` puts events at its end."""

    def __init__(self, folder: Path, context: str, keys: SubjectKeys) -> None:
        self.recorder = SqliteRecorder(folder / f"{context}.db")
        self._app = ContextApplication(self.recorder, Codec(keys))
        self._versions: dict[UUID, int] = {}

    def tell(
        self,
        *events: Event,
        of: UUID | None = None,
        at: datetime = NOW,
        origin: Origin = "live",
    ) -> UUID:
        """Say the events of one thing, a new one unless it is named; answers its id."""
        thing = Told(of or new_id())
        thing.version = self._versions.get(thing.id, 0)
        for event in events:
            thing.record(event, at=at)
        id = new_id()
        cause = Cause(id, id, None, "local:teller", "live", at)
        self._app.save_all([thing], replace(cause, origin=origin))
        self._versions[thing.id] = thing.version
        return thing.id

    def close(self) -> None:
        self.recorder.close()
