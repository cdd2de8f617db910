"""I1 to I10: what must hold of a run whatever was killed, each a pure function of its evidence."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Final
from uuid import UUID

from crm_projections.engine.digest import digest_of

from tests.faults.evidence import Evidence, LaneRow, Operation, Published, Stored
from tests.faults.growing import growth

_SHOWN: Final = 5


@dataclass(slots=True)
class Verdict:
    """How many things were checked, how many were wrong, and some of those in words."""

    checked: int = 0
    violated: int = 0
    examples: list[str] = field(default_factory=list)

    def note(self, holds: bool, otherwise: str) -> None:
        self.checked += 1
        if not holds:
            self.violated += 1
            if len(self.examples) < _SHOWN:
                self.examples.append(otherwise)


Check = Callable[[Evidence], Verdict]


def check(evidence: Evidence) -> dict[str, Verdict]:
    """Every invariant over the evidence of one run."""
    return {name: holds(evidence) for name, holds in INVARIANTS.items()}


# --- I1 ---


def commands_are_done_once(evidence: Evidence) -> Verdict:
    """I1: what was acknowledged is stored, once, as it was answered; what was refused is not; what
    is unknown is stored whole or not at all. No event is stored twice."""
    verdict = Verdict()
    written: dict[str, list[Stored]] = defaultdict(list)
    for event in evidence.stored:
        written[event.command].append(event)
    for operation in evidence.operations:
        wrong = _wrong_with(operation, written.get(operation.command, ()))
        verdict.note(wrong is None, f"{operation.kind} {operation.id}: {wrong}")
    _note_repeats(verdict, (event.id for event in evidence.stored), "event {} is stored {} times")
    return verdict


def _wrong_with(operation: Operation, events: Sequence[Stored]) -> str | None:
    allowed = {
        "ok": {operation.writes},
        "refused": {0},
        "unknown": {0, operation.writes},
    }[operation.outcome]
    if len(events) not in allowed:
        return f"{operation.outcome}, and {len(events)} events of {operation.writes} are stored"
    if operation.outcome != "ok" or operation.sequence is None:
        return None
    answered = (operation.context, operation.sequence)
    if answered not in {(event.context, event.sequence) for event in events}:
        return f"the answer names position {answered}, where its event is not"
    reached = {(event.aggregate, event.version) for event in events}
    if operation.version is not None and (operation.aggregate, operation.version) not in reached:
        return f"the answer names version {operation.version}, which it did not write"
    return None


def _note_repeats(verdict: Verdict, ids: Iterable[str], text: str) -> None:
    for id, times in Counter(ids).items():
        verdict.note(times == 1, text.format(id, times))


# --- I2 ---


def views_took_each_event_once(evidence: Evidence) -> Verdict:
    """I2: the sum and count of each view and partition are those of the store up to there."""
    verdict = Verdict()
    lanes = _by_lane(evidence.stored)
    for row in evidence.lanes:
        taken = [e for e in lanes[row.context, row.partition] if e.sequence <= row.sequence]
        same = row.digest == digest_of(UUID(event.id) for event in taken)
        count = row.applied + row.parked + row.skipped
        text = f"{_place(row)} took {count} events, the store has {len(taken)} up to {row.sequence}"
        verdict.note(same and count == len(taken), text + ("" if same else "; sums differ"))
    return verdict


def _by_lane(stored: Iterable[Stored]) -> Mapping[tuple[str, int], list[Stored]]:
    lanes: dict[tuple[str, int], list[Stored]] = defaultdict(list)
    for event in sorted(stored, key=attrgetter("sequence")):
        lanes[event.context, event.partition].append(event)
    return lanes


def _place(row: LaneRow) -> str:
    return f"{row.view} of {row.context}/{row.partition}"


# --- I3 ---


def order_is_kept(evidence: Evidence) -> Verdict:
    """I3: versions in the store have no hole, in the order of positions; a consumer that follows
    `prevsequence` meets the same order in each partition, all events of an aggregate in one."""
    verdict = Verdict()
    _note_versions(verdict, sorted(evidence.stored, key=attrgetter("sequence")), "the store")
    for lane, records in _topic_lanes(evidence.published).items():
        _note_versions(verdict, followed(records), f"topic {lane[0]}/{lane[1]}")
    homes = {(e.context, e.aggregate, e.partition) for e in evidence.stored}
    homes |= {(r.context, r.aggregate, r.partition) for r in evidence.published}
    _note_repeats(verdict, (f"{c}/{a}" for c, a, _ in homes), "aggregate {} lies in {} partitions")
    return verdict


def _note_versions(verdict: Verdict, events: Iterable[Stored | Published], where: str) -> None:
    last: dict[tuple[str, str], int] = {}
    for event in events:
        key = (event.context, event.aggregate)
        before = last.get(key, 0)
        text = f"{where}: {event.aggregate} goes from version {before} to {event.version}"
        verdict.note(event.version == before + 1, text)
        last[key] = max(event.version, before)


def _topic_lanes(records: Iterable[Published]) -> Mapping[tuple[str, int], list[Published]]:
    lanes: dict[tuple[str, int], list[Published]] = defaultdict(list)
    for record in sorted(records, key=attrgetter("offset")):
        lanes[record.context, record.partition].append(record)
    return lanes


def followed(records: Iterable[Published]) -> Iterator[Published]:
    """What a consumer takes of one partition: each event after the one that it names, once."""
    last, waiting = 0, dict[int, Published]()
    for record in records:
        if record.sequence > last:
            waiting.setdefault(record.prevsequence, record)
        while last in waiting:
            taken = waiting.pop(last)
            last = taken.sequence
            yield taken


# --- I4 ---


def rebuilt_views_are_equal(evidence: Evidence) -> Verdict:
    """I4: every table rebuilt from the stores and from the topics is what the live one is."""
    verdict = Verdict()
    tables: dict[tuple[str, str], dict[str, tuple[int, str]]] = defaultdict(dict)
    for each in evidence.sums:
        tables[each.view, each.table][each.source] = (each.rows, each.digest)
    for (view, table), found in tables.items():
        for source in found.keys() - {"live"}:
            text = f"{view}, {table}: live {found.get('live')}, from the {source} {found[source]}"
            verdict.note(found[source] == found.get("live"), text)
    return verdict


# --- I5 ---


def one_tree_grows(evidence: Evidence) -> Verdict:
    """I5: each checkpoint's root is the one over the first events of the log as they are stored,
    computed anew; checkpoints have consecutive numbers and rising sizes; what left is what is in
    the store."""
    verdict = Verdict()
    for holds, otherwise in growth(evidence):
        verdict.note(holds, otherwise)
    return verdict


# --- I6 ---


def topics_hold_what_stores_hold(evidence: Evidence) -> Verdict:
    """I6: every stored event is on its topic, byte for byte, and nothing else is.

    Nothing is compared where nothing at all is published, as in the embedded form; a relay that
    publishes nothing is behind, which I8 sees.
    """
    verdict = Verdict()
    if not evidence.published:
        return verdict
    stored = {event.id: event for event in evidence.stored}
    there = {record.id for record in evidence.published}
    for id, event in stored.items():
        verdict.note(id in there, f"{event.context} {event.sequence} is not on its topic")
    for record in evidence.published:
        source = stored.get(record.id)
        place = f"{record.context}/{record.partition} at {record.offset}"
        verdict.note(source is not None and _same(source, record), f"{place}: not as stored")
    return verdict


def _same(event: Stored, record: Published) -> bool:
    names = ("context", "partition", "sequence", "aggregate", "version", "body")
    return all(getattr(event, name) == getattr(record, name) for name in names)


# --- I7 ---


def later_is_newer(evidence: Evidence) -> Verdict:
    """I7: a command that began after another's answer has the higher version of their aggregate;
    a read that asked for a version or position never shows an older one."""
    verdict = Verdict()
    by_aggregate: dict[str, list[Operation]] = defaultdict(list)
    for operation in evidence.operations:
        if operation.outcome == "ok" and operation.aggregate and not operation.repeated:
            by_aggregate[operation.aggregate].append(operation)
    for operations in by_aggregate.values():
        _note_real_time(verdict, operations)
    for reading in evidence.readings:
        if reading.status == 200:
            holds = reading.shown is not None and reading.shown >= reading.wanted
            verdict.note(holds, f"{reading.what}: wanted {reading.wanted}, got {reading.shown}")
    return verdict


def _note_real_time(verdict: Verdict, operations: Iterable[Operation]) -> None:
    """Swept in time: what begins is compared with the highest version answered before."""
    moments = [(o.began, 1, o) for o in operations]
    moments += [(o.ended, 0, o) for o in operations if o.ended is not None]
    highest = 0
    for _, begins, operation in sorted(moments, key=lambda each: each[:2]):
        version = operation.version or 0
        if begins:
            text = f"{operation.aggregate}: {version} came after the answer of {highest}"
            verdict.note(version > highest, text)
        else:
            highest = max(highest, version)


# --- I8, I9 ---


def all_is_well_again(evidence: Evidence) -> Verdict:
    """I8: what was broken healed by itself within its limit."""
    verdict = Verdict()
    for healing in evidence.healings:
        text = f"{healing.what} was not well within {healing.limit:g} s"
        verdict.note(healing.seconds is not None and healing.seconds <= healing.limit, text)
    return verdict


def nothing_grows(evidence: Evidence) -> Verdict:
    """I9: memory, files and connections stay within their bounds."""
    verdict = Verdict()
    for bound in evidence.bounds:
        text = f"{bound.what}: {bound.found:g}, at most {bound.limit:g}"
        verdict.note(bound.found <= bound.limit, text)
    return verdict


# --- I10 ---


def nothing_is_dropped(evidence: Evidence) -> Verdict:
    """I10: what commands cause is stored, exactly; each view has applied, skipped or parked all of
    it; and parked is what was poisoned or lies behind it, no more and no less."""
    verdict = Verdict()
    _note_effects(verdict, evidence)
    lanes = _by_lane(evidence.stored)
    for row in evidence.lanes:
        count, wanted = (
            row.applied + row.parked + row.skipped,
            len(lanes[row.context, row.partition]),
        )
        verdict.note(count == wanted, f"{_place(row)} accounts for {count} events of {wanted}")
    _note_parked(verdict, evidence)
    return verdict


def _note_effects(verdict: Verdict, evidence: Evidence) -> None:
    wanted: Counter[str] = Counter()
    for operation in evidence.operations:
        if operation.outcome == "ok":
            wanted.update(operation.effects)
    found = Counter(event.type for event in evidence.stored)
    for type, count in wanted.items():
        verdict.note(found[type] == count, f"{found[type]} {type} for {count} that were caused")


def _note_parked(verdict: Verdict, evidence: Evidence) -> None:
    for view in {row.view for row in evidence.lanes}:
        letters = [letter for letter in evidence.parked if letter.view == view]
        poison = [each for each in evidence.poison if view in each.views]
        failed = {letter.event for letter in letters if letter.cause != "behind"}
        wrong = failed ^ {each.event for each in poison}
        verdict.note(not wrong, f"{view}: parked and poisoned differ by {sorted(wrong)[:3]}")
        held = {each.aggregate for each in poison}
        for letter in letters:
            verdict.note(letter.aggregate in held, f"{view} parked {letter.event} without cause")
        counted = sum(row.parked for row in evidence.lanes if row.view == view)
        verdict.note(counted == len(letters), f"{view} counts {counted} of {len(letters)} parked")


INVARIANTS: Final[Mapping[str, Check]] = {
    "I1": commands_are_done_once,
    "I2": views_took_each_event_once,
    "I3": order_is_kept,
    "I4": rebuilt_views_are_equal,
    "I5": one_tree_grows,
    "I6": topics_hold_what_stores_hold,
    "I7": later_is_newer,
    "I8": all_is_well_again,
    "I9": nothing_grows,
    "I10": nothing_is_dropped,
}
