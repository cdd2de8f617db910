"""Puts ticketing together; the only place that knows all its parts."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from crm_events.feed.reactor import TrackedPositions
from crm_service.distributed import Roles
from crm_service.hosting import Context, Storage
from crm_service.importing.routes import import_router
from crm_service.settings import read_settings
from crm_service.undoing.routes import undo_router

from crm_ticketing.api.errors import ERRORS
from crm_ticketing.api.routes import command_router
from crm_ticketing.application import TicketingApplication
from crm_ticketing.application.undoing import UNDOABLES
from crm_ticketing.imports import import_kinds
from crm_ticketing.reactions import REACTIONS, TIMERS
from crm_ticketing.settings import TicketingSettings


def build(storage: Storage, currency: str, survey_timeout: timedelta | None = None) -> Context:
    """The context over a store. Unless it is given, the time that a survey waits for its answer is
    what the environment says; `currency` is what every context is told."""
    del currency
    waits = survey_timeout or read_settings(TicketingSettings).survey_timeout
    codec = storage.codec()
    app = TicketingApplication(storage.recorder, codec, storage.secret, waits)
    seen = TrackedPositions(storage.recorder, REACTIONS).complete_to
    routers = (
        command_router(app),
        import_router(app, storage.secret, import_kinds(app), seen),
        undo_router(app, storage.secret, UNDOABLES),
    )
    return Context(app, codec, routers, ERRORS, REACTIONS, TIMERS)


ROLES: Final = Roles(
    "ticketing",
    TicketingSettings,
    lambda storage, told: build(storage, told.currency, told.survey_timeout),
)
