"""Rows of organisations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from crm_events.event import Text
from crm_events.store.port import DirectoryEntry
from crm_service.schemas import Body, Money

from crm_contacts.application.directory import ORGANISATION
from crm_contacts.domain.organisation import Organisation, OrganisationFacts
from crm_contacts.imports.records import RecordImport, said


class OrganisationRow(Body):
    """One organisation. `parent` is the name of the one it belongs to."""

    name: Text
    sector: Text | None = None
    region: Text | None = None
    size: Text | None = None
    revenue: Money | None = None
    parent: Text | None = None


class OrganisationImport(RecordImport[Organisation, OrganisationRow]):
    name = "organisations"
    named = ORGANISATION
    aggregate = Organisation
    row = OrganisationRow

    def decide(
        self, thing: Organisation, row: OrganisationRow, *, at: datetime
    ) -> Iterable[DirectoryEntry]:
        facts = said(row)
        if "parent" in facts:
            facts["parent_name"] = facts.pop("parent")
        if thing.version:
            thing.change(replace(thing.facts, **facts), at=at)
        else:
            thing.register(OrganisationFacts(**facts), at=at)
        return self.entries(thing)

    def name_of(self, row: OrganisationRow) -> str:
        return row.name
