"""The files of a home, opened: a store for each context, and the keys."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Final

from crm_campaigns.bootstrap import build as build_campaigns
from crm_contacts.bootstrap import build as build_contacts
from crm_events.audit.keyfile import make_key
from crm_events.keys.master import MasterKeyMissing
from crm_events.keys.open import open_keys
from crm_events.keys.sql import SqlKeys
from crm_events.sql.migrating import SchemaTooNew
from crm_events.store.open import open_recorder
from crm_events.store.port import EventRecorder
from crm_pipeline.bootstrap import build as build_pipeline
from crm_service.auditing.desk import AuditDesk, AuditPlace
from crm_service.hosting import Context, Storage
from crm_service.settings import ServiceSettings
from crm_ticketing.bootstrap import build as build_ticketing
from sqlalchemy.exc import DBAPIError

from crm_console.home import Home, HomeUnusable

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


@contextmanager
def usable(home: Home) -> Iterator[None]:
    """Files that cannot be what a home holds, or that a newer version left. Raises HomeUnusable."""
    try:
        yield
    except (sqlite3.Error, DBAPIError, MasterKeyMissing, SchemaTooNew) as error:
        reason = error.orig if isinstance(error, DBAPIError) else error
        raise HomeUnusable(f"{home.path} cannot be opened: {reason}") from error


def open_stores(
    home: Home, namespace: str, currency: str, place: AuditPlace | None = None
) -> Stores:
    """Open every context's store, making or upgrading its file. Raises HomeUnusable."""
    place = place or AuditPlace(home.audit_key, namespace)
    with usable(home), ExitStack() as opening:
        secret = home.secret()
        keys = open_keys(home.keys, namespace, home.master_key)
        opening.callback(keys.close)
        recorders: dict[str, EventRecorder] = {}
        for name in _BUILD:
            recorders[name] = open_recorder(home.store(name), namespace, name)
            opening.callback(recorders[name].close)
        desks = {name: AuditDesk(name, recorders[name], place) for name in _BUILD}
        _make_key_once(place, desks.values())
        contexts = {
            name: replace(
                build(Storage(recorders[name], keys, secret), currency), audit=desks[name]
            )
            for name, build in _BUILD.items()
        }
        opening.pop_all()
    return Stores(recorders, keys, contexts)


def audit_place(home: Home, settings: ServiceSettings) -> AuditPlace:
    """What the audit is told; the key lies in the home unless the environment names another."""
    told = settings.audit_place()
    return replace(told, key_file=told.key_file or home.audit_key)


def _make_key_once(place: AuditPlace, desks: Iterable[AuditDesk]) -> None:
    """Where nothing was signed yet. A key that is lost is not made anew: what it signed would be
    checked against a stranger's."""
    key = place.key_file
    if key is not None and not key.exists() and not any(desk.log.last_signed() for desk in desks):
        make_key(key)
