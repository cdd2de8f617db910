"""What contacts takes from files, row by row, and what the names in files stand for here."""

from collections.abc import Mapping
from functools import partial

from crm_service.importing.routes import Begin

from crm_contacts.application import ContactsApplication
from crm_contacts.imports.leads import LeadImport
from crm_contacts.imports.organisations import OrganisationImport
from crm_contacts.imports.staff import StaffImport

KINDS = (StaffImport, OrganisationImport, LeadImport)


def imports_of(app: ContactsApplication) -> Mapping[str, Begin]:
    """The kinds of rows by the name they have in the path."""
    return {kind.name: partial(kind, app) for kind in KINDS}
