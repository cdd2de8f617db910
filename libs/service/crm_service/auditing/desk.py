"""One context's audit in one process: its log, its keys, and the place its checkpoints go to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from crm_events.audit.keyfile import AuditKeys, KeyFileRefused, read_keys
from crm_events.audit.notary import Notary
from crm_events.audit.note import Verifier, read_checkpoint
from crm_events.audit.open import audit_log
from crm_events.audit.verifying import Trust
from crm_events.clock import utc_now
from crm_events.store.port import EventRecorder

from crm_service.auditing.outside import Outside, outside_at

_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class AuditPlace:
    """What a process is told: the file of keys, the first part of the logs' names, where
    checkpoints go, and how many seconds may pass before new events are sealed."""

    key_file: Path | None
    origin: str
    outside: str | None = None
    seconds: float = 10.0


class AuditDesk:
    """Everything that routes and the one that seals need."""

    def __init__(self, context: str, recorder: EventRecorder, place: AuditPlace) -> None:
        self.context = context
        self.origin = f"{place.origin}/{context}"
        self.log = audit_log(recorder)
        self.safe_position = recorder.safe_position
        self.place = place
        self._outside: Outside | None = outside_at(place.outside) if place.outside else None
        self._notary: Notary | None = None

    def keys(self) -> AuditKeys:
        """Raises KeyFileRefused."""
        if self.place.key_file is None:
            raise KeyFileRefused(
                "No key of checkpoints is set: name its file in CRM_AUDIT_KEY_FILE."
            )
        return read_keys(self.place.key_file)

    def verifiers(self) -> tuple[Verifier, ...]:
        """Whose checkpoints are believed. Raises KeyFileRefused."""
        return self.keys().verifiers(self.origin)

    def trust(self) -> Trust:
        """Raises KeyFileRefused."""
        return Trust(self.origin, self.verifiers())

    @property
    def signs(self) -> bool:
        """Whether this process may sign. Raises KeyFileRefused."""
        return self.keys().signer is not None

    def notary(self) -> Notary:
        """Raises KeyFileRefused."""
        if self._notary is None:
            keys = self.keys()
            if keys.signer is None:
                raise KeyFileRefused(f"{self.place.key_file} holds no private key to sign with.")
            verifiers = keys.verifiers(self.origin)
            self._notary = Notary(self.log, self.safe_position, self.origin, keys.signer, verifiers)
        return self._notary

    def bring_out(self) -> Iterator[int]:
        """The sizes of checkpoints as they leave, the oldest first; none without a place to go.

        Raises OutsideUnreachable, Forked, StoreUnavailable.
        """
        while self._outside is not None and (staying := self.log.staying(_AT_ONCE)):
            for signed in staying:
                self._outside.bring(read_checkpoint(signed.note), signed.note)
                self.log.has_left(signed.number, utc_now())
                yield signed.size
