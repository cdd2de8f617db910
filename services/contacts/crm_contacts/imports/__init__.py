"""What contacts takes from files, row by row, and what the names in files stand for here."""

from __future__ import annotations

from collections.abc import Mapping

from crm_service.importing.routes import Begin

from crm_contacts.application import ContactsApplication
from crm_contacts.imports.leads import LeadImport
from crm_contacts.imports.organisations import OrganisationImport
from crm_contacts.imports.staff import StaffImport


def import_kinds(app: ContactsApplication, currency: str) -> Mapping[str, Begin]:
    """The kinds by their names in the path. `currency` is that of amounts that name none."""
    return {
        "staff": lambda request: StaffImport(app, request),
        "organisations": lambda request: OrganisationImport(app, request, currency),
        "leads": lambda request: LeadImport(app, request),
    }
