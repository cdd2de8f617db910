"""What stored events hold of one subject, told from their bytes: no key is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import orjson

from crm_events.catalogue import CATALOGUE
from crm_events.envelope import Envelope
from crm_events.event import SELF, personal_fields
from crm_events.sealing import BrokenSeal, subject_of
from crm_events.shapes import Shape, shapes
from crm_events.upcasting import UPCASTS

_SHAPES: Final = shapes(CATALOGUE, UPCASTS)
_MODULUS: Final = 1 << 128


@dataclass(frozen=True, slots=True)
class Held:
    """The personal fields of one event: `sealed` by subject, and `plain` ones that its version of
    long ago was stored with, which no erasure reaches."""

    envelope: Envelope
    sealed: Mapping[UUID, tuple[str, ...]]
    plain: Mapping[UUID, tuple[str, ...]]

    @property
    def subjects(self) -> set[UUID]:
        return {*self.sealed, *self.plain}


def held(envelope: Envelope) -> Held:
    """Of an event that cannot be read or is of an unknown type, nothing is known."""
    shape = _SHAPES.get(envelope.type)
    raw = _raw(envelope.data)
    sealed: dict[UUID, tuple[str, ...]] = {}
    plain: dict[UUID, tuple[str, ...]] = {}
    for name, value in raw.items() if shape else ():
        subject = _sealed_for(value)
        if subject is not None:
            sealed[subject] = (*sealed.get(subject, ()), name)
        elif isinstance(value, str) and shape and (of := _subject(shape, name, raw, envelope)):
            plain[of] = (*plain.get(of, ()), name)
    return Held(envelope, sealed, plain)


def _raw(data: bytes) -> dict[str, Any]:
    try:
        raw = orjson.loads(data)
    except ValueError:
        return {}
    return raw if isinstance(raw, dict) else {}


def _sealed_for(value: object) -> UUID | None:
    try:
        return subject_of(value)
    except BrokenSeal:
        return None


def _subject(shape: Shape, name: str, raw: dict[str, Any], envelope: Envelope) -> UUID | None:
    """Whose a value in plain text is, where the newest shape of the event would seal it."""
    marks = {field.name: field.subject for field in personal_fields(shape.newest)}
    if name not in marks:
        return None
    named = None if marks[name] == SELF else raw.get(marks[name])
    return UUID(named) if isinstance(named, str) else envelope.aggregate_id


def bytes_digest(envelopes: Iterable[Envelope]) -> str:
    """What shows that nothing was rewritten: the sum, modulo 2**128, of the first 16 bytes of
    SHA-256 over each event's id (16 bytes) and stored data, as 32 hexadecimal digits."""
    total = 0
    for envelope in envelopes:
        hashed = sha256(envelope.id.bytes + envelope.data).digest()
        total += int.from_bytes(hashed[:16])
    return f"{total % _MODULUS:032x}"
