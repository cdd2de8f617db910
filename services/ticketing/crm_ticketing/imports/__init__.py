"""Rows of files that become tickets with their surveys."""

from collections.abc import Mapping
from functools import partial

from crm_service.importing.routes import Begin

from crm_ticketing.application import TicketingApplication
from crm_ticketing.imports.tickets import TicketImport


def import_kinds(app: TicketingApplication) -> Mapping[str, Begin]:
    """The kinds of rows by the name they have in the path."""
    return {TicketImport.name: partial(TicketImport, app)}
