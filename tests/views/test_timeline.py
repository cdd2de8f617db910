"""Whatever order facts come in, a unit believes what all its facts together imply."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from uuid import UUID

from crm_events.contracts.contacts import LeadTagged, LeadWithdrawn
from crm_events.event import Event
from crm_projections.facts.instants import FOREVER
from crm_projections.facts.timeline import Unit, intervals
from hypothesis import given
from hypothesis import strategies as st


@dataclass(frozen=True, slots=True)
class Said:
    """A fact that says one word; some words change nothing, one takes everything back."""

    version: int
    sequence: int
    effective: int
    event_id: UUID
    supersedes: UUID | None
    event: Event
    word: str


def fold(words: str | None, fact: Said) -> str | None:
    if fact.word == "nothing":
        return words
    return None if fact.word == "forget" else f"{words or ''}{fact.word}"


def said(version: int, effective: int, word: str, corrects: int) -> Said:
    """A correction below 0 withdraws the two facts before."""
    supersedes = UUID(int=corrects) if 0 < corrects < version else None
    event: Event = LeadTagged(tag="said")
    if corrects < 0 and version > 1:
        undone = tuple(range(max(1, version - 2), version))
        event = LeadWithdrawn(versions=undone, undoes=UUID(int=99), gone=False)
        supersedes = UUID(int=undone[0])
    return Said(version, 10 * version, effective, UUID(int=version), supersedes, event, word)


FACTS = st.lists(
    st.tuples(
        st.integers(0, 4), st.sampled_from(["a", "b", "nothing", "forget"]), st.integers(-8, 3)
    ),
    max_size=8,
)


@given(FACTS)
def test_believed_after_each_fact_is_what_all_imply(told: list[tuple[int, str, int]]) -> None:
    unit: Unit[str, Said] = Unit()
    for version, (effective, word, corrects) in enumerate(told, 1):
        unit.take(said(version, effective, word, corrects), fold)
        believed = [k.interval for k in unit.known if k.known_to == FOREVER]
        assert sorted(believed, key=lambda i: i.valid_from) == intervals(unit.facts, fold)


@given(FACTS, st.randoms(use_true_random=False))
def test_facts_out_of_order_are_believed_too(
    told: list[tuple[int, str, int]], chance: Random
) -> None:
    unit: Unit[str, Said] = Unit()
    facts = [said(n, effective, word, c) for n, (effective, word, c) in enumerate(told, 1)]
    chance.shuffle(facts)
    for fact in facts:
        unit.take(fact, fold)
        believed = [k.interval for k in unit.known if k.known_to == FOREVER]
        assert sorted(believed, key=lambda i: i.valid_from) == intervals(unit.facts, fold)
