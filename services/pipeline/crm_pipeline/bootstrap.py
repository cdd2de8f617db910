"""Puts pipeline together; the only place that knows all its parts."""

from __future__ import annotations

from typing import Final

from crm_events.feed.reactor import TrackedPositions
from crm_service.distributed import Roles
from crm_service.hosting import Context, Storage
from crm_service.importing.routes import import_router
from crm_service.names import names_router
from crm_service.settings import ServiceSettings, read_settings
from crm_service.undoing.routes import undo_router

from crm_pipeline.api.errors import ERRORS
from crm_pipeline.api.routes import command_router
from crm_pipeline.application import PipelineApplication
from crm_pipeline.application.undoing import UNDOABLES
from crm_pipeline.imports import NAMES, import_kinds
from crm_pipeline.imports.places import Places
from crm_pipeline.reactions import REACTIONS


def build(storage: Storage, currency: str, timezone: str | None = None) -> Context:
    """The context over a store. `currency` is that of imported amounts that name none; `timezone`,
    in which days begin, is what the environment says unless it is given."""
    zone = timezone or read_settings(ServiceSettings).timezone
    codec = storage.codec()
    app = PipelineApplication(storage.recorder, codec, storage.secret)
    seen = TrackedPositions(storage.recorder, REACTIONS).complete_to
    kinds = import_kinds(app, Places(currency, zone))
    routers = (
        command_router(app),
        names_router(app, app.names, NAMES),
        import_router(app, storage.secret, kinds, seen),
        undo_router(app, storage.secret, UNDOABLES),
    )
    return Context(app, codec, routers, ERRORS, REACTIONS)


ROLES: Final = Roles(
    "pipeline",
    ServiceSettings,
    lambda storage, told: build(storage, told.currency, told.timezone),
)
