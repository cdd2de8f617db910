"""How far a view is in each lane, moved by compare-and-set in the transaction that moves it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from crm_events.feed.port import Lane, LanePosition
from sqlalchemy import Connection, bindparam, select, update

from crm_projections.engine.database import insert_new
from crm_projections.engine.digest import from_text, to_text
from crm_projections.engine.tables import GENERATIONS, POSITIONS


@dataclass(frozen=True, slots=True)
class Generation:
    """One set of a view's tables and positions."""

    view: str
    number: int

    @property
    def suffix(self) -> str:
        return f"__g{self.number}"


@dataclass(frozen=True, slots=True)
class LaneState:
    """A position row. `revision` rises with every change of it by anybody; `digest` and the three
    counts cover every event up to `sequence`."""

    sequence: int = 0
    event_id: UUID | None = None
    offset: int | None = None
    complete_to: int = 0
    digest: int = 0
    applied: int = 0
    parked: int = 0
    skipped: int = 0
    revision: int = 0
    moved_at: int = 0

    @property
    def position(self) -> LanePosition:
        return LanePosition(self.sequence, self.event_id, self.offset, self.complete_to)

    @property
    def seen(self) -> int:
        return self.applied + self.parked + self.skipped


@dataclass(frozen=True, slots=True)
class Step:
    """One lane's move, from the row as it was read to the row as it will be."""

    lane: Lane
    before: LaneState
    after: LaneState


class Fenced(Exception):
    """Somebody else moved this lane: what was made of it is dropped, and its row read again."""


def load_states(connection: Connection, generation: Generation) -> dict[Lane, LaneState]:
    """The rows of a generation; a lane that was never taken from has none."""
    rows = connection.execute(_STATES, {"name": generation.view, "number": generation.number})
    return {
        Lane(context, partition): LaneState(sequence, id, offset, upto, from_text(digest), *rest)
        for context, partition, sequence, id, offset, upto, digest, *rest in rows
    }


def check_current(connection: Connection, generation: Generation, *, lock: bool = False) -> None:
    """Raises Fenced where the generation has been replaced: rows read or made now would escape its
    fence. With `lock` it is not replaced before the transaction ends."""
    status = select(GENERATIONS.c.status).where(
        GENERATIONS.c.view == generation.view, GENERATIONS.c.generation == generation.number
    )
    status = status.with_for_update(read=True) if lock else status
    if connection.execute(status).scalar_one_or_none() in (None, "retired"):
        raise Fenced(f"generation {generation.number} was replaced")


def ensure_lanes(connection: Connection, generation: Generation, lanes: Iterable[Lane]) -> None:
    """A row for every lane, so that a position can be moved by comparison. Raises Fenced."""
    check_current(connection, generation, lock=True)
    insert_new(connection, POSITIONS, [_key(generation, lane) for lane in sorted(lanes)])


def advance(connection: Connection, generation: Generation, steps: Sequence[Step]) -> None:
    """Move all these lanes, or raise Fenced; the caller's transaction then leaves no trace."""
    if not steps:
        return
    ordered = sorted(steps, key=lambda step: step.lane)  # two runners never wait crosswise
    rows = [_change(generation, step) for step in ordered]
    if connection.execute(_ADVANCE, rows).rowcount != len(rows):
        raise Fenced(", ".join(f"{step.lane.context}/{step.lane.partition}" for step in ordered))


def recount(
    connection: Connection, generation: Generation, lane: Lane, changes: Mapping[str, int]
) -> None:
    """Add to a lane's counts, whoever moves it; whoever had read it before is fenced by this."""
    columns = {name: POSITIONS.c[name] + change for name, change in changes.items()}
    connection.execute(
        update(POSITIONS)
        .where(*_is_lane(generation, lane))
        .values(revision=POSITIONS.c.revision + 1, **columns)
    )


def fence(connection: Connection, generation: Generation) -> None:
    """Whoever moves a lane of this generation now has to read its positions again."""
    connection.execute(
        update(POSITIONS)
        .where(POSITIONS.c.view == generation.view, POSITIONS.c.generation == generation.number)
        .values(revision=POSITIONS.c.revision + 1)
    )


def complete_to(states: Mapping[Lane, LaneState], lanes: Iterable[Lane]) -> dict[str, int]:
    """For each context the sequence up to which every one of its lanes has been taken."""
    complete: dict[str, int] = {}
    for lane in lanes:
        state = states.get(lane)
        reached = state.complete_to if state is not None else 0
        complete[lane.context] = min(reached, complete.get(lane.context, reached))
    return complete


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a view has come: complete in each context, with so many events left aside, and
    whether beyond that some were taken already."""

    position: Mapping[str, int]
    parked: int
    moving: bool


def progress_of(states: Mapping[Lane, LaneState], lanes: Iterable[Lane]) -> Progress:
    """Of a view with these lanes."""
    position = complete_to(states, lanes)
    return Progress(
        position,
        parked=sum(state.parked for state in states.values()),
        moving=any(s.sequence > position[lane.context] for lane, s in states.items()),
    )


def _is_lane(generation: Generation, lane: Lane) -> tuple[Any, ...]:
    key = _key(generation, lane)
    return tuple(POSITIONS.c[name] == value for name, value in key.items())


def _key(generation: Generation, lane: Lane) -> dict[str, Any]:
    return {
        "view": generation.view,
        "generation": generation.number,
        "context": lane.context,
        "partition": lane.partition,
    }


def _change(generation: Generation, step: Step) -> dict[str, Any]:
    after = step.after
    return {
        **{f"is_{name}": value for name, value in _key(generation, step.lane).items()},
        "is_revision": step.before.revision,
        "revision": after.revision,
        "sequence": after.sequence,
        "event_id": after.event_id,
        "next_offset": after.offset,
        "complete_to": after.complete_to,
        "digest": to_text(after.digest),
        "applied": after.applied,
        "parked": after.parked,
        "skipped": after.skipped,
        "moved_at": after.moved_at,
    }


_STATES: Final = select(
    *(POSITIONS.c[name] for name in ("context", "partition")),
    *(POSITIONS.c[name] for name in ("sequence", "event_id", "next_offset", "complete_to")),
    *(POSITIONS.c[name] for name in ("digest", "applied", "parked", "skipped")),
    *(POSITIONS.c[name] for name in ("revision", "moved_at")),
).where(POSITIONS.c.view == bindparam("name"), POSITIONS.c.generation == bindparam("number"))
"""The columns stand in the order of LaneState's fields, behind those of the lane."""
_COMPARED: Final = ("view", "generation", "context", "partition", "revision")
_MOVED: Final = (
    "revision", "sequence", "event_id", "next_offset", "complete_to", "digest", "applied",
    "parked", "skipped", "moved_at",
)  # fmt: skip
_ADVANCE: Final = (
    update(POSITIONS)
    .where(*(POSITIONS.c[name] == bindparam(f"is_{name}") for name in _COMPARED))
    .values({name: bindparam(name) for name in _MOVED})
)
