"""`python -m tests.events.golden`: seals a stored form for every plain one that lacks it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

import orjson
from crm_events.codec import Codec, Slot
from crm_events.envelope import Envelope
from crm_events.partitions import partition_of

from tests.events.golden import FOLDER, READ_AS, GoldenKeys, names_in, newest_of, put

_OCCURRED = datetime(2026, 3, 14, 9, 30, 0, 123_456, tzinfo=UTC)


def sealed(name: str) -> Envelope:
    """An envelope in which all that can be said is said."""
    event = newest_of(name).model_validate(orjson.loads((READ_AS / f"{name}.json").read_bytes()))
    thing, version = _id(name, "thing"), 3
    return Envelope(
        id=_id(name, "event"),
        type=name,
        aggregate_id=thing,
        aggregate_version=version,
        sequence=1_041,
        partition=partition_of(thing),
        recorded_at=_OCCURRED + timedelta(days=1),
        occurred_at=_OCCURRED,
        correlation_id=_id(name, "correlation"),
        causation_id=_id(name, "cause"),
        command_id=_id(name, "command"),
        actor="staff:7",
        origin="import",
        supersedes=_id(name, "superseded"),
        traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        data=Codec(GoldenKeys()).encode(event, Slot(name, thing, version)),
        prevsequence=1_033,
    )


def _id(name: str, part: str) -> UUID:
    return uuid5(NAMESPACE_URL, f"golden/{name}/{part}")


for missing in sorted(names_in(READ_AS) - names_in(FOLDER)):
    put(sealed(missing))
