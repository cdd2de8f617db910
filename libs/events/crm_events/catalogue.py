"""Every event class by its permanent name, and the contexts in the order that breaks ties."""

from __future__ import annotations

from functools import lru_cache
from types import ModuleType
from typing import Final

from crm_events.contracts import campaigns, contacts, pipeline, ticketing
from crm_events.event import Event

CONTEXTS: Final = ("contacts", "pipeline", "ticketing", "campaigns")
_MODULES: Final = {
    "contacts": contacts,
    "pipeline": pipeline,
    "ticketing": ticketing,
    "campaigns": campaigns,
}


class UnknownEventType(Exception):
    """A type or version this program does not know: it is older than the producer and must stop."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Event type {name!r} is unknown here; upgrade this service before it reads on."
        )
        self.name = name


def _events_of(module: ModuleType) -> dict[str, type[Event]]:
    return {
        value.TYPE: value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Event) and "TYPE" in vars(value)
    }


CATALOGUE: Final[dict[str, type[Event]]] = {
    name: event for module in _MODULES.values() for name, event in _events_of(module).items()
}


@lru_cache(maxsize=4_096)
def context_of(name: str) -> str:
    """`crm.pipeline.DealWon.v1` belongs to `pipeline`."""
    return name.split(".", 2)[1]


def events_topic(namespace: str, context: str) -> str:
    return f"{namespace}.{context}.events"


def marks_topic(namespace: str, context: str) -> str:
    return f"{namespace}.{context}.marks"
