"""The port between a log and whoever follows it; one consumer code runs over both adapters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol
from uuid import UUID

from crm_events.envelope import Envelope
from crm_events.store.port import Mark


class Lane(NamedTuple):
    """One partition of one context's log: the unit of order, position and ownership."""

    context: str
    partition: int


@dataclass(frozen=True, slots=True)
class LanePosition:
    """How far a consumer is in a lane.

    `sequence` and `event_id` are of the last event taken (0 and None before the first); `offset` is
    the next Kafka offset to read (None where the log is read from a store); `complete_to` is the
    sequence up to which everything of this lane has been seen.
    """

    sequence: int = 0
    event_id: UUID | None = None
    offset: int | None = None
    complete_to: int = 0


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record whose envelope cannot be read; it is parked with its bytes."""

    lane: Lane
    offset: int | None
    key: bytes | None
    headers: Sequence[tuple[str, bytes]]
    value: bytes | None
    reason: str


@dataclass(frozen=True, slots=True)
class LaneBatch:
    """What came next in one lane, in order. `complete_to` comes from watermarks.

    `offsets` are those of the envelopes, so that a batch can be taken in part; empty where the log
    is read from a store.
    """

    lane: Lane
    envelopes: Sequence[Envelope]
    next_offset: int | None
    complete_to: int
    unreadable: Sequence[Unreadable] = ()
    offsets: Sequence[int] = ()


class LogReplaced(Exception):
    """The store no longer holds the last event taken: it was restored to an earlier state.

    A view that raises this must be rebuilt.
    """


class Positions(Protocol):
    """Where a feed finds out how far its consumer is; SQL decides, never Kafka's own offsets."""

    def load(self, lanes: Sequence[Lane]) -> Mapping[Lane, LanePosition]:
        """Blocking; called in a thread."""


class Feed(Protocol):
    """An ordered, at-least-once stream of lanes. All methods are for one asyncio loop."""

    async def start(self) -> None: ...

    async def poll(self, max_events: int, timeout: float) -> Sequence[LaneBatch]:
        """The next batches of the lanes owned now, at most one for each lane, possibly none.

        Waits up to `timeout` seconds for something to come.
        """

    async def commit(self, lanes: Mapping[Lane, LanePosition]) -> None:
        """Tell the log how far the consumer is, for lag tools only; called after the SQL commit."""

    async def rewind(self, lane: Lane) -> None:
        """Read the lane again from the consumer's stored position (after a failed apply)."""

    async def marks(self) -> Mapping[str, Sequence[Mark]]:
        """Marks that came since the last call, for each context."""

    def lag(self) -> Mapping[Lane, int]:
        """How many records (Kafka) or positions (store) lie ahead, as far as known."""

    def owned(self) -> frozenset[Lane]:
        """The lanes this consumer owns and may process now."""

    async def stop(self) -> None: ...
