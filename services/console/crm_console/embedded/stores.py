"""The files of a home, opened: a store for each context, and the keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from crm_campaigns.bootstrap import build as build_campaigns
from crm_contacts.bootstrap import build as build_contacts
from crm_events.keys.open import open_keys
from crm_events.keys.sql import SqlKeys
from crm_events.store.open import open_recorder
from crm_events.store.port import EventRecorder
from crm_pipeline.bootstrap import build as build_pipeline
from crm_service.hosting import Context, Storage
from crm_ticketing.bootstrap import build as build_ticketing

from crm_console.home import Home

_BUILD: Final = {
    "contacts": build_contacts,
    "pipeline": build_pipeline,
    "ticketing": build_ticketing,
    "campaigns": build_campaigns,
}


@dataclass(frozen=True)
class Stores:
    """What lies open, to be closed in the end."""

    recorders: Mapping[str, EventRecorder]
    keys: SqlKeys
    contexts: Mapping[str, Context]

    def close(self) -> None:
        for recorder in self.recorders.values():
            recorder.close()
        self.keys.close()


def open_stores(home: Home, namespace: str, currency: str) -> Stores:
    """Open every context's store, making or upgrading its file."""
    keys = open_keys(home.keys, namespace, home.master_key)
    secret = home.secret()
    recorders = {name: open_recorder(home.store(name), namespace, name) for name in _BUILD}
    contexts = {
        name: build(Storage(recorders[name], keys, secret), currency)
        for name, build in _BUILD.items()
    }
    return Stores(recorders, keys, contexts)
