"""`python -m tests.bench.untaxed serve`: contacts without sealing and without idempotency.

The very service, its routes, its log lines, its store; only that personal values are stored in
plain text, no subject has a key, and no command is remembered under its Idempotency-Key.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from crm_contacts.bootstrap import build
from crm_events.catalogue import CATALOGUE
from crm_events.codec import Codec, Slot
from crm_events.event import Event
from crm_events.ids import new_id
from crm_events.sql.names import schema_name
from crm_events.store.port import Beside
from crm_events.store.postgres import PostgresRecorder
from crm_service.distributed import Roles
from crm_service.hosting import Context, Storage
from crm_service.roles import main
from crm_service.settings import ServiceSettings
from eventsourcing.persistence import StoredEvent


class PlainCodec(Codec):
    """As the codec treats an event without personal values, whatever the event."""

    def new_subject(self) -> UUID:
        """Nobody has a key."""
        return new_id()

    def encode_all(self, events: Sequence[tuple[Event, Slot]]) -> list[bytes]:
        return [
            event.__pydantic_serializer__.to_json(event, exclude_none=True) for event, _ in events
        ]

    def prepare(self, data: Iterable[bytes]) -> None:
        """There are no keys to ask for."""

    def decode(self, data: bytes, slot: Slot) -> Event:
        event: Event = CATALOGUE[slot.type].__pydantic_validator__.validate_json(data)
        return event


class ForgetfulRecorder(PostgresRecorder):
    """Stores what is saved without the command that it answers."""

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        beside: Beside = kwargs.pop("beside")
        return super().insert_events(stored_events, beside=replace(beside, command=None), **kwargs)


class PlainStorage(Storage):
    def codec(self) -> Codec:
        return PlainCodec(self.keys)


def untaxed(storage: Storage, told: ServiceSettings) -> Context:
    assert told.postgres is not None
    schema = schema_name(told.namespace, "contacts")
    recorder = ForgetfulRecorder(told.postgres.get_secret_value(), schema)
    return build(PlainStorage(recorder, storage.keys, storage.secret), told.currency)


ROLES: Final = Roles("contacts", ServiceSettings, untaxed)

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], ROLES.table(), program="untaxed", about=__doc__ or ""))
