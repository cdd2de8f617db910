"""The parts of an answer's JSON: what was asked, where the view stands, and the figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm_events.feed.port import Lane

from crm_projections.engine.instants import instant
from crm_projections.engine.marks import Known
from crm_projections.engine.position import LaneState
from crm_projections.engine.view import Answer

States = Mapping[Lane, LaneState]
Position = Mapping[str, int]


def uncitable(states: States, position: Position, known: Known | None) -> list[str]:
    """Why the same question may get another answer later; empty where it cannot."""
    why: list[str] = []
    if parked := sum(state.parked for state in states.values()):
        why.append(f"{parked} events are parked")
    if known is None:
        moving = any(s.sequence > position[lane.context] for lane, s in states.items())
        return [*why, "events are arriving; ask again, or name a position"] if moving else why
    if not known.settled:
        why.append("known_at lies after the last mark")
    if any(position[context] < upto for context, upto in known.sequences.items()):
        why.append("the view has not come that far yet")
    return why


def instants(parameters: Any, as_of: int) -> dict[str, str]:
    given = {
        "from": parameters.start,
        "to": parameters.end,
        "as_of": as_of,
        "known_at": parameters.known_at,
    }
    return {name: instant(at).isoformat() for name, at in given.items() if at is not None}


def defined(answer: Answer, asked: Mapping[str, str]) -> dict[str, Any]:
    definition = answer.definition
    return {
        "definition": {"id": definition.id, "version": definition.version},
        "parameters": {**asked, **answer.parameters},
    }


def standing_json(states: States, position: Position, known: Known | None) -> dict[str, Any]:
    why_not = uncitable(states, position, known)
    return {
        "position": position,
        "known": dict(known.sequences) if known is not None else None,
        "citable": not why_not,
        "not_citable": why_not,
    }


def figures_of(
    answer: Answer, rows: Sequence[Mapping[str, Any]], groups: list[dict[str, Any]] | None
) -> dict[str, Any]:
    figures: dict[str, Any] = {"totals": answer.totals, "rows": rows}
    if groups is not None:
        figures["groups"] = groups
    if answer.distribution is not None:
        figures["distribution"] = answer.distribution
    if answer.named:
        figures["next"] = answer.next
    return {**figures, "excluded": answer.excluded}
