"""Which things are referred to by events that stay: those are not undone.

An event names other things by their ids, as text in its bytes; so a scan of the log finds every
reference, whatever event it stands in, and asks nothing of who wrote it. It is scanned once: what
the undo leaves because of that are things of the correlation itself, whose events an index finds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from crm_events.envelope import Envelope
from crm_events.store.port import EventRecorder
from crm_events.store.threads import Correlated

from crm_service.undoing.kinds import Undoables

_ID: Final = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
_PAGE: Final = 5_000
_SOME: Final = 100


@dataclass(frozen=True, slots=True)
class References:
    """References to some things by what stays: all but a correlation's events of things that are
    not `left`. With `own` only the correlation's events are looked at."""

    recorder: EventRecorder
    kinds: Undoables
    correlation: UUID
    ids: frozenset[UUID]
    left: frozenset[UUID]
    own: bool = False

    def used(self, after: int, most: int) -> tuple[set[UUID], int | None]:
        """Those that the next so many events refer to, and where the page after begins."""
        wanted = {str(id_).encode(): id_ for id_ in self.ids}
        used: set[UUID] = set()
        end = after + most
        while after < end and wanted:
            envelopes, reached = self._page(after)
            if reached == after:
                return used, None
            used |= self._still(self._referring(envelopes, wanted), wanted)
            after = reached
        return used, after if wanted else None

    def _page(self, after: int) -> tuple[Sequence[Envelope], int]:
        """The next events, and up to where there are no more than these."""
        if not self.own:
            page = self.recorder.read_log(after, _PAGE)
            return page.envelopes, page.safe_to
        found = self.recorder.read_correlation(Correlated(self.correlation), after, _PAGE)
        return found, found[-1].sequence if found else after

    def _referring(
        self, envelopes: Iterable[Envelope], wanted: dict[bytes, UUID]
    ) -> Iterator[tuple[Envelope, list[bytes]]]:
        for envelope in envelopes:
            if envelope.correlation_id == self.correlation:
                if envelope.aggregate_id not in self.left:
                    continue
            elif envelope.type in self.kinds.withdrawals:
                continue
            own = str(envelope.aggregate_id).encode()
            found = [text for text in _ID.findall(envelope.data) if text in wanted and text != own]
            if found:
                yield envelope, found

    def _still(
        self, referring: Iterator[tuple[Envelope, list[bytes]]], wanted: dict[bytes, UUID]
    ) -> set[UUID]:
        """Those referred to by an event that was not withdrawn; they are wanted no longer."""
        used: set[UUID] = set()
        pending = [(e, texts) for e, texts in referring]
        for start in range(0, len(pending), _SOME):
            some = [(e, t) for e, t in pending[start : start + _SOME] if wanted.keys() & set(t)]
            gone = self._withdrawn([envelope for envelope, _ in some])
            for envelope, texts in some:
                if (envelope.aggregate_id, envelope.aggregate_version) not in gone:
                    used |= {wanted.pop(text) for text in texts if text in wanted}
        return used

    def _withdrawn(self, envelopes: Sequence[Envelope]) -> set[tuple[UUID, int]]:
        streams = self.recorder.read_streams({e.aggregate_id for e in envelopes})
        return {
            (id_, version)
            for id_, stream in streams.items()
            for version in self.kinds.withdrawn(stream)
        }
