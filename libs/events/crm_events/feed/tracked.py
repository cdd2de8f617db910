"""Where reactions are: kept in their context's own store, beside what they decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5

from eventsourcing.persistence import Tracking

from crm_events.feed.port import Lane, LanePosition
from crm_events.feed.session import Reactions
from crm_events.partitions import PARTITIONS
from crm_events.store.port import Beside, DirectoryEntry, EventRecorder

_KIND: Final = "lane"


class TrackedPositions:
    """The Positions port. The library's tracking, which only rises, fences whoever comes late;
    a directory entry holds what may also fall, as an offset does when its topic is made anew."""

    def __init__(self, recorder: EventRecorder, reactions: Reactions) -> None:
        self._recorder = recorder
        self._reactions = reactions

    def load(self, lanes: Sequence[Lane]) -> Mapping[Lane, LanePosition]:
        return {
            lane: self._fenced(lane, position) for lane, position in self._entries(lanes).items()
        }

    def _fenced(self, lane: Lane, position: LanePosition) -> LanePosition:
        tracked = self._recorder.max_tracking_id(self._reactions.tracking_name(lane)) or 0
        if tracked <= position.sequence:
            return position
        return replace(position, sequence=tracked, event_id=None)

    def complete_to(self, context: str) -> int:
        """The sequence of a context up to which every reaction has been saved."""
        lanes = [Lane(context, partition) for partition in range(PARTITIONS)]
        return min(position.complete_to for position in self._entries(lanes).values())

    def _entries(self, lanes: Sequence[Lane]) -> dict[Lane, LanePosition]:
        ids = {lane: self._id(lane) for lane in lanes}
        entries = self._recorder.directory(_KIND, ids.values())
        return {lane: _position(entries.get(id)) for lane, id in ids.items()}

    def saved(
        self, before: Mapping[Lane, LanePosition], after: Mapping[Lane, LanePosition]
    ) -> Beside:
        """What to save so that these lanes are where they are after, and nobody else was first."""
        tracking: list[Tracking] = []
        for lane, position in after.items():
            name = self._reactions.tracking_name(lane)
            if position.sequence > before[lane].sequence:
                tracking.append(Tracking(name, position.sequence))
            if position.complete_to > before[lane].complete_to:
                tracking.append(Tracking(f"{name}:complete", position.complete_to))
        directory = tuple(
            DirectoryEntry(_KIND, self._id(lane), None, _data(position))
            for lane, position in after.items()
        )
        return Beside(tracking=tuple(tracking), directory=directory)

    def _id(self, lane: Lane) -> UUID:
        return uuid5(NAMESPACE_URL, self._reactions.tracking_name(lane))


def _data(position: LanePosition) -> dict[str, Any]:
    return {
        "sequence": position.sequence,
        "event_id": None if position.event_id is None else str(position.event_id),
        "offset": position.offset,
        "complete_to": position.complete_to,
    }


def _position(entry: DirectoryEntry | None) -> LanePosition:
    if entry is None:
        return LanePosition()
    data = entry.data
    event_id = None if data["event_id"] is None else UUID(data["event_id"])
    return LanePosition(data["sequence"], event_id, data["offset"], data["complete_to"])
