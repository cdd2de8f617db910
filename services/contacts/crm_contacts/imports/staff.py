"""Rows of staff. Whoever is missing from a later file stays: a file says who is there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from crm_events.event import Text
from crm_events.store.port import DirectoryEntry
from crm_service.importing.protocol import RowRefused
from crm_service.schemas import Body

from crm_contacts.application.directory import STAFF
from crm_contacts.domain.staff import StaffFacts, StaffMember
from crm_contacts.imports.records import RecordImport, said


class StaffRow(Body):
    """One member of staff. `manager_id` comes from resolving the manager's name first."""

    name: Text
    team: Text | None = None
    manager_id: UUID | None = None
    region: Text | None = None


class StaffImport(RecordImport[StaffMember, StaffRow]):
    name = "staff"
    named = STAFF
    aggregate = StaffMember
    row = StaffRow

    def look_up(self, rows: Sequence[StaffRow]) -> None:
        managers = {row.manager_id for row in rows if row.manager_id is not None}
        self._known = self.app.staff_among(managers)

    def decide(
        self, thing: StaffMember, row: StaffRow, *, at: datetime
    ) -> Iterable[DirectoryEntry]:
        if row.manager_id == thing.id:
            raise RowRefused("manager", "nobody is their own manager; leave it out")
        if not (row.manager_id is None or self._is_known(row.manager_id)):
            remedy = f"there is no member of staff {row.manager_id}; resolve the name first"
            raise RowRefused("manager", remedy)
        if thing.begun:
            thing.change(replace(thing.facts, **said(row)), at=at)
        else:
            thing.register(StaffFacts(**said(row)), at=at)
        return self.entries(thing)

    def name_of(self, row: StaffRow) -> str:
        return row.name

    def _is_known(self, id: UUID) -> bool:
        """A dry run made no stubs, so that whoever is missing then is none."""
        return id in self._known or self.request.dry_run
