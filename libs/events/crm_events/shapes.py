"""How the events stored under each name are read: what is sealed, and the way to the class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from crm_events.catalogue import context_of
from crm_events.event import Event, personal_fields
from crm_events.upcasting import Lift, Upcasts, lifts_from

Catalogue = Mapping[str, type[Event]]


@dataclass(frozen=True, slots=True)
class Shape:
    """One version of one event."""

    context: str
    personal: tuple[str, ...]
    lifts: tuple[Lift, ...]
    newest: type[Event]
    signs: tuple[bytes, ...]
    """Without any of them in its bytes, an event needs neither opening nor lifting."""

    def plain(self, data: bytes) -> bool:
        """Whether the newest class reads these stored bytes as they are."""
        for sign in self.signs:  # noqa: SIM110 (for every event that is read: half the time)
            if sign in data:
                return False
        return True


def shapes(catalogue: Catalogue, upcasts: Upcasts) -> Mapping[str, Shape]:
    """Every name that can be read. Raises ValueError for an upcast that leads nowhere."""
    return {name: _shape(name, catalogue, upcasts) for name in (*catalogue, *upcasts)}


def _shape(name: str, catalogue: Catalogue, upcasts: Upcasts) -> Shape:
    if name in catalogue and name in upcasts:
        raise ValueError(f"{name} has a class and an upcast; a class is for the newest only.")
    lifts = lifts_from(name, upcasts)
    newest = catalogue.get(lifts[-1].to if lifts else name)
    if newest is None:
        raise ValueError(f"The upcasts of {name} end in {lifts[-1].to}, which has no class.")
    fields = tuple(field.name for field in personal_fields(newest))
    if lifts:
        return Shape(context_of(name), lifts[0].personal, lifts, newest, _ALWAYS)
    return Shape(context_of(name), fields, (), newest, _signs(newest, fields))


_ALWAYS: Final = (b"",)
_ESCAPE: Final = b"\\"
"""A name may be written with escapes, though never by us."""


def _signs(newest: type[Event], personal: tuple[str, ...]) -> tuple[bytes, ...]:
    """What shows that a personal field may be there; one that has no default is always missed."""
    if any(newest.model_fields[name].is_required() for name in personal):
        return _ALWAYS
    return (*(f'"{name}"'.encode() for name in personal), _ESCAPE) if personal else ()
