"""Rows of organisations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from crm_events.event import Text
from crm_events.store.port import DirectoryEntry
from crm_service.importing.options import Options, money, options_of
from crm_service.importing.protocol import ImportIn
from crm_service.schemas import Body, MoneyAmount
from crm_service.settings import Currency

from crm_contacts.application import ContactsApplication
from crm_contacts.application.directory import ORGANISATION
from crm_contacts.domain.organisation import Organisation, OrganisationFacts
from crm_contacts.imports.records import RecordImport, said


class OrganisationRow(Body):
    """One organisation. `revenue` is a year's, `parent` the name of the one it belongs to."""

    name: Text
    sector: Text | None = None
    region: Text | None = None
    size: Text | None = None
    revenue: MoneyAmount | None = None
    currency: Currency | None = None
    parent: Text | None = None


class OrganisationImport(RecordImport[Organisation, OrganisationRow]):
    name = "organisations"
    named = ORGANISATION
    aggregate = Organisation
    row = OrganisationRow

    def __init__(self, app: ContactsApplication, request: ImportIn, currency: str) -> None:
        super().__init__(app, request)
        self._currency = options_of(Options, request).currency or currency

    def decide(
        self, thing: Organisation, row: OrganisationRow, *, at: datetime
    ) -> Iterable[DirectoryEntry]:
        facts = self._facts(row)
        if thing.begun:
            thing.change(replace(thing.facts, **facts), at=at)
        else:
            thing.register(OrganisationFacts(**facts), at=at)
        return self.entries(thing)

    def _facts(self, row: OrganisationRow) -> dict[str, Any]:
        facts = said(row)
        facts.pop("currency", None)
        if "revenue" in facts:
            facts["revenue"] = money(row.revenue, row.currency, self._currency)
        if "parent" in facts:
            facts["parent_name"] = facts.pop("parent")
        return facts

    def name_of(self, row: OrganisationRow) -> str:
        return row.name
