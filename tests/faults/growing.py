"""What I5 asks: whether checkpoints are those of one tree over the log, and of no other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from operator import attrgetter

from tests.faults.evidence import Evidence, Sealed, Stored
from tests.faults.hashing import Tree

Answers = Iterator[tuple[bool, str]]


def growth(evidence: Evidence) -> Answers:
    """Whether each thing holds, and what to say otherwise."""
    for context in {each.context for each in evidence.sealed}:
        own = [each for each in evidence.sealed if each.context == context]
        in_store = sorted((s for s in own if s.where == "store"), key=attrgetter("number"))
        yield from _rises(context, in_store)
        yield from _left(context, in_store, [s for s in own if s.where == "outside"])
        events = [event for event in evidence.stored if event.context == context]
        yield from _roots(own, sorted(events, key=attrgetter("sequence")))


def _rises(context: str, in_store: Sequence[Sealed]) -> Answers:
    rising = all(before.size < after.size for before, after in pairwise(in_store))
    yield rising, f"{context}: sizes of checkpoints do not rise"
    numbers = [each.number for each in in_store]
    yield numbers == list(range(1, len(numbers) + 1)), f"{context}: checkpoints {numbers}"


def _left(context: str, in_store: Iterable[Sealed], outside: Iterable[Sealed]) -> Answers:
    kept = {(each.size, each.root) for each in in_store}
    for each in outside:
        text = f"{context}: a checkpoint of {each.size} events left that the store has not"
        yield (each.size, each.root) in kept, text


def _roots(sealed: Iterable[Sealed], events: Sequence[Stored]) -> Answers:
    tree = Tree([event.leaf for event in events])
    for each in sealed:
        what = f"checkpoint of {each.size} events of {each.context}, {each.where}"
        if not 0 < each.size <= len(events):
            yield False, f"{what}: the store has {len(events)}"
            continue
        yield tree.root(each.size) == each.root, f"{what}: another root"
        yield each.believed, f"{what}: nobody who is trusted signed it"
        at = events[each.size - 1].sequence
        yield each.position in (-1, at), f"{what}: ends at {at}, says {each.position}"
