"""Puts campaigns together; the only place that knows all its parts."""

from __future__ import annotations

from typing import Final

from crm_service.distributed import Roles
from crm_service.hosting import Context, Storage
from crm_service.names import names_router
from crm_service.settings import ServiceSettings
from crm_service.undoing.routes import undo_router

from crm_campaigns.api.errors import ERRORS
from crm_campaigns.api.routes import campaigns_router
from crm_campaigns.application import NAMES, UNDOABLES, CampaignsApplication
from crm_campaigns.reactions import REACTIONS


def build(storage: Storage, currency: str) -> Context:
    """The context over a store. Amounts always name their currency here."""
    del currency
    codec = storage.codec()
    app = CampaignsApplication(storage.recorder, codec, storage.secret)
    routers = (
        campaigns_router(app),
        names_router(app, app.names, NAMES),
        undo_router(app, storage.secret, UNDOABLES),
    )
    return Context(app, codec, routers, ERRORS, REACTIONS)


ROLES: Final = Roles(
    "campaigns", ServiceSettings, lambda storage, told: build(storage, told.currency)
)
