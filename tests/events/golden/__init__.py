"""One stored event of every type and version ever published, and what it reads as today.

`<type>.json` holds the envelope and the data, personal values sealed under test keys that stay. It
is never changed. `read_as/<type>.json` is the same event in plain text, in the newest shape.
For a new type write the second by hand; `python -m tests.events.golden` seals the first from it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import orjson
from crm_events.catalogue import CATALOGUE
from crm_events.codec import Slot
from crm_events.envelope import Envelope
from crm_events.event import Event
from crm_events.keys.port import SubjectKeys
from crm_events.upcasting import UPCASTS, lifts_from
from pydantic import TypeAdapter

FOLDER: Final = Path(__file__).parent
READ_AS: Final = FOLDER / "read_as"
_ENVELOPE: Final = TypeAdapter(Envelope)


class GoldenKeys(SubjectKeys):
    """SubjectKeys in which every subject has a key that follows from its id."""

    def ensure(self, subjects: Iterable[UUID]) -> Mapping[UUID, bytes]:
        return {subject: sha256(b"golden" + subject.bytes).digest() for subject in subjects}

    find = ensure

    def begin(self, subjects: Collection[UUID]) -> None:
        """They have theirs already."""

    def alive(self, subjects: Iterable[UUID]) -> set[UUID]:
        return set(subjects)

    def erase(self, subject: UUID, reason: str = "erased") -> None:
        raise NotImplementedError("these keys stay")


@dataclass(frozen=True)
class Golden:
    """A stored event, and the fields that it must read as."""

    name: str
    envelope: Envelope
    fields: Mapping[str, Any]

    @property
    def slot(self) -> Slot:
        return Slot(self.name, self.envelope.aggregate_id, self.envelope.aggregate_version)

    @property
    def data(self) -> dict[str, Any]:
        data = orjson.loads(self.envelope.data)
        assert isinstance(data, dict)
        return data

    def expected(self) -> Event:
        return newest_of(self.name).model_validate(self.fields)


def newest_of(name: str) -> type[Event]:
    lifts = lifts_from(name, UPCASTS)
    return CATALOGUE[lifts[-1].to if lifts else name]


def names_in(folder: Path) -> set[str]:
    return {path.stem for path in folder.glob("*.json")}


def golden(name: str) -> Golden:
    stored = orjson.loads((FOLDER / f"{name}.json").read_bytes())
    fields = orjson.loads((READ_AS / f"{name}.json").read_bytes())
    data = orjson.dumps(stored["data"])
    return Golden(name, _ENVELOPE.validate_python({**stored["envelope"], "data": data}), fields)


def put(envelope: Envelope) -> None:
    """Write a golden file; one that exists stays as it is."""
    about = asdict(envelope)
    stored = {"envelope": about, "data": orjson.loads(about.pop("data"))}
    with (FOLDER / f"{envelope.type}.json").open("xb") as file:
        file.write(orjson.dumps(stored, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
