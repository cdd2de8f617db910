"""How the events stored under each name are read: what is sealed, and the way to the class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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

    @property
    def plain(self) -> bool:
        """Whether the stored bytes are what the newest class reads."""
        return not self.personal and not self.lifts


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
    return Shape(context_of(name), lifts[0].personal if lifts else fields, lifts, newest)
