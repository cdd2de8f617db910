"""Everything known of one subject, over all contexts, for whoever asks what is known of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from crm_console.erasing.erasure import erasure_of
from crm_console.erasing.finding import CONTEXTS, Found
from crm_console.transport import Transport

COLUMNS: Final = (
    "context", "thing", "version", "event", "occurred_at", "recorded_at", "actor", "field", "value",
)  # fmt: skip


def disclose(transport: Transport, found: Found, now: datetime) -> dict[str, Any]:
    """Every event that names the subject, its fields in plain text where they can be read, in the
    order of their effect. Each context logs who read it."""
    known = [
        transport.send("GET", f"/v1/{context}/subjects/{found.subject}/events")
        for context in CONTEXTS
    ]
    erased = erasure_of(transport, found.subject)
    events = [event for each in known for event in each["events"]]
    return {
        "subject": found.subject,
        "disclosed_at": now.isoformat(),
        "erased_at": None if erased is None else erased["erased_at"],
        "positions": {each["context"]: each["sequence"] for each in known},
        "events": sorted(events, key=lambda e: (e["occurred_at"], e["context"], e["version"])),
    }


def lines(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A line for each field of each event."""
    for event in document["events"]:
        said = {**event, "event": event["type"].split(".")[2]}
        for field, value in event["data"].items():
            line = {**said, "field": field, "value": value}
            yield {name: line[name] for name in COLUMNS}
