"""Whether committed schemas, event classes and upcasts agree, and published events can be read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from crm_events.schemas.compatible import breaks
from crm_events.schemas.generated import Schema, as_text
from crm_events.schemas.history import Published
from crm_events.upcasting import Upcasts

COMMITTED: Final = Path(__file__).with_name("events")
_NEW_VERSION: Final = "make a new version with an upcast"
_WRITE: Final = "run python -m crm_events.schemas write"


def committed_in(folder: Path) -> dict[str, str]:
    """The schemas that lie in a folder, by stored name."""
    return {path.stem: path.read_text() for path in sorted(folder.glob("*.json"))}


@dataclass(frozen=True, slots=True)
class Language:
    """The published language as its three witnesses have it."""

    generated: Mapping[str, Schema]
    committed: Mapping[str, str]
    published: Published
    upcasts: Upcasts

    def complaints(self) -> list[str]:
        """What is wrong, one sentence each."""
        return [*self.refusals(), *self._out_of_step()]

    def refusals(self) -> list[str]:
        """What `write` cannot put right."""
        return sorted({*self._unreadable(), *self._dropped(), *self._unmarked()})

    def unpublished(self) -> list[str]:
        """Schemas of events that were never published and have no class any more."""
        known = {*self.generated, *self.upcasts, *self._published()}
        return [name for name in self.committed if name not in known]

    def _published(self) -> Mapping[str, Sequence[str]]:
        """Without a history, what is committed is what we know of."""
        if self.published.texts is None:
            return {name: [text] for name, text in self.committed.items()}
        return {name.removesuffix(".json"): t for name, t in self.published.texts.items()}

    def _unreadable(self) -> Iterator[str]:
        """A published schema, and what its events would meet today."""
        for name, texts in self._published().items():
            today = self.generated.get(name) or json.loads(self.committed.get(name, "null"))
            for text in texts if today else ():
                for reason in breaks(json.loads(text), today):
                    yield f"{name}: {reason}; {_NEW_VERSION}."

    def _dropped(self) -> Iterator[str]:
        for name in self._published().keys() - self.generated.keys():
            if name not in self.upcasts:
                yield f"{name}: its events are stored and nothing reads them; {_NEW_VERSION}."
            if name not in self.committed:
                yield f"{name}: its schema was removed; take it back from the history."

    def _unmarked(self) -> Iterator[str]:
        """An upcast opens what the old schema marks as personal."""
        for name, lift in self.upcasts.items():
            fields = json.loads(self.committed.get(name, "{}")).get("properties", {})
            personal = {field for field, schema in fields.items() if "x-personal" in schema}
            if personal != set(lift.personal):
                yield f"{name}: its upcast must name its personal fields: {sorted(personal)}."

    def _out_of_step(self) -> Iterator[str]:
        stale = self.unpublished()
        for name, schema in self.generated.items():
            if self.committed.get(name) != as_text(schema):
                stale.append(name)
        for name in stale:
            yield f"{name}: the committed schema is not what the class says; {_WRITE}."
