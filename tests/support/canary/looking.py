"""What can be read of somebody: in events by the keys there are, and on any route."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from uuid import UUID

import orjson
from crm_console.erasing.disclosure import disclose
from crm_console.erasing.finding import find
from crm_console.transport import Transport
from crm_events.clock import utc_now
from crm_events.codec import Codec, Slot, UndecodableEvent
from crm_events.contracts.contacts import PersonChanged
from crm_events.envelope import Envelope
from crm_events.keys.port import SubjectKeys
from crm_events.sealing import subjects_in
from crm_events.store.port import EventRecorder

from tests.support.canary.filling import CANARY
from tests.support.stored import stored_event

POISON = f"{CANARY} in einem Ereignis das niemand lesen kann"
_PAGE = 5_000


@dataclass(frozen=True)
class Look:
    """The stores of a deployment and its keys; `since` leaves out what others told before."""

    recorders: Mapping[str, EventRecorder]
    keys: SubjectKeys
    since: Mapping[str, int] = field(default_factory=dict)

    def events(self) -> Iterator[tuple[str, Envelope]]:
        for context, recorder in self.recorders.items():
            after = self.since.get(context, 0)
            while envelopes := recorder.read_log(after, _PAGE).envelopes:
                yield from ((context, each) for each in envelopes)
                after = envelopes[-1].sequence

    def decoded(self) -> str:
        """Every event, read with all the keys there are."""
        codec = Codec(self.keys)
        return "\n".join(_legible(codec, each) for _, each in self.events())

    def subjects(self) -> set[UUID]:
        """Everybody of whom something is sealed in an event."""
        return subjects_in(each.data for _, each in self.events())

    def things(self) -> set[tuple[str, UUID]]:
        """Everything that has a history which can be told, by its context."""
        found = list(self.events())
        poisoned = {each.aggregate_id for _, each in found if b'"nobody"' in each.data}
        return {(c, each.aggregate_id) for c, each in found if each.aggregate_id not in poisoned}

    def poison(self, person: str) -> None:
        """An event of a person that views park, and behind which later ones of theirs wait."""
        recorder, id = self.recorders["contacts"], UUID(person)
        version = len(recorder.read_stream(id, 0, 1_000)) + 1
        slot = Slot(PersonChanged.TYPE, id, version)
        data = orjson.loads(Codec(self.keys).encode(PersonChanged(name=POISON), slot))
        broken = orjson.dumps({**data, "organisation_id": "nobody"})
        event = stored_event(id, version, PersonChanged.TYPE, broken, by="local:x", at=utc_now())
        recorder.insert_events([event])


def _legible(codec: Codec, envelope: Envelope) -> str:
    slot = Slot(envelope.type, envelope.aggregate_id, envelope.aggregate_version)
    try:
        return codec.decode(envelope.data, slot).model_dump_json()
    except UndecodableEvent as error:
        return str(error)


def tell_all(
    transport: Transport, things: set[tuple[str, UUID]], subjects: list[str]
) -> Iterator[str]:
    """What any route tells of these subjects and of these things."""
    for subject in subjects:
        yield str(disclose(transport, find(transport, subject), utc_now()))
    for context, id in things:
        yield str(transport.send("GET", f"/v1/{context}/history/{id}"))
    for path in ("views/funnel/units", "views/parked", "contacts/erasures"):
        yield str(transport.send("GET", f"/v1/{path}"))


def found_in(content: bytes, said: Mapping[str, str]) -> set[str]:
    """Where the texts were said that can be read in these bytes."""
    if CANARY.encode() not in content:
        return set()
    return {place for text, place in said.items() if text.encode() in content}
