"""Where reactions are: kept in their context's own store, beside what they decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5

from eventsourcing.persistence import Tracking

from crm_events.feed.port import Lane, LanePosition
from crm_events.feed.session import Reactions
from crm_events.partitions import PARTITIONS
from crm_events.store.port import Beside, DirectoryEntry, EventRecorder

_KIND: Final = "lane"


@dataclass(frozen=True, slots=True)
class Tracked:
    """A lane's position, and how often it has been moved."""

    position: LanePosition
    revision: int


class TrackedPositions:
    """The Positions port, and the compare-and-set that moves them.

    A position is a directory entry. The library's tracking guards it, which only rises: it counts
    the moves, because a batch that reaches further may still begin with what somebody else took.
    """

    def __init__(self, recorder: EventRecorder, reactions: Reactions) -> None:
        self._recorder = recorder
        self._reactions = reactions

    def load(self, lanes: Sequence[Lane]) -> Mapping[Lane, LanePosition]:
        return {lane: tracked.position for lane, tracked in self.tracked(lanes).items()}

    def tracked(self, lanes: Sequence[Lane]) -> Mapping[Lane, Tracked]:
        """What `moved` has to be told."""
        ids = {lane: self._id(lane) for lane in lanes}
        entries = self._recorder.directory(_KIND, ids.values())
        return {lane: _tracked(entries.get(id)) for lane, id in ids.items()}

    def complete_to(self, context: str) -> int:
        """The sequence of a context up to which every reaction has been saved."""
        lanes = [Lane(context, partition) for partition in range(PARTITIONS)]
        return min(position.complete_to for position in self.load(lanes).values())

    def moved(self, after: Mapping[Lane, Tracked]) -> Beside:
        """What to save so that these lanes are there: refused with AlreadyTracked where one is no
        longer at the revision before."""
        tracking = tuple(
            Tracking(self._reactions.tracking_name(lane), tracked.revision)
            for lane, tracked in after.items()
        )
        directory = tuple(
            DirectoryEntry(_KIND, self._id(lane), None, _data(tracked))
            for lane, tracked in after.items()
        )
        return Beside(tracking=tracking, directory=directory)

    def _id(self, lane: Lane) -> UUID:
        return uuid5(NAMESPACE_URL, self._reactions.tracking_name(lane))


def _data(tracked: Tracked) -> dict[str, Any]:
    position = tracked.position
    return {
        "sequence": position.sequence,
        "event_id": None if position.event_id is None else str(position.event_id),
        "offset": position.offset,
        "complete_to": position.complete_to,
        "revision": tracked.revision,
    }


def _tracked(entry: DirectoryEntry | None) -> Tracked:
    if entry is None:
        return Tracked(LanePosition(), 0)
    data = entry.data
    event_id = None if data["event_id"] is None else UUID(data["event_id"])
    position = LanePosition(data["sequence"], event_id, data["offset"], data["complete_to"])
    return Tracked(position, data["revision"])
