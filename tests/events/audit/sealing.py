"""What tests do with a sealed log."""

from __future__ import annotations

import random
from uuid import UUID

from crm_events.audit.finding import Reached
from crm_events.audit.keyfile import AuditKeys
from crm_events.audit.notary import Notary
from crm_events.audit.open import audit_log
from crm_events.audit.verifying import Part, Trust, check_part
from crm_events.store.port import EventRecorder

from tests.events.store.building import append, event

ORIGIN = "test/contacts"


class Desk:
    """A store with the notary and the checks of its log."""

    def __init__(self, recorder: EventRecorder, keys: AuditKeys) -> None:
        assert keys.signer is not None
        self.recorder = recorder
        self.log = audit_log(recorder)
        self.trusted = keys.verifiers(ORIGIN)
        self.notary = Notary(self.log, recorder.safe_position, ORIGIN, keys.signer, self.trusted)

    def write(self, count: int, seed: int = 1) -> list[UUID]:
        """So many events of as many things; answers the events' ids."""
        rng = random.Random(seed)  # noqa: S311
        ids = [UUID(bytes=rng.randbytes(16), version=4) for _ in range(count)]
        events = [event(id, 1, rng.randbytes(40).hex().encode()) for id in ids]
        append(self.recorder, events)
        return [each.event_id for each in events]

    def check(self, limit: int = 1_000_000, sizes: tuple[int, ...] = ()) -> Part:
        """To its end, in parts of so many events; roots of all parts together."""
        reached, roots = Reached(), dict[int, tuple[bytes, int]]()
        while True:
            part = check_part(self.log, Trust(ORIGIN, self.trusted), reached, limit, sizes)
            roots |= part.roots
            if part.wrong is not None or part.done:
                part.roots = roots
                return part
            reached = part.reached
