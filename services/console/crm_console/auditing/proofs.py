"""Reads a proof from a file and checks it, without a home or a server."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from crm_events.audit.growth import FORM as FORM_OF_GROWTH
from crm_events.audit.growth import Grew, check_growth
from crm_events.audit.note import BrokenNote, Checkpoint, Verifier, read_verifier
from crm_events.audit.proving import NoProof, Proven, check_proof

from crm_console.auditing.outside import believed, checkpoints_at, given_key

_SHOWN: Final = (
    "event_id",
    "type",
    "aggregate_id",
    "version",
    "position",
    "recorded_at",
    "occurred_at",
    "actor",
    "origin",
)


class ProofUnreadable(Exception):
    """The file is not JSON, or cannot be read."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a proof shows, or the reason why it shows nothing."""

    row: dict[str, Any]
    reason: str | None = None


def checked(file: Path, key: str | None, against: Path | None = None) -> Found:
    """Of an event, or of two checkpoints; `against` holds those that were kept of old.

    Raises ProofUnreadable, NoSuchKey, CheckpointRefused.
    """
    try:
        document = json.loads(file.read_text("utf-8"))
    except OSError as error:
        raise ProofUnreadable(f"Cannot read {file}: {error.strerror or error}.") from error
    except ValueError as error:
        raise ProofUnreadable(f"{file} is no proof: it cannot be read as JSON.") from error
    if not isinstance(document, dict):
        return Found({}, "This is no proof: it is not an object.")
    try:
        named = [read_verifier(str(text)) for text in document.get("keys", ())]
        trusted = given_key(key) if key else named
        if document.get("form") == FORM_OF_GROWTH:
            kept = [] if against is None else _kept(against, trusted)
            return Found(_grew(check_growth(document, trusted, kept)))
        return Found(_row(check_proof(document, trusted)))
    except (NoProof, BrokenNote) as error:
        return Found({}, str(error))


def _kept(against: Path, trusted: Sequence[Verifier]) -> list[Checkpoint]:
    return [
        checkpoint
        for several in checkpoints_at(against).values()
        for checkpoint in believed(several, trusted)
    ]


def _grew(grew: Grew) -> dict[str, Any]:
    old, new = grew.old, grew.new
    return {
        "log": new.origin,
        "events_before": old.size,
        "events_appended": new.size - old.size,
        "events_in_log": new.size,
        "root_before": old.root.hex(),
        "root": new.root.hex(),
        "signed_by": str(grew.signed_by),
    }


def _row(proven: Proven) -> dict[str, Any]:
    fields = proven.fields
    shown = {name: str(fields[name]) for name in _SHOWN}
    checkpoint = proven.checkpoint
    return {
        **shown,
        "data_sha256": hashlib.sha256(fields["data"] or b"").hexdigest(),
        "log": checkpoint.origin,
        "events_in_log": checkpoint.size,
        "root": checkpoint.root.hex(),
        "signed_by": str(proven.signed_by),
    }
