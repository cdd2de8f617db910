"""One piece of long work: what was asked, how far it is, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

Kind = Literal["rebuild", "verify", "replay"]
Status = Literal["waiting", "running", "done", "failed", "cancelled"]
ENDED: Final = ("done", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class Asked:
    """Which view, what is to be done with it, by whom; `options` are those of the kind."""

    kind: Kind
    view: str
    definition_version: int
    options: Mapping[str, Any]
    by: str

    @property
    def anew(self) -> bool:
        """Whether nothing is to be gone on with that an earlier attempt had begun."""
        return bool(self.options.get("anew"))


@dataclass(frozen=True, slots=True)
class Job:
    """`events` of about `total` have been read. Instants are in microseconds. `result` is there
    where it is done, `reason` where it failed."""

    id: UUID
    asked: Asked
    status: Status
    asked_at: int
    begun_at: int | None
    ended_at: int | None
    cancelled: bool
    events: int
    total: int | None
    result: Any
    reason: str | None
    continued: int | None = None
    """Of the events, how many an attempt before this one had taken, where it goes on with them."""
    note: str | None = None
    """What whoever asked is to know of how it was begun."""
    joined: bool = False
    """Whether it had been asked for before, and is answered to another who wants the same."""
    ahead: int = 0
    """How many others are before it, waiting or running."""


@dataclass(slots=True)
class Progress:
    """What the work last said of itself."""

    events: int = 0
    continued: int | None = None
    note: str | None = None


class NoSuchJob(Exception):
    """Nobody asked for this, or it has been long forgotten."""

    def __init__(self, id: UUID) -> None:
        super().__init__(f"There is no job {id}.")
