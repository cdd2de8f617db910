"""The parts of an answer's JSON: what was asked, where the view stands, and the figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orjson import Fragment

from crm_projections.engine.instants import instant
from crm_projections.engine.marks import Known
from crm_projections.engine.position import Progress
from crm_projections.engine.view import Answer


def uncitable(progress: Progress, known: Known | None) -> list[str]:
    """Why the same question may get another answer later; empty where it cannot."""
    why = [f"{progress.parked} events are parked"] if progress.parked else []
    if known is None:
        moving = ["events are arriving; ask again, or name a position"]
        return [*why, *moving] if progress.moving else why
    if not known.settled:
        why.append("known_at lies after the last mark")
    if any(progress.position[context] < upto for context, upto in known.sequences.items()):
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


def standing_json(progress: Progress, known: Known | None) -> dict[str, Any]:
    why_not = uncitable(progress, known)
    return {
        "position": progress.position,
        "known": dict(known.sequences) if known is not None else None,
        "citable": not why_not,
        "not_citable": why_not,
    }


def named_rows(
    answer: Answer, names: Mapping[str, Mapping[Any, str | None]]
) -> list[dict[str, Any]]:
    """Each id of a thing that has a name, with the name beside it; `names` are by kind."""
    columns = [(column, f"{column}_name", names[kind]) for column, kind in answer.named.items()]
    return [
        {**row, **{name: known.get(row[column]) for column, name, known in columns}}
        for row in answer.rows
    ]


def figures_of(
    answer: Answer,
    rows: Sequence[Mapping[str, Any]] | Fragment,
    groups: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """`rows` with names, or as JSON already."""
    figures: dict[str, Any] = {"totals": answer.totals, "rows": rows}
    if groups is not None:
        figures["groups"] = groups
    if answer.distribution is not None:
        figures["distribution"] = answer.distribution
    if answer.named:
        figures["next"] = answer.next
    return {**figures, "excluded": answer.excluded}
