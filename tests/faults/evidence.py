"""What a run leaves behind, as plain records: checked then and there, or later from its folder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Literal

Outcome = Literal["ok", "refused", "unknown"]
HISTORY: Final = "history.jsonl"


@dataclass(frozen=True, slots=True)
class Operation:
    """What a client did and heard. Times are seconds of one clock; `due` is when it was meant to
    begin, and `began` when it did.

    `writes` is how many events the command writes when it is done; `effects` are the types of all
    events that come of it, reactions of other contexts included, each with its number. Aggregate,
    version, context and sequence are those of the answer.
    """

    id: str
    kind: str
    outcome: Outcome = "unknown"
    command: str = ""
    due: float | None = None
    began: float = 0.0
    ended: float | None = None
    writes: int = 1
    effects: Mapping[str, int] = field(default_factory=dict)
    context: str | None = None
    sequence: int | None = None
    aggregate: str | None = None
    version: int | None = None
    status: int = 0
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Stored:
    """An event in a store; `body` is a hash of its bytes, `leaf` its leaf hash in the tree of its
    log as `tests.faults.hashing` computes it."""

    context: str
    sequence: int
    partition: int
    id: str
    aggregate: str
    version: int
    command: str = ""
    type: str = ""
    body: str = ""
    leaf: str = ""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A checkpoint, in the store or as it left: the first `size` events, of which the last is at
    `position` (-1 where that is not said), have this root. `believed` says whether the deployment's
    key signed it."""

    context: str
    where: Literal["store", "outside"]
    number: int
    size: int
    position: int
    root: str
    believed: bool = True


@dataclass(frozen=True, slots=True)
class Published:
    """An event on a topic, in the order of `offset`; what is no event is left out."""

    context: str
    partition: int
    offset: int
    sequence: int
    prevsequence: int
    id: str
    aggregate: str
    version: int
    body: str = ""


@dataclass(frozen=True, slots=True)
class LaneRow:
    """How far a live view is in one partition. `digest` is `digest_of` over its events' ids."""

    view: str
    context: str
    partition: int
    sequence: int
    digest: int
    applied: int
    parked: int
    skipped: int


@dataclass(frozen=True, slots=True)
class TableSum:
    """All rows of one table of a view, as it is live, or rebuilt from the stores or the topics."""

    view: str
    table: str
    source: Literal["live", "store", "topic"]
    rows: int
    digest: str


@dataclass(frozen=True, slots=True)
class Parked:
    """A dead letter of a view; `cause` is failed, behind (another one) or unreadable."""

    view: str
    context: str
    event: str
    aggregate: str
    cause: str


@dataclass(frozen=True, slots=True)
class Poison:
    """An event that was made so that the named views cannot take it."""

    event: str
    aggregate: str
    views: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """A read that asked for at least `wanted` (a version or a sequence) and was shown `shown`."""

    what: str
    status: int
    wanted: int
    shown: int | None


@dataclass(frozen=True, slots=True)
class Healing:
    """How long something took to be well again by itself; None where it never was in time."""

    what: str
    seconds: float | None
    limit: float


@dataclass(frozen=True, slots=True)
class Bound:
    """Something that may not grow, and what was found of it."""

    what: str
    found: float
    limit: float


@dataclass(slots=True)
class Evidence:
    """Everything that invariants are checked on."""

    operations: list[Operation] = field(default_factory=list)
    stored: list[Stored] = field(default_factory=list)
    published: list[Published] = field(default_factory=list)
    lanes: list[LaneRow] = field(default_factory=list)
    sums: list[TableSum] = field(default_factory=list)
    parked: list[Parked] = field(default_factory=list)
    poison: list[Poison] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    healings: list[Healing] = field(default_factory=list)
    bounds: list[Bound] = field(default_factory=list)
    sealed: list[Sealed] = field(default_factory=list)


_KINDS: Final[Mapping[str, type[Any]]] = {
    "stored": Stored,
    "published": Published,
    "lanes": LaneRow,
    "sums": TableSum,
    "parked": Parked,
    "poison": Poison,
    "readings": Reading,
    "healings": Healing,
    "bounds": Bound,
    "sealed": Sealed,
}


class NoEvidence(Exception):
    """The folder holds no run; the message says which file is missing or damaged."""


def save(evidence: Evidence, folder: Path) -> None:
    """Write everything but the operations, which their journal has written already."""
    for name in _KINDS:
        lines = (json.dumps(asdict(record)) for record in getattr(evidence, name))
        (folder / f"{name}.jsonl").write_text("".join(f"{line}\n" for line in lines))


def load(folder: Path) -> Evidence:
    """The evidence of a run. Raises NoEvidence."""
    if not (folder / HISTORY).is_file():
        raise NoEvidence(f"{folder} holds no {HISTORY}: name the folder of a run.")
    found = Evidence(operations=operations(_lines(folder / HISTORY)))
    for name, kind in _KINDS.items():
        file = folder / f"{name}.jsonl"
        if not file.is_file():
            raise NoEvidence(f"{file} is missing: the run ended before its evidence was taken.")
        setattr(found, name, [_record(kind, line) for line in _lines(file)])
    return found


def operations(lines: Iterable[Mapping[str, Any]]) -> list[Operation]:
    """The last word on each operation of a journal; remarks between them are left out."""
    last = {line["id"]: line for line in lines if "id" in line}
    return [_record(Operation, line) for line in last.values()]


def _record(kind: type[Any], line: Mapping[str, Any]) -> Any:
    known = {each.name for each in fields(kind)}
    told = {name: value for name, value in line.items() if name in known}
    if kind is Poison:
        told["views"] = tuple(told["views"])
    return kind(**told)


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    """A line that a kill cut short is the last one, and says nothing."""
    text = file.read_text().splitlines()
    for number, line in enumerate(text, start=1):
        try:
            yield json.loads(line)
        except ValueError as error:
            if number < len(text):
                raise NoEvidence(f"{file}, line {number}, cannot be read.") from error
