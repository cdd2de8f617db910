"""Logs for relays and feeds to follow: plain events, put straight into a store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID, uuid5

from crm_events.envelope import Envelope
from crm_events.partitions import PARTITIONS, partition_of
from crm_events.store.port import EventRecorder

from tests.events.store.building import append, event, whole_log

_IDS = UUID("6ba7b813-9dad-11d1-80b4-00c04fd430c8")


def thing(number: int) -> UUID:
    """The same id for the same number; a dozen of them lie in most partitions."""
    return uuid5(_IDS, str(number))


def things_in(partition: int, count: int = 1) -> list[UUID]:
    """Ids whose events lie in one partition."""
    found = (id for n in range(100_000) if partition_of(id := thing(n)) == partition)
    return [next(found) for _ in range(count)]


class Writer:
    """Puts events at the end of a log; versions are counted for it."""

    def __init__(self, recorder: EventRecorder) -> None:
        self.recorder = recorder
        self._versions: dict[UUID, int] = defaultdict(int)

    def write(self, ids: Iterable[UUID], data: bytes = b'{"tag":"x"}') -> int:
        """One event of each, in one save; answers the last position."""
        events = []
        for id in ids:
            self._versions[id] += 1
            events.append(event(id, self._versions[id], data))
        return append(self.recorder, events)[-1]

    def spread(self, count: int, things: int = 100) -> int:
        """Events of many things, in saves of 50; answers the last position."""
        numbers = [thing(n % things) for n in range(count)]
        saves = [numbers[n : n + 50] for n in range(0, count, 50)]
        return [self.write(save) for save in saves][-1]


def chains(recorder: EventRecorder) -> dict[int, list[tuple[int, int, UUID]]]:
    """(sequence, that of the one before it, id) of every stored event, by partition."""
    found: dict[int, list[tuple[int, int, UUID]]] = defaultdict(list)
    for envelope in whole_log(recorder):
        lane = found[envelope.partition]
        before = lane[-1][0] if lane else 0
        lane.append((envelope.sequence, before, envelope.id))
    return dict(found)


def chain(envelopes: Iterable[Envelope]) -> list[tuple[int, int, UUID]]:
    return [(e.sequence, e.prevsequence, e.id) for e in envelopes]


def without_repeats(envelopes: Iterable[Envelope]) -> list[tuple[int, int, UUID]]:
    """What is left of a partition when everything at or below the last one taken is dropped."""
    taken: list[Envelope] = []
    for envelope in envelopes:
        last = taken[-1].sequence if taken else 0
        if envelope.sequence > last:
            taken.append(envelope)
    return chain(taken)


ALL_PARTITIONS = range(PARTITIONS)
