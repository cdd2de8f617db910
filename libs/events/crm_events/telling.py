"""One thing's history told field by field: what every event changed, from what to what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from crm_events.envelope import Envelope
from crm_events.event import Event, Withdrawal

Fields = Mapping[str, Any]
"""Values by their dotted paths, as JSON has them."""

_WHOLE: Final = ("Changed", "Amended")
"""Events that state a whole record: a field that is absent has no value from then on."""
_REPEATED: Final = "previous"
"""Said again for readers of the one event; the event before said it first."""


class Told(NamedTuple):
    """An event in its newest shape, with its envelope."""

    envelope: Envelope
    event: Event


class Change(NamedTuple):
    """One field that an event gave another value; None is no value, or an erased one."""

    field: str
    before: Any
    after: Any


class Step(NamedTuple):
    """An event of a history, and what it changed."""

    envelope: Envelope
    event: Event
    changes: Sequence[Change]


def seen(history: Iterable[Told], as_of: datetime | None, known_at: datetime | None) -> list[Told]:
    """The events of one thing that took effect by `as_of`, of those recorded by `known_at`, in the
    order of their effect; an event that a known one supersedes or withdraws is not among them."""
    known = [told for told in history if known_at is None or told.envelope.recorded_at <= known_at]
    gone: set[UUID | None] = {told.envelope.supersedes for told in known}
    undone = {version for told in known for version in _withdrawn(told.event)}
    found = [
        told
        for told in known
        if told.envelope.id not in gone
        and told.envelope.aggregate_version not in undone
        and (as_of is None or told.envelope.occurred_at <= as_of)
    ]
    return sorted(found, key=_effect)


def _withdrawn(event: Event) -> tuple[int, ...]:
    return event.versions if isinstance(event, Withdrawal) else ()


def _effect(told: Told) -> tuple[datetime, int]:
    return told.envelope.occurred_at, told.envelope.aggregate_version


def steps(history: Iterable[Told]) -> Iterator[Step]:
    """What each event changed of what those before it said."""
    record: dict[str, Any] = {}
    for told in history:
        said = _said(told.event)
        changes = [
            Change(field, record.get(field), value)
            for field, value in said.items()
            if record.get(field) != value
        ]
        record.update(said)
        yield Step(told.envelope, told.event, changes)


def record_of(history: Iterable[Told]) -> Fields:
    """Every field that has a value after these events, as the last that spoke of it said."""
    record: dict[str, Any] = {}
    for told in history:
        record.update(_said(told.event))
    return {field: value for field, value in record.items() if value is not None}


def _said(event: Event) -> Fields:
    """What an event says of its thing. Absent values are said only of whole records."""
    if isinstance(event, Withdrawal):
        return {}
    whole = type(event).__name__.endswith(_WHOLE)
    data = event.model_dump(mode="json", exclude={_REPEATED})
    personal = {name for name, value in data.items() if value is None and _was_said(event, name)}
    return {
        field: value
        for name, said in data.items()
        if whole or said is not None or name in personal
        for field, value in _flat(name, said)
    }


def _was_said(event: Event, name: str) -> bool:
    """A field that can only be None because its subject was erased."""
    return type(event).model_fields[name].is_required()


def _flat(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _flat(f"{path}.{name}", part)
    else:
        yield path, value
