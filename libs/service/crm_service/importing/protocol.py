"""What an import request says, what is answered, and what a kind of row has to decide."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, ClassVar, Final, Generic, Literal, TypeVar
from uuid import UUID

from crm_events.domain import Aggregate, DomainError
from crm_events.event import Key
from crm_events.store.mapper import Cause
from crm_events.store.port import DirectoryEntry
from pydantic import BaseModel, Field, JsonValue, ValidationError

from crm_service.context import Head
from crm_service.schemas import Body

A = TypeVar("A", bound=Aggregate)
V = TypeVar("V", bound=BaseModel)
MOST_ROWS: Final = 1_000


Hash = Annotated[str, Field(pattern=r"^([0-9a-f]{2}){8,64}$")]


class RowIn(Body):
    """One row. `key` names the thing within its source; `row_hash` tells its content. Where later
    rows have the same key, `settled` is the hash of the last: known, it tells that all are in."""

    line: int = Field(ge=1)
    key: Annotated[str, Field(min_length=1, max_length=500)]
    row_hash: Hash
    settled: Hash | None = None
    values: dict[str, JsonValue]


class ImportIn(Body):
    """Rows of one kind. A dry run decides everything and saves nothing."""

    source: Key
    dry_run: bool = False
    options: dict[str, JsonValue] = Field(default_factory=dict)
    rows: Annotated[list[RowIn], Field(min_length=1, max_length=MOST_ROWS)]


class RowResult(BaseModel):
    """What became of a row; a refused one names its column where one is to blame."""

    line: int
    status: Literal["accepted", "unchanged", "refused"]
    id: UUID | None = None
    column: str | None = None
    reason: str | None = None


class ImportOut(BaseModel):
    """One result for each row, in the order they were sent."""

    results: list[RowResult]
    position: Head


class RowRefused(DomainError):
    """One value of a row cannot stand. The message says what to do."""

    slug: ClassVar[str] = "row-refused"

    def __init__(self, column: str | None, reason: str) -> None:
        super().__init__(reason)
        self.column = column


def first_of(error: ValidationError) -> RowRefused:
    """The first thing that is wrong with the values of a row."""
    found = error.errors(include_url=False, include_context=False, include_input=False)[0]
    column = str(found["loc"][0]) if found["loc"] else None
    told = {"missing": "required", "extra_forbidden": "unknown field"}
    return RowRefused(column, told.get(found["type"], found["msg"].removeprefix("Value error, ")))


class ImportKind(ABC, Generic[A, V]):
    """One kind of row for the length of one request."""

    name: ClassVar[str]
    adopts: ClassVar[bool] = False
    """Whether rows may be taken up by things that exist under other ids, such as stubs."""
    aggregate: type[A]
    row: type[V]

    def begin(self, cause: Cause) -> None:
        """What has to be there before any row is decided, once for a request; saves by itself.

        Raises DomainError, which refuses the whole request.
        """
        del cause

    def look_up(self, rows: Sequence[V]) -> None:
        """Fetch at once what the rows refer to."""
        del rows

    def adopt(self, rows: Mapping[UUID, V]) -> Mapping[UUID, UUID]:
        """For rows that are new here, by id: the existing things that they are the record of."""
        del rows
        return {}

    @abstractmethod
    def decide(self, thing: A, row: V, *, at: datetime) -> Iterable[DirectoryEntry]:
        """Record what the row says and the thing does not; it is new unless it is `begun`.

        Effective times come from the row; `at` is now. Answers what is kept beside the events.
        Raises DomainError, in particular RowRefused.
        """
