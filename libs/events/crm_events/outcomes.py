"""How commands end: done, with a position to wait for, or refused because of what came before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from uuid import UUID

from crm_events.domain import DomainError


@dataclass(frozen=True, slots=True)
class Position:
    """Where a command's last event lies; a query that is given it waits for it."""

    context: str
    partition: int
    sequence: int

    def __str__(self) -> str:
        return f"{self.context}/{self.partition}/{self.sequence}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A command that was done: what it concerns and where its events lie."""

    id: UUID
    version: int
    position: Position
    result: Mapping[str, Any] = field(default_factory=dict)
    repeated: bool = False


class NotFound(DomainError):
    """No aggregate of that kind has this id."""

    slug: ClassVar[str] = "not-found"

    def __init__(self, kind: str, id: UUID) -> None:
        super().__init__(f"There is no {kind} {id}.")


class StaleVersion(DomainError):
    """If-Match named a version that is no longer the current one."""

    slug: ClassVar[str] = "stale-version"

    def __init__(self, current: int) -> None:
        super().__init__(f"The version is {current} now; read it again and repeat the change.")
        self.current_version = current


class LostRace(DomainError):
    """Another command changed the same thing at the same moment."""

    slug: ClassVar[str] = "lost-race"

    def __init__(self, current: int) -> None:
        super().__init__(f"It was changed at the same moment, to version {current}; send it again.")
        self.current_version = current


class KeyReused(DomainError):
    """An Idempotency-Key came again with another request."""

    slug: ClassVar[str] = "idempotency-key-reused"

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for another request; send a new key.")
