"""Checkpoints of a deployment: those in its stores, and those that left."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from crm_events.audit.keyfile import read_keys
from crm_events.audit.log import AuditLog
from crm_events.audit.note import BrokenNote, Verifier, opened_note, read_checkpoint
from crm_events.audit.open import audit_log

from tests.faults.evidence import Sealed
from tests.faults.settling import Beside

_ALL: Final = 1_000_000


def checkpoints(place: Beside) -> Iterator[Sealed]:
    """For I5. Nothing where nothing is sealed."""
    told = place.deployment.told
    if not told.get("CRM_AUDIT_KEY_FILE"):
        return
    keys, outside = read_keys(Path(told["CRM_AUDIT_KEY_FILE"])), told.get("CRM_AUDIT_CHECKPOINTS")
    for context, recorder in place.recorders.items():
        origin = f"{place.deployment.namespace}/{context}"
        trusted = keys.verifiers(origin)
        yield from stored_checkpoints(context, audit_log(recorder), trusted)
        for path in sorted(Path(outside, origin).glob("*.txt")) if outside else ():
            yield sealed(context, path.read_text("utf-8"), trusted)


def stored_checkpoints(
    context: str, log: AuditLog, trusted: Iterable[Verifier]
) -> Iterator[Sealed]:
    for each in log.signed(0, _ALL):
        said = read_checkpoint(each.note)
        believed = _believed(each.note, trusted) and said.size == each.size
        root = said.root.hex()
        yield Sealed(context, "store", each.number, each.size, each.position, root, believed)


def sealed(context: str, note: str, trusted: Iterable[Verifier]) -> Sealed:
    """One that left."""
    said = read_checkpoint(note)
    root = said.root.hex()
    return Sealed(context, "outside", 0, said.size, -1, root, _believed(note, trusted))


def _believed(note: str, trusted: Iterable[Verifier]) -> bool:
    try:
        opened_note(note, trusted)
    except BrokenNote:
        return False
    return True
