"""Puts contacts together; the only place that knows all its parts."""

from __future__ import annotations

from typing import Final

from crm_events.feed.reactor import TrackedPositions
from crm_service.distributed import Roles
from crm_service.hosting import Context, Storage
from crm_service.importing.routes import import_router
from crm_service.names import names_router
from crm_service.settings import ServiceSettings
from crm_service.undoing.routes import undo_router

from crm_contacts.api.erasure_routes import erasures_router, keys_router
from crm_contacts.api.errors import ERRORS
from crm_contacts.api.lead_routes import lead_care_router, leads_router
from crm_contacts.api.routes import (
    consent_router,
    organisations_router,
    people_router,
    staff_router,
)
from crm_contacts.application import ContactsApplication
from crm_contacts.application.erasures import Erasures
from crm_contacts.application.undoing import UNDOABLES
from crm_contacts.imports import import_kinds
from crm_contacts.imports.names import NAMES
from crm_contacts.reactions import REACTIONS


def build(storage: Storage, currency: str) -> Context:
    """The context over a store. `currency` is that of imported amounts that name none."""
    codec = storage.codec()
    app = ContactsApplication(storage.recorder, codec, storage.secret)
    seen = TrackedPositions(storage.recorder, REACTIONS).complete_to
    erasures = Erasures(app, storage.keys)
    routers = (
        staff_router(app),
        organisations_router(app),
        people_router(app),
        consent_router(app),
        leads_router(app),
        lead_care_router(app),
        erasures_router(erasures),
        keys_router(erasures),
        names_router(app, app.names, NAMES),
        import_router(app, storage.secret, import_kinds(app, currency), seen),
        undo_router(app, storage.secret, UNDOABLES),
    )
    return Context(app, codec, routers, ERRORS, REACTIONS, upkeep=(erasures.reapply,))


ROLES: Final = Roles(
    "contacts", ServiceSettings, lambda storage, told: build(storage, told.currency)
)
