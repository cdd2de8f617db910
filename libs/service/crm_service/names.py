"""Names in a file to ids: matched ignoring case, width and spaces, and a stub for the unknown.

A context indexes its own things by a keyed hash of the name (`DirectoryEntry`), written with the
event that names them, so that no name rests in plain beside the log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Generic, Literal, TypeVar
from uuid import UUID

from crm_events.application import ContextApplication
from crm_events.domain import Aggregate
from crm_events.event import Key, Text
from crm_events.ids import derived_id
from crm_events.names import folded, name_key
from crm_events.store.mapper import Cause
from crm_events.store.port import Beside, DirectoryEntry, EventRecorder, VersionConflict
from pydantic import BaseModel, Field

from crm_service.commands import CommandCause
from crm_service.context import Head
from crm_service.problems import RequestRefused
from crm_service.routing import Router
from crm_service.schemas import Body

A = TypeVar("A", bound=Aggregate)
MOST_NAMES: Final = 5_000
_ATTEMPTS: Final = 3


class NameIndex:
    """The blind index of one context over names of things of several kinds."""

    def __init__(self, recorder: EventRecorder, secret: bytes) -> None:
        self._recorder = recorder
        self._secret = secret

    def entry(self, kind: str, id: UUID, name: str | None, **data: Any) -> DirectoryEntry:
        """What to write beside the event that gives the thing this name."""
        key = name_key(self._secret, kind, name) if name else None
        return DirectoryEntry(kind, id, key, data)

    def find(self, kind: str, names: Iterable[str]) -> dict[str, UUID]:
        """The ids of those names that are known, under their folded form."""
        keys = {name_key(self._secret, kind, name): folded(name) for name in names}
        found = self._recorder.directory_by_name(kind, keys)
        return {keys[key]: id_ for key, id_ in found.items()}

    def stub_id(self, kind: str, name: str) -> UUID:
        """The id of the stub that an unknown name makes: the same for the same folded name."""
        return derived_id(self._secret, "name", kind, folded(name))


class Match(BaseModel):
    """What a name stands for. `known_as` is the thing's own spelling where it differs."""

    name: str
    id: UUID | None
    how: Literal["exact", "folded", "new", "unknown"]
    stub: bool = False
    known_as: str | None = None


@dataclass(frozen=True, slots=True)
class Named(Generic[A]):
    """How things of one kind are called; `begin` makes a stub of an unknown name, None forbids."""

    aggregate: type[A]
    name_of: Callable[[A], str | None]
    is_stub: Callable[[A], bool]
    begin: Callable[[A, str, datetime], None] | None


@dataclass(frozen=True, slots=True)
class Names(Generic[A]):
    """Names of one kind in one context, and what they stand for."""

    app: ContextApplication
    index: NameIndex
    kind: str
    named: Named[A]

    def resolve(
        self, names: Sequence[str], cause: Cause, *, dry_run: bool = False
    ) -> tuple[list[Match], int]:
        """A match for every name, and the position by which the stubs it made are visible.

        A dry run says what would be made and makes nothing. Raises VersionConflict when others
        keep making the same stubs.
        """
        attempts = _ATTEMPTS
        while True:
            attempts -= 1
            found, stubs = self._look_up(names, cause.at)
            matches = [_match(name, found.get(folded(name)), stubs, self.named) for name in names]
            if dry_run or not stubs:
                return matches, self.app.recorder.safe_position()
            try:
                return matches, self._save(stubs, cause)
            except VersionConflict:
                if not attempts:
                    raise

    def _look_up(self, names: Sequence[str], at: datetime) -> tuple[dict[str, A], dict[str, A]]:
        """The things that have these names, and new stubs for the rest, under folded names."""
        ids = self.index.find(self.kind, names)
        unknown = {folded(name): name for name in reversed(names) if folded(name) not in ids}
        if self.named.begin is not None:
            ids |= {fold: self.index.stub_id(self.kind, name) for fold, name in unknown.items()}
        things = self.app.load_any(self.named.aggregate, list(ids.values()))
        known = {fold: things[id_] for fold, id_ in ids.items() if id_ in things}
        found = {fold: thing for fold, thing in known.items() if thing.begun}
        stubs: dict[str, A] = {}
        for fold, name in unknown.items():
            if self.named.begin is not None and fold not in found:
                stubs[fold] = known.get(fold) or self.named.aggregate(ids[fold])
                self.named.begin(stubs[fold], name, at)
        return found, stubs

    def _save(self, stubs: Mapping[str, A], cause: Cause) -> int:
        made = stubs.values()
        entries = [self.index.entry(self.kind, s.id, self.named.name_of(s)) for s in made]
        sequence = self.app.save_all(made, cause, beside=Beside(directory=tuple(entries)))
        return max(sequence, self.app.recorder.safe_position())


def _match(name: str, found: A | None, stubs: Mapping[str, A], named: Named[A]) -> Match:
    if found is not None:
        own = named.name_of(found)
        stub = named.is_stub(found)
        if own == name:
            return Match(name=name, id=found.id, how="exact", stub=stub)
        return Match(name=name, id=found.id, how="folded", stub=stub, known_as=own)
    made = stubs.get(folded(name))
    if made is None:
        return Match(name=name, id=None, how="unknown")
    return Match(name=name, id=made.id, how="new", stub=True)


class NamesIn(Body):
    """Names of one kind as a file writes them; a dry run makes no stubs."""

    source: Key
    kind: Key
    names: Annotated[list[Text], Field(min_length=1, max_length=MOST_NAMES)]
    dry_run: bool = False


class NamesOut(BaseModel):
    """One match for each name, in the order they were sent."""

    matches: list[Match]
    position: Head


def names_router(
    app: ContextApplication, index: NameIndex, kinds: Mapping[str, Named[Any]]
) -> Router:
    """`POST /v1/<context>/names:resolve`."""
    router = Router(prefix=f"/v1/{app.context}", tags=["import"])

    @router.post("/names:resolve")
    def resolve_names(body: NamesIn, cause: CommandCause) -> NamesOut:
        if body.kind not in kinds:
            known = ", ".join(sorted(kinds))
            raise RequestRefused("not-found", f"No {body.kind!r} is named here; try {known}.")
        names = Names(app, index, body.kind, kinds[body.kind])
        matches, sequence = names.resolve(body.names, as_import(cause), dry_run=body.dry_run)
        return NamesOut(matches=matches, position=Head(context=app.context, sequence=sequence))

    return router


def as_import(cause: Cause) -> Cause:
    """The cause of something that a file says: nothing is sent outwards because of it."""
    return Cause(
        command_id=cause.command_id,
        correlation_id=cause.correlation_id,
        causation_id=None,
        actor=cause.actor,
        origin="import",
        at=cause.at,
        traceparent=cause.traceparent,
    )
