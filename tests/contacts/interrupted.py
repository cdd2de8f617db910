"""Races that a test decides: somebody else is quicker at the very moment it says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from crm_contacts.application import ContactsApplication
from crm_events.domain import Aggregate
from crm_events.ids import new_id
from crm_events.store.mapper import Cause

from tests.support.decisions import NOW


class Interrupted(ContactsApplication):
    """Somebody else is quicker: `meanwhile` runs once, right after the first load."""

    meanwhile: Callable[[], object] | None = None

    def load(self, kind: type[Any], id: UUID, *, expected: int | None = None) -> Any:
        loaded: Aggregate = super().load(kind, id, expected=expected)
        self._interrupt()
        return loaded

    def load_any(self, kind: type[Any], ids: Sequence[UUID]) -> dict[UUID, Any]:
        loaded: dict[UUID, Any] = super().load_any(kind, ids)
        if loaded:
            self._interrupt()
        return loaded

    def _interrupt(self) -> None:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()


def cause() -> Cause:
    id = new_id()
    return Cause(id, id, None, "local:tester", "live", NOW)
