"""Each invariant sees what breaks it, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import pytest
from crm_projections.engine.digest import digest_of

from tests.faults.evidence import (
    HISTORY,
    Bound,
    Evidence,
    Healing,
    LaneRow,
    NoEvidence,
    Operation,
    Parked,
    Poison,
    Published,
    Reading,
    Sealed,
    Stored,
    TableSum,
    load,
    save,
)
from tests.faults.hashing import Tree
from tests.faults.invariants import INVARIANTS, check, followed

EVENTS = 6


def event_id(number: int) -> str:
    return str(UUID(int=number))


def stored(number: int) -> Stored:
    """Two aggregates in two partitions, taking turns; each event by a command of its own."""
    lane = number % 2
    return Stored(
        "contacts",
        number,
        lane,
        event_id(number),
        f"thing-{lane}",
        (number + 1) // 2,
        f"command-{number}",
        "Happened",
        f"body-{number}",
        sha256(b"%d" % number).hexdigest(),
    )


def published(event: Stored) -> Published:
    before = max(event.sequence - 2, 0)
    return Published(
        event.context,
        event.partition,
        event.sequence // 2,
        event.sequence,
        before,
        event.id,
        event.aggregate,
        event.version,
        event.body,
    )


def operation(event: Stored) -> Operation:
    return Operation(
        f"op-{event.sequence}",
        "do",
        "ok",
        event.command,
        began=event.sequence,
        ended=event.sequence + 0.5,
        effects={"Happened": 1},
        context=event.context,
        sequence=event.sequence,
        aggregate=event.aggregate,
        version=event.version,
        status=200,
    )


def lane(number: int, events: list[Stored]) -> LaneRow:
    own = [event for event in events if event.partition == number]
    digest = digest_of(UUID(event.id) for event in own)
    return LaneRow("funnel", "contacts", number, own[-1].sequence, digest, len(own), 0, 0)


def whole() -> Evidence:
    """A run of which everything holds."""
    events = [stored(number) for number in range(1, EVENTS + 1)]
    return Evidence(
        operations=[operation(event) for event in events],
        stored=events,
        published=[published(event) for event in events],
        lanes=[lane(0, events), lane(1, events)],
        sums=[TableSum("funnel", "facts", s, 6, "same") for s in ("live", "store", "topic")],
        readings=[Reading("a view", 200, 3, 3)],
        healings=[Healing("the relay", 1.0, 60.0)],
        bounds=[Bound("files", 40, 64)],
        sealed=[_sealed(events, n, w) for n in (1, 2) for w in ("store", "outside")],
    )


def _sealed(events: list[Stored], number: int, where: Literal["store", "outside"]) -> Sealed:
    size = number * 3
    root = Tree([event.leaf for event in events]).root(size)
    return Sealed("contacts", where, number, size, size if where == "store" else -1, root)


def test_whole_run_violates_nothing() -> None:
    verdicts = check(whole())
    assert {name: verdict.violated for name, verdict in verdicts.items()} == dict.fromkeys(
        INVARIANTS, 0
    )
    assert all(verdict.checked for verdict in verdicts.values())


def changed(name: str, index: int, **values: Any) -> Callable[[Evidence], None]:
    def change(evidence: Evidence) -> None:
        records = getattr(evidence, name)
        records[index] = replace(records[index], **values)

    return change


def without(name: str, index: int) -> Callable[[Evidence], None]:
    return lambda evidence: getattr(evidence, name).pop(index)


def also(name: str, record: Any) -> Callable[[Evidence], None]:
    return lambda evidence: getattr(evidence, name).append(record)


PARKED = Parked("funnel", "contacts", event_id(3), "thing-1", "failed")
BREACHES: list[tuple[str, str, Callable[[Evidence], None]]] = [
    ("I1", "an acknowledged command is lost", without("stored", 5)),
    ("I1", "a command is done twice", also("stored", replace(stored(6), id=event_id(7)))),
    ("I1", "an event is stored twice", also("stored", stored(6))),
    ("I1", "a refused command is done", changed("operations", 0, outcome="refused")),
    ("I1", "half an unknown command", changed("operations", 0, outcome="unknown", writes=2)),
    ("I1", "an answer names another version", changed("operations", 0, version=9)),
    ("I1", "an answer names another position", changed("operations", 0, sequence=9)),
    ("I2", "a view counts one more", changed("lanes", 0, applied=4)),
    ("I2", "a view took another event", changed("lanes", 0, digest=1)),
    ("I3", "a hole in the store", without("stored", 2)),
    ("I3", "two events swapped", changed("stored", 0, version=2)),
    ("I3", "a topic out of order", changed("published", 2, version=3)),
    ("I3", "another partition for one key", changed("published", 5, partition=1)),
    ("I4", "a rebuild gives other rows", changed("sums", 1, digest="other")),
    ("I4", "a rebuild from topics lacks a row", changed("sums", 2, rows=5)),
    ("I5", "another root than that of the log", changed("sealed", 0, root="00" * 32)),
    ("I5", "an event changed after it was sealed", changed("stored", 1, leaf="00" * 32)),
    ("I5", "a sealed event gone", without("stored", 0)),
    ("I5", "a tree that went back", changed("sealed", 2, size=2)),
    ("I5", "a checkpoint gone", without("sealed", 0)),
    ("I5", "another tree left", changed("sealed", 3, size=5)),
    ("I5", "a signature of nobody", changed("sealed", 3, believed=False)),
    ("I6", "an event never published", without("published", 5)),
    ("I6", "published and not stored", without("stored", 5)),
    ("I6", "other bytes on the topic", changed("published", 0, body="other")),
    ("I7", "a later command is older", changed("operations", 2, began=9.0)),
    ("I7", "a read goes back", changed("readings", 0, shown=2)),
    ("I8", "never well again", changed("healings", 0, seconds=None)),
    ("I9", "files leak", changed("bounds", 0, found=65)),
    ("I10", "an effect is missing", changed("operations", 0, effects={"Happened": 2})),
    ("I10", "a view drops an event", changed("lanes", 0, applied=2)),
    ("I10", "an innocent event is parked", also("parked", PARKED)),
    ("I10", "poison is not parked", also("poison", Poison(event_id(1), "thing-1", ("funnel",)))),
]


@pytest.mark.parametrize(("name", "what", "breach"), BREACHES)
def test_breach_is_seen(name: str, what: str, breach: Callable[[Evidence], None]) -> None:
    evidence = whole()
    breach(evidence)
    verdict = INVARIANTS[name](evidence)
    assert verdict.violated, what
    assert verdict.examples


def test_unknown_commands_may_be_done_or_not() -> None:
    evidence = whole()
    changed("operations", 0, outcome="unknown")(evidence)
    evidence.operations.append(Operation("op-7", "do", command="command-7"))
    assert not INVARIANTS["I1"](evidence).violated


def test_refused_batch_is_followed_in_order() -> None:
    """1 2 3 4 6 7 8 5 6 7 8: what an idempotent producer can leave behind."""
    records = [
        Published("contacts", 0, offset, sequence, sequence - 1, "", "thing", sequence)
        for offset, sequence in enumerate([1, 2, 3, 4, 6, 7, 8, 5, 6, 7, 8])
    ]
    assert [record.sequence for record in followed(records)] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert not INVARIANTS["I3"](Evidence(published=records)).violated


def test_saved_run_is_checked_again(tmp_path: Path) -> None:
    evidence = whole()
    evidence.poison.append(Poison(event_id(1), "thing-1", ("names",)))
    save(evidence, tmp_path)
    with pytest.raises(NoEvidence, match=HISTORY):
        load(tmp_path)
    (tmp_path / HISTORY).write_text("")
    assert load(tmp_path).stored == evidence.stored
    assert load(tmp_path).poison == evidence.poison
