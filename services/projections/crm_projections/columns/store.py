"""Columns that an answering process keeps: read once, brought up to each snapshot by what is new.

A snapshot of the database is told by the positions of the view's lanes, for whoever writes facts
moves a lane in the same transaction. Facts of an event that was taken since lie behind the
sequence up to which everything had been taken before: only those are read.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final

import structlog
from crm_events.feed.port import Lane
from crm_events.feed.store import lanes_of
from sqlalchemy import Connection, select

from crm_projections.columns.agreeing import agrees
from crm_projections.columns.checkpoint import Taken, load, save
from crm_projections.columns.frame import Columns, Frame
from crm_projections.columns.layout import Layout
from crm_projections.columns.reading import ALL, be_given_time, read
from crm_projections.columns.room import quarter_of_memory
from crm_projections.engine.position import Generation, LaneState, complete_to, load_states
from crm_projections.engine.tables import GENERATIONS, LETTERS
from crm_projections.facts.instants import FOREVER

_STATES: Final = 4
WORTH_SAVING: Final = 50_000
"""Fewer rows are read as fast from their table."""
_BEFORE_ALL: Final = -1
_log = structlog.get_logger("crm.views")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a snapshot shows of a generation: how far each lane is, up to where all is taken, and
    the sequences of events that were parked and then applied, by their letter."""

    made_at: int
    lanes: Mapping[Lane, LaneState]
    complete: Mapping[str, int]
    resolved: Mapping[int, tuple[str, int]]

    def follows(self, other: Snapshot) -> bool:
        """Of two snapshots one shows all that the other does: whether this is that one."""
        mine = self.lanes
        return all(
            lane in mine and mine[lane].revision >= state.revision
            for lane, state in other.lanes.items()
        )

    def beyond(self, taken: Taken) -> bool:
        """Whether it shows all that a checkpoint was made of, and of the same generation."""
        mine = self.taken
        return self.made_at == taken.made_at and all(
            own.get(lane, -1) >= count
            for own, told in (
                (mine.revisions, taken.revisions),
                (mine.sequences, taken.sequences),
            )
            for lane, count in told.items()
        )

    @property
    def taken(self) -> Taken:
        revisions = {_name(lane): state.revision for lane, state in self.lanes.items()}
        sequences = {_name(lane): state.sequence for lane, state in self.lanes.items()}
        return Taken(self.made_at, revisions, sequences, self.complete, tuple(self.resolved))

    def same(self, other: Snapshot) -> bool:
        return self.lanes == other.lanes

    def floors(self, before: Taken) -> dict[str, int]:
        """For each context the sequence behind which facts may be new since `before`."""
        floors = dict(before.complete)
        for letter in self.resolved.keys() - set(before.resolved):
            context, sequence = self.resolved[letter]
            floors[context] = min(floors[context], sequence - 1)
        return floors


def _name(lane: Lane) -> str:
    return f"{lane.context}/{lane.partition}"


def snapshot_of(
    connection: Connection, generation: Generation, contexts: tuple[str, ...]
) -> Snapshot:
    states = load_states(connection, generation)
    of = (GENERATIONS.c.view == generation.view, GENERATIONS.c.generation == generation.number)
    letters = select(LETTERS.c.id, LETTERS.c.context, LETTERS.c.sequence).where(
        LETTERS.c.view == generation.view,
        LETTERS.c.generation == generation.number,
        LETTERS.c.status == "applied",
    )
    return Snapshot(
        made_at=connection.execute(select(GENERATIONS.c.created_at).where(*of)).scalar_one(),
        lanes=states,
        complete=complete_to(states, lanes_of(contexts)),
        resolved={
            row.id: (row.context, _BEFORE_ALL if row.sequence is None else row.sequence)
            for row in connection.execute(letters)
        },
    )


class Held:
    """One table of one generation. Thread-safe."""

    def __init__(self, layout: Layout, folder: Path | None, worth_saving: int) -> None:
        self._layout = layout
        self._folder = folder
        self._worth_saving = worth_saving
        self._frame = Frame(layout)
        self._saved = 0
        self._states: deque[tuple[Snapshot, Columns]] = deque(maxlen=_STATES)
        self._lock = Lock()

    @property
    def nbytes(self) -> int:
        return self._frame.nbytes

    def at(self, connection: Connection, snapshot: Snapshot) -> Columns:
        """The rows that this snapshot shows, which is the connection's."""
        with self._lock:
            for kept, columns in self._states:
                if kept.same(snapshot):
                    return columns
            if self._states and not snapshot.follows(self._states[-1][0]):
                return whole(connection, self._layout)  # others have gone on since it was begun
            rows = read(connection, self._layout, self._new(connection, snapshot))
            self._frame.merge(rows)
            columns = self._frame.columns()
            self._states.append((snapshot, columns))
            self._save(columns.size, snapshot)
            return columns

    def _new(self, connection: Connection, snapshot: Snapshot) -> str:
        if self._states:
            return _since(snapshot.floors(self._states[-1][0].taken))
        be_given_time(connection)
        found = load(self._folder, self._layout) if self._folder is not None else None
        if found is None or not snapshot.beyond(found[1]):
            return ALL
        frame, floors = found[0], snapshot.floors(found[1])
        if not agrees(connection, self._layout, frame, floors):
            return ALL
        self._frame, self._saved = frame, frame.columns().size
        return _since(floors)

    def _save(self, rows: int, snapshot: Snapshot) -> None:
        """Seldom enough to cost little: when an eighth has come since."""
        if self._folder is None or rows - self._saved < max(self._worth_saving, self._saved // 8):
            return
        try:
            save(self._folder, self._layout, self._frame, snapshot.taken)
        except OSError as error:
            _log.warning("columns_not_saved", table=self._layout.table.name, reason=str(error))
        self._saved = rows


def _since(floors: Mapping[str, int]) -> str:
    return " OR ".join(
        f"(context = '{context}' AND known_from > {floor}) OR "
        f"(context = '{context}' AND known_to > {floor} AND known_to < {FOREVER})"
        for context, floor in floors.items()
    )


def whole(connection: Connection, layout: Layout) -> Columns:
    """The rows as the connection shows them, kept by nobody."""
    frame = Frame(layout)
    be_given_time(connection)
    frame.merge(read(connection, layout, ALL))
    return frame.columns()


class ColumnStore:
    """What is kept of all tables that were asked about. Thread-safe."""

    def __init__(
        self,
        folder: Path | None = None,
        *,
        most: int | None = None,
        worth_saving: int = WORTH_SAVING,
    ) -> None:
        """With a folder, columns of so many rows are kept there for processes to come. Beyond
        `most` bytes, a quarter of the memory where none are named, the tables that were asked least
        recently are let go."""
        self.folder = folder
        self._worth_saving = worth_saving
        self._most = quarter_of_memory() if most is None else most
        self._held: OrderedDict[tuple[str, int], Held] = OrderedDict()
        self._lock = Lock()

    def at(self, connection: Connection, layout: Layout, generation: Generation) -> Columns:
        snapshot = snapshot_of(connection, generation, layout.contexts)
        columns = self._held_of(layout, snapshot).at(connection, snapshot)
        self._let_go()
        return columns

    @property
    def tables(self) -> list[str]:
        """Those that are kept, that which was asked last at the end."""
        with self._lock:
            return [name for name, _ in self._held]

    def _held_of(self, layout: Layout, snapshot: Snapshot) -> Held:
        key = (layout.table.name, snapshot.made_at)
        with self._lock:
            held = self._held.setdefault(key, Held(layout, self.folder, self._worth_saving))
            self._held.move_to_end(key)
            return held

    def _let_go(self) -> None:
        with self._lock:
            total = sum(held.nbytes for held in self._held.values())
            while total > self._most and len(self._held) > 1:
                (name, _), oldest = self._held.popitem(last=False)
                total -= oldest.nbytes
                _log.warning(
                    "columns_let_go",
                    table=name,
                    mib=oldest.nbytes // 2**20,
                    most_mib=self._most // 2**20,
                    remedy="Each question about it reads it anew: give CRM_COLUMNS_MIB.",
                )


def columns_of(connection: Connection, layout: Layout) -> Columns:
    """The rows that the connection's snapshot shows: from what its database keeps, or read anew
    where it keeps nothing."""
    store = connection.get_execution_options().get("crm_columns")
    generation = layout.table.metadata.info.get("generation")
    if store is None or generation is None:
        return whole(connection, layout)
    found: Columns = store.at(connection, layout, generation)
    return found
