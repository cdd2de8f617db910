"""Races that a test decides: somebody else is quicker at the very moment it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from crm_events.ids import new_id
from crm_events.store.mapper import Cause
from crm_ticketing.application import TicketingApplication

from tests.support.contexts import Running
from tests.support.decisions import NOW
from tests.ticketing.conftest import WAITS


class Interrupted(TicketingApplication):
    """Somebody else is quicker: `meanwhile` runs once, right after the first load."""

    meanwhile: Callable[[], object] | None = None

    def load(self, kind: type[Any], id: UUID, *, expected: int | None = None) -> Any:
        loaded = super().load(kind, id, expected=expected)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return loaded


def raced(desk: Running) -> tuple[TicketingApplication, Interrupted]:
    """The application, and another one that is slower."""
    quick, storage = desk.context.app, desk.storage
    assert isinstance(quick, TicketingApplication)
    return quick, Interrupted(storage.recorder, storage.codec(), storage.secret, WAITS)


def cause() -> Cause:
    id = new_id()
    return Cause(id, id, None, "local:tester", "live", NOW)
