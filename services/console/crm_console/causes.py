"""The tree of causes of one event, joined over the contexts: up to its command, down to all that
came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from crm_console.transport import ServerSaid, Transport

CONTEXTS: Final = ("contacts", "pipeline", "ticketing", "campaigns")
MOST_EVENTS: Final = 1_000
_AT_ONCE: Final = 100
_PAGE: Final = 1_000
_NOT_FOUND: Final = 404
Event = Mapping[str, Any]


class NoSuchEvent(Exception):
    """No context has an event of that id."""

    def __init__(self, id: str) -> None:
        super().__init__(
            f"No context has an event {id}; crm history TYPE ID -o json tells the ids of events."
        )


@dataclass(slots=True)
class Node:
    """An event and what it caused, in the order in which it was recorded."""

    event: Event
    caused: list[Node] = field(default_factory=list)

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Event]]:
        """Every event below, with its depth, each before what it caused."""
        yield depth, self.event
        for node in self.caused:
            yield from node.walk(depth + 1)


@dataclass(frozen=True, slots=True)
class Tree:
    """What one command did and all that came of it. `whole` is False where it was cut off."""

    asked: str
    roots: Sequence[Node]
    whole: bool

    @property
    def command(self) -> Event:
        """The first event of the command tells what there is to tell of it."""
        return self.roots[0].event

    def walk(self) -> Iterator[tuple[int, Event]]:
        for root in self.roots:
            yield from root.walk()


def tree_of(transport: Transport, id: str, most: int = MOST_EVENTS) -> Tree:
    """The tree that an event belongs to, with at most about so many events.

    Raises NoSuchEvent.
    """
    asked = _event(transport, id)
    if asked is None:
        raise NoSuchEvent(id)
    root = asked
    while root["causation_id"] and (cause := _event(transport, root["causation_id"], root)):
        root = cause
    roots = [Node(event) for event in _of_command(transport, root)]
    return Tree(id, roots, _grow(transport, root["correlation_id"], roots, most))


def _event(transport: Transport, id: str, near: Event | None = None) -> Event | None:
    """Causes lie in the same context more often than in another, so that one is asked first."""
    first = [near["context"]] if near else []
    for context in dict.fromkeys((*first, *CONTEXTS)):
        try:
            found: Event = transport.send("GET", f"/v1/{context}/events/{id}")
        except ServerSaid as said:
            if said.status != _NOT_FOUND:
                raise
        else:
            return found
    return None


def _of_command(transport: Transport, root: Event) -> list[Event]:
    narrowed = {"command": root["command_id"]}
    found = _correlated(transport, root["context"], root["correlation_id"], narrowed)
    return [event for event in found if event["causation_id"] == root["causation_id"]]


def _grow(transport: Transport, correlation: str, roots: list[Node], most: int) -> bool:
    level, count = roots, len(roots)
    while level:
        if count > most:
            return False
        caused = list(_caused(transport, correlation, level))
        nodes = {node.event["id"]: node for node in level}
        for node in caused:
            nodes[node.event["causation_id"]].caused.append(node)
        level, count = caused, count + len(caused)
    return True


def _caused(transport: Transport, correlation: str, level: Sequence[Node]) -> Iterator[Node]:
    ids = [node.event["id"] for node in level]
    for start in range(0, len(ids), _AT_ONCE):
        narrowed = {"caused_by": ids[start : start + _AT_ONCE]}
        for context in CONTEXTS:
            for event in _correlated(transport, context, correlation, narrowed):
                yield Node(event)


def _correlated(
    transport: Transport, context: str, correlation: str, narrowed: Mapping[str, Any]
) -> Iterator[Event]:
    after: int | None = 0
    while after is not None:
        asked = {**narrowed, "after": after, "limit": _PAGE}
        page = transport.send("GET", f"/v1/{context}/correlations/{correlation}", query=asked)
        yield from page["events"]
        after = page["next"]
