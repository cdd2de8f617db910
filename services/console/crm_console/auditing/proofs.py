"""Reads a proof from a file and checks it, without a home or a server."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from crm_events.audit.note import BrokenNote, read_verifier
from crm_events.audit.proving import NoProof, Proven, check_proof

from crm_console.auditing.outside import given_key

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


def checked(file: Path, key: str | None) -> Found:
    """Raises ProofUnreadable, NoSuchKey."""
    try:
        document = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ProofUnreadable(f"{file} is no proof: it cannot be read as JSON.") from error
    if not isinstance(document, dict):
        return Found({}, "This is no proof: it is not an object.")
    try:
        named = [read_verifier(str(text)) for text in document.get("keys", ())]
        return Found(_row(check_proof(document, given_key(key) if key else named)))
    except (NoProof, BrokenNote) as error:
        return Found({}, str(error))


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
