"""Rows of one request decided and saved together; one by one where a save is refused.

The same row changes nothing, another row under the same key emits only its differences. What the
rules refuse is answered for its row and stops no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Generic, Literal, TypeVar
from uuid import UUID, uuid5

from crm_events.application import ContextApplication, LostRace
from crm_events.crashing import crash_point
from crm_events.domain import Aggregate, DomainError
from crm_events.ids import derived_id
from crm_events.keys.port import SubjectErased
from crm_events.store.mapper import Cause
from crm_events.store.port import (
    Beside,
    DirectoryEntry,
    EventRecorder,
    ImportedRow,
    VersionConflict,
)
from pydantic import BaseModel, ValidationError

from crm_service.importing.protocol import ImportIn, ImportKind, RowIn, RowResult, first_of

A = TypeVar("A", bound=Aggregate)
V = TypeVar("V", bound=BaseModel)
_ATTEMPTS: Final = 3
_ALIAS: Final = "imported-as"


@dataclass(slots=True)
class _Draft(Generic[A, V]):
    """A row on its way: the id its content is remembered under, and the thing it is about."""

    row: RowIn
    row_id: UUID
    before: bytes | None
    values: V
    thing: A
    beside: tuple[DirectoryEntry, ...] = ()
    changes: bool = False

    @property
    def hash(self) -> bytes:
        return bytes.fromhex(self.row.row_hash)

    def entries(self) -> Iterator[DirectoryEntry]:
        yield from self.beside
        if self.thing.id != self.row_id:
            yield DirectoryEntry(_ALIAS, self.row_id, None, {"id": str(self.thing.id)})

    def cause(self, of_request: Cause) -> Cause:
        """Made of id, previous and new content, so that A, B and A again are three commands."""
        before = self.before.hex() if self.before else ""
        return replace(of_request, command_id=uuid5(self.row_id, f"{before}:{self.row.row_hash}"))


@dataclass
class RowImport(Generic[A, V]):
    """The import of one request. `cause` is the request's; `sequence` the last position written."""

    app: ContextApplication
    secret: bytes
    kind: ImportKind[A, V]
    request: ImportIn
    cause: Cause
    sequence: int = 0
    _results: dict[int, RowResult] = field(default_factory=dict)

    def run(self) -> list[RowResult]:
        """The outcome of every row, in their order. Raises StoreUnavailable, KeysUnavailable,
        and what the kind refuses the whole request with."""
        self.kind.begin(self.cause)
        for rows in _without_repeats(self.request.rows):
            self._take(rows)
        return [self._results[id(row)] for row in self.request.rows]

    def _take(self, rows: Sequence[RowIn]) -> None:
        drafts = self._decided(rows)
        try:
            self._save(drafts)
        except (VersionConflict, SubjectErased):
            for draft in drafts:
                self._take_alone(draft.row)
        else:
            self._settle(drafts)

    def _take_alone(self, row: RowIn) -> None:
        for _ in range(_ATTEMPTS):
            drafts = self._decided([row])
            try:
                self._save(drafts)
            except VersionConflict as conflict:
                self._refuse(row, LostRace(conflict.current))
            except SubjectErased as erased:
                return self._refuse(row, erased)
            else:
                return self._settle(drafts)
        return None

    def _decided(self, rows: Sequence[RowIn]) -> list[_Draft[A, V]]:
        """Rows that say something new and that the rules accept; the others have their result."""
        drafts = self._drafts(rows)
        self.kind.look_up([draft.values for draft in drafts])
        return [draft for draft in drafts if self._decide(draft)]

    def _decide(self, draft: _Draft[A, V]) -> bool:
        try:
            entries = self.kind.decide(draft.thing, draft.values, at=self.cause.at)
            draft.beside = tuple(entries)
        except DomainError as refusal:
            self._refuse(draft.row, refusal)
            return False
        draft.changes = bool(draft.thing.pending)
        return True

    def _drafts(self, rows: Sequence[RowIn]) -> list[_Draft[A, V]]:
        """Rows with another content than last time, each with the thing it is about."""
        ids = {self._row_id(row): row for row in rows}
        before = self.app.recorder.imported(ids)
        known = self._known_as(ids)
        fresh: dict[UUID, V] = {}
        for row_id, row in ids.items():
            if before.get(row_id) in _in_already(row):
                self._keep(row, "unchanged", known.get(row_id, row_id))
                continue
            values = self._values(row)
            if values is not None:
                fresh[row_id] = values
        things = self._things(fresh, known)
        return [
            _Draft(ids[row_id], row_id, before.get(row_id), values, things[row_id])
            for row_id, values in fresh.items()
        ]

    def _row_id(self, row: RowIn) -> UUID:
        return derived_id(self.secret, self.request.source, self.kind.name, row.key)

    def _values(self, row: RowIn) -> V | None:
        try:
            return self.kind.row.model_validate(row.values)
        except ValidationError as error:
            self._refuse(row, first_of(error))
            return None

    def _known_as(self, ids: Iterable[UUID]) -> dict[UUID, UUID]:
        """The ids of the things that took up rows before, where they are not the rows' own."""
        if not self.kind.adopts:
            return {}
        found = self.app.recorder.directory(_ALIAS, ids)
        return {row_id: UUID(entry.data["id"]) for row_id, entry in found.items()}

    def _things(self, values: dict[UUID, V], known: dict[UUID, UUID]) -> dict[UUID, A]:
        """The thing that each row is about, under the row's id; new ones are not begun."""
        ids = {row_id: known.get(row_id, row_id) for row_id in values}
        if self.kind.adopts:
            existing = self.app.load_all(self.kind.aggregate, list(ids.values()))
            new = {row_id: v for row_id, v in values.items() if ids[row_id] not in existing}
            ids |= self.kind.adopt(new) if new else {}
        loaded = self.app.load_any(self.kind.aggregate, list(ids.values()))
        return {
            row_id: loaded.get(thing_id) or self.kind.aggregate(thing_id)
            for row_id, thing_id in ids.items()
        }

    def _save(self, drafts: Sequence[_Draft[A, V]]) -> None:
        if self.request.dry_run or not drafts:
            return
        beside = Beside(
            imported=tuple(ImportedRow(draft.row_id, draft.hash) for draft in drafts),
            directory=tuple(entry for draft in drafts for entry in draft.entries()),
        )
        causes = {draft.thing.id: draft.cause(self.cause) for draft in drafts}
        things = [draft.thing for draft in drafts]
        self.sequence = max(self.sequence, self.app.save_all(things, causes, beside=beside))
        crash_point("imported")

    def _settle(self, drafts: Iterable[_Draft[A, V]]) -> None:
        for draft in drafts:
            self._keep(draft.row, "accepted" if draft.changes else "unchanged", draft.thing.id)

    def _keep(self, row: RowIn, status: Literal["accepted", "unchanged"], thing_id: UUID) -> None:
        self._results[id(row)] = RowResult(line=row.line, status=status, id=thing_id)

    def _refuse(self, row: RowIn, error: Exception) -> None:
        column = getattr(error, "column", None)
        self._results[id(row)] = RowResult(
            line=row.line, status="refused", column=column, reason=str(error)
        )


def row_ids(recorder: EventRecorder, ids: Sequence[UUID]) -> list[UUID]:
    """Under which ids the rows of these things are remembered: their own, and those of rows that
    they took up."""
    taken_up = recorder.directory_saying(_ALIAS, [{"id": str(id_)} for id_ in ids])
    return [*ids, *(entry.id for entry in taken_up)]


def _in_already(row: RowIn) -> set[bytes]:
    """What is remembered under a row's key when nothing that it says is new."""
    return {bytes.fromhex(known) for known in (row.row_hash, row.settled) if known}


def _without_repeats(rows: Iterable[RowIn]) -> Iterator[list[RowIn]]:
    """Runs of rows in their order, in none of which a key occurs twice: one save takes a thing
    once, and the later row is to find what the earlier one left."""
    run: dict[str, RowIn] = {}
    for row in rows:
        if row.key in run:
            yield list(run.values())
            run = {}
        run[row.key] = row
    yield list(run.values())
