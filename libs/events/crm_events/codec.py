"""Events to and from their stored bytes: JSON in which personal values are sealed for their subject.

A sealed value is the text `~1.<subject>.<base64url(nonce + ciphertext)>`. It is AES-256-GCM under
the subject's key, bound to context, aggregate, version and field, so that it cannot be moved.
"""

from __future__ import annotations

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from crm_events.catalogue import context_of, event_class
from crm_events.event import SELF, Event, PersonalField, personal_fields
from crm_events.keys.port import Erased, SubjectKeys
from crm_events.upcasting import UPCASTS, upcast

_SEAL: Final = "~1."
_NONCE_BYTES: Final = 12


class UndecodableEvent(Exception):
    """Stored bytes of a known type that cannot be read; such an event is parked, never skipped."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Where an event lies: what its sealed values are bound to."""

    type: str
    aggregate_id: UUID
    version: int

    def bound_to(self, field: str) -> bytes:
        return f"{context_of(self.type)}|{self.aggregate_id}|{self.version}|{field}".encode()


@lru_cache(maxsize=10_000)
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(key)


def _seal(key: bytes, subject: UUID, text: str, bound_to: bytes) -> str:
    nonce = os.urandom(_NONCE_BYTES)
    sealed = nonce + _cipher(key).encrypt(nonce, text.encode(), bound_to)
    return f"{_SEAL}{subject.hex}.{urlsafe_b64encode(sealed).decode()}"


def _open(key: bytes, token: str, bound_to: bytes) -> str:
    sealed = urlsafe_b64decode(token.rsplit(".", 1)[1])
    opened = _cipher(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound_to)
    return opened.decode()


def _subject_in_token(token: str) -> UUID:
    return UUID(token.split(".", 2)[1])


def _subject_of(event: Event, field: PersonalField, aggregate_id: UUID) -> UUID:
    """The named subject, or the aggregate itself where the event names none."""
    named = None if field.subject == SELF else getattr(event, field.subject)
    return named or aggregate_id


class Codec:
    """Encodes and decodes events of every type. Thread-safe; keys are fetched in batches."""

    def __init__(self, keys: SubjectKeys) -> None:
        self._keys = keys

    def encode(self, event: Event, slot: Slot) -> bytes:
        """Stored bytes of one event. Raises SubjectErased and KeysUnavailable."""
        return self.encode_all([(event, slot)])[0]

    def encode_all(self, events: Sequence[tuple[Event, Slot]]) -> list[bytes]:
        """Stored bytes of many events, with one request for all their keys."""
        subjects = {
            _subject_of(event, field, slot.aggregate_id)
            for event, slot in events
            for field in personal_fields(type(event))
            if getattr(event, field.name) is not None
        }
        keys = self._keys.ensure(subjects) if subjects else {}
        return [self._encode(event, slot, keys) for event, slot in events]

    def _encode(self, event: Event, slot: Slot, keys: Mapping[UUID, bytes]) -> bytes:
        fields = personal_fields(type(event))
        if not fields:
            return event.__pydantic_serializer__.to_json(event, exclude_none=True)
        raw = event.__pydantic_serializer__.to_python(event, mode="json", exclude_none=True)
        for field in fields:
            if field.name in raw:
                subject = _subject_of(event, field, slot.aggregate_id)
                raw[field.name] = _seal(
                    keys[subject], subject, raw[field.name], slot.bound_to(field.name)
                )
        return orjson.dumps(raw)

    def decode(self, data: bytes, slot: Slot) -> Event:
        """One event in its newest shape. Raises UnknownEventType, UndecodableEvent, KeysUnavailable."""
        if slot.type in UPCASTS:
            return self._decode_sealed(data, slot)
        event_type = event_class(slot.type)
        if personal_fields(event_type):
            return self._decode_sealed(data, slot)
        try:
            return event_type.__pydantic_validator__.validate_json(data, extra="ignore")
        except ValueError as error:
            raise UndecodableEvent(str(error)) from error

    def _decode_sealed(self, data: bytes, slot: Slot) -> Event:
        try:
            raw: dict[str, Any] = orjson.loads(data)
            name, raw = upcast(slot.type, raw)
            event_type = event_class(name)
            self._unseal(raw, personal_fields(event_type), slot)
            return event_type.__pydantic_validator__.validate_python(raw, extra="ignore")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UndecodableEvent(f"{type(error).__name__}: {error}") from error

    def _unseal(self, raw: dict[str, Any], fields: Iterable[PersonalField], slot: Slot) -> None:
        sealed = {field.name: raw.get(field.name) for field in fields}
        subjects = {_subject_in_token(token) for token in sealed.values() if token is not None}
        keys = self._keys.find(subjects) if subjects else {}
        for name, token in sealed.items():
            raw[name] = None if token is None else self._unsealed(token, keys, slot, name)

    def _unsealed(
        self, token: str, keys: Mapping[UUID, bytes | Erased], slot: Slot, field: str
    ) -> str | None:
        subject = _subject_in_token(token)
        key = keys.get(subject)
        if key is None:
            raise UndecodableEvent(f"no key was ever stored for subject {subject}")
        if isinstance(key, Erased):
            return None
        try:
            return _open(key, token, slot.bound_to(field))
        except Exception as error:  # InvalidTag has no common parent with the rest
            raise UndecodableEvent(f"field {field!r} fails its seal") from error
