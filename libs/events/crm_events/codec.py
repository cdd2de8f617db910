"""Events to and from their stored bytes: JSON, personal values sealed for their subject."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple
from uuid import UUID

import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from crm_events.catalogue import CATALOGUE, UnknownEventType, context_of
from crm_events.event import SELF, Event, personal_fields, personal_fields_by_subject
from crm_events.keys.ahead import NewSubjects
from crm_events.keys.port import Erased, SubjectKeys
from crm_events.sealing import BrokenSeal, nonces, opened, sealer, subject_of, subjects_in
from crm_events.shapes import Catalogue, Shape, shapes
from crm_events.upcasting import UPCASTS, Raw, Upcasts

_SHAPES: Final = shapes(CATALOGUE, UPCASTS)


class UndecodableEvent(Exception):
    """Stored bytes of a known type that cannot be read; such an event is parked, never skipped.

    The message names fields and never holds a value.
    """


class Slot(NamedTuple):
    """Where an event lies: what its sealed values are bound to."""

    type: str
    aggregate_id: UUID
    version: int

    def bound_to(self, field: str) -> bytes:
        return f"{self.binding()}{field}".encode()

    def binding(self) -> str:
        """What all values of one event are bound to; the field's name follows."""
        return f"{context_of(self.type)}|{self.aggregate_id}|{self.version}|"


_Whose = Mapping[UUID, Sequence[str]]


def _said(event: Event, aggregate_id: UUID) -> _Whose:
    """The personal fields that hold something, by whose they are: the named subject's, or the
    aggregate's own where the event names none."""
    said = dict[UUID, list[str]]()
    for field, names in personal_fields_by_subject(type(event)):
        if held := [name for name in names if getattr(event, name) is not None]:
            subject = None if field == SELF else getattr(event, field)
            said.setdefault(subject or aggregate_id, []).extend(held)
    return said


class Codec:
    """Encodes and decodes events of every type. Thread-safe.

    Raises ValueError when `upcasts` do not lead to classes of the `catalogue`.
    """

    def __init__(
        self, keys: SubjectKeys, catalogue: Catalogue = CATALOGUE, upcasts: Upcasts = UPCASTS
    ) -> None:
        self._keys = keys
        self._new_subjects = NewSubjects(keys)
        given = catalogue is CATALOGUE and upcasts is UPCASTS
        self._shapes = _SHAPES if given else shapes(catalogue, upcasts)

    def new_subject(self) -> UUID:
        """An id for somebody new, for whom sealing is cheap. Raises KeysUnavailable."""
        return self._new_subjects.one()

    def encode(self, event: Event, slot: Slot) -> bytes:
        """Stored bytes of one event. Raises SubjectErased and KeysUnavailable."""
        return self.encode_all([(event, slot)])[0]

    def encode_all(self, events: Sequence[tuple[Event, Slot]]) -> list[bytes]:
        """Stored bytes of many events, with one request for all their keys."""
        said = [_said(event, slot.aggregate_id) for event, slot in events]
        subjects = {subject for whose in said for subject in whose}
        ciphers = self._keys.ciphers(subjects) if subjects else {}
        return [
            _encoded(event, slot, whose, ciphers)
            for (event, slot), whose in zip(events, said, strict=True)
        ]

    def prepare(self, data: Iterable[bytes]) -> None:
        """Ask once for the keys of many stored events that are about to be decoded.

        It saves a request for each event where `keys` remember what they found. Raises
        KeysUnavailable.
        """
        if subjects := subjects_in(data):
            self._keys.find(subjects)

    def opens_every(self, subjects: frozenset[UUID]) -> bool:
        """Whether values of all of them can be read, as far as is known here; see
        `SubjectKeys.find`. Raises KeysUnavailable."""
        found = self._keys.find(subjects)
        return all(isinstance(found.get(subject), bytes) for subject in subjects)

    def opens(self, subject: UUID) -> bool:
        """Whether there is a key for this subject's values. Raises KeysUnavailable."""
        return bool(self._keys.alive([subject]))

    def decode(self, data: bytes, slot: Slot) -> Event:
        """One event in its newest shape.

        Raises UnknownEventType, UndecodableEvent and KeysUnavailable.
        """
        plain = self.decode_plain(slot.type, data)
        if plain is not None:
            return plain
        shape = self._shapes[slot.type]
        raw = self._opened(_loaded(data), shape, slot)
        return _read(shape.newest, _lifted(raw, shape))

    def decode_plain(self, type: str, data: bytes) -> Event | None:
        """As `decode`, wherever the event lies; None where something is to be opened or lifted.

        Raises UnknownEventType and UndecodableEvent.
        """
        shape = self._shapes.get(type)
        if shape is None:
            raise UnknownEventType(type)
        return _read_plain(shape.newest, data) if shape.plain(data) else None

    def _opened(self, raw: Raw, shape: Shape, slot: Slot) -> Raw:
        """The raw data with personal values in plain text, None where a subject is erased."""
        subjects: dict[str, UUID] = {}
        for name in shape.personal:
            token = raw.get(name)
            if token is None:
                raw[name] = None
            else:
                subjects[name] = _subject_in(token, name)
        if subjects:
            self._open(raw, subjects, slot)
        return raw

    def _open(self, raw: Raw, subjects: Mapping[str, UUID], slot: Slot) -> None:
        keys = self._keys.find(set(subjects.values()))
        binding = slot.binding()
        ciphers: dict[UUID, AESGCM | None] = {}
        for name, subject in subjects.items():
            if subject not in ciphers:
                ciphers[subject] = _cipher(keys, subject)
            cipher = ciphers[subject]
            raw[name] = cipher and _text(cipher, raw[name], binding, name)


def _cipher(keys: Mapping[UUID, bytes | Erased], subject: UUID) -> AESGCM | None:
    """None where the subject is erased."""
    key = keys.get(subject)
    if key is None:
        raise UndecodableEvent(f"no key was ever stored for subject {subject}")
    return None if isinstance(key, Erased) else AESGCM(key)


def _encoded(event: Event, slot: Slot, whose: _Whose, ciphers: Mapping[UUID, AESGCM]) -> bytes:
    if not whose:
        return event.__pydantic_serializer__.to_json(event, exclude_none=True)
    raw = event.__pydantic_serializer__.to_python(event, mode="json", exclude_none=True)
    binding, unused = slot.binding(), iter(nonces(sum(map(len, whose.values()))))
    for subject, names in whose.items():
        sealed = sealer(ciphers[subject], subject)
        for name in names:
            raw[name] = sealed(raw[name], f"{binding}{name}".encode(), next(unused))
    return orjson.dumps(raw)


def _loaded(data: bytes) -> Raw:
    try:
        raw = orjson.loads(data)
    except ValueError as error:
        raise UndecodableEvent(f"the data is not JSON: {error}") from error
    if not isinstance(raw, dict):
        raise UndecodableEvent("the data is not a JSON object")
    return raw


def _subject_in(token: object, field: str) -> UUID:
    try:
        return subject_of(token)
    except BrokenSeal as error:
        raise UndecodableEvent(f"field {field!r}: {error}") from None


def _text(cipher: AESGCM, token: str, binding: str, field: str) -> str:
    try:
        return opened(cipher, token, f"{binding}{field}".encode())
    except BrokenSeal as error:
        raise UndecodableEvent(f"field {field!r}: {error}") from None


def _lifted(raw: Raw, shape: Shape) -> Raw:
    for lift in shape.lifts:
        try:
            raw = lift.change(raw)
        except Exception as error:  # what an upcast makes of data nobody foresaw, it may raise
            raise UndecodableEvent(f"lifting to {lift.to}: {type(error).__name__}") from error
    if shape.lifts:
        absent = {field.name: None for field in personal_fields(shape.newest)}
        raw = absent | raw
    return raw


def _read(event_type: type[Event], raw: Raw) -> Event:
    try:
        event: Event = event_type.__pydantic_validator__.validate_python(raw, extra="ignore")
        return event
    except ValueError as error:
        raise UndecodableEvent(str(error)) from error


def _read_plain(event_type: type[Event], data: bytes) -> Event:
    try:
        event: Event = event_type.__pydantic_validator__.validate_json(data, extra="ignore")
        return event
    except ValueError as error:
        raise UndecodableEvent(str(error)) from error
