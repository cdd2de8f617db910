"""One thing's history, event by event: what it was before and after each."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import typer

from crm_console.cli.output import Output, print_csv, print_json, say, stdout, table

_FORWARD: Final = frozenset(("n", " ", "\r", "j", "\x1b[C", "\x1b[B"))
_BACK: Final = frozenset(("p", "k", "\x1b[D", "\x1b[A"))
_END: Final = frozenset(("q", "\x03", "\x1b"))
_COLUMNS: Final = ("field", "before", "after")
Fields = Mapping[str, Any]


class Stage(NamedTuple):
    """An event, and all that was known of the thing right before and right after it."""

    number: int
    event: Mapping[str, Any]
    before: Fields
    after: Fields


def stages(events: Sequence[Mapping[str, Any]]) -> list[Stage]:
    """The history as a walk, each stage beginning where the one before ended."""
    found: list[Stage] = []
    state: dict[str, Any] = {}
    for number, event in enumerate(events, 1):
        changed = {change["field"]: change["after"] for change in event["changes"]}
        after = {name: value for name, value in (state | changed).items() if value is not None}
        found.append(Stage(number, event, state, after))
        state = after
    return found


def walk(events: Sequence[Mapping[str, Any]], output: Output) -> None:
    """Step by step with keys on a terminal; all steps one after another elsewhere."""
    every = stages(events)
    if output is Output.JSON:
        print_json([_document(stage) for stage in every])
    elif output is Output.CSV:
        print_csv([{"step": s.number, **row} for s in every for row in _rows(s)])
    elif sys.stdin.isatty() and sys.stdout.isatty():
        _interactive(every)
    else:
        for stage in every:
            _show(stage, len(every))


def _interactive(every: Sequence[Stage]) -> None:
    """Arrows, n and p, and the like go forward and back; q ends."""
    at = 0
    while every:
        stdout.clear()
        _show(every[at], len(every))
        say("→ or n: forward   ← or p: back   q: end")
        key = typer.getchar()
        if key in _END:
            return
        at = moved(at, key, len(every))


def moved(at: int, key: str, count: int) -> int:
    """Where a key leads from a step; no further than the first and the last."""
    step = int(key in _FORWARD) - int(key in _BACK)
    return min(max(at + step, 0), count - 1)


def _show(stage: Stage, count: int) -> None:
    event = stage.event
    when = event["occurred_at"][:19].replace("T", " ")
    title = f"{stage.number} of {count}: {event['event']}, {when}, by {event['actor']}"
    table(title, _COLUMNS, [list(row.values()) for row in _rows(stage)])


def _rows(stage: Stage) -> list[dict[str, Any]]:
    """Every field, whether this event changed it or not; one that did is marked."""
    changed = {change["field"] for change in stage.event["changes"]}
    names = dict.fromkeys((*stage.before, *stage.after))
    return [
        {
            "field": f"► {name}" if name in changed else name,
            "before": stage.before.get(name),
            "after": stage.after.get(name),
        }
        for name in names
    ]


def _document(stage: Stage) -> dict[str, Any]:
    told = {name: stage.event[name] for name in ("event", "event_id", "occurred_at", "actor")}
    return {"step": stage.number, **told, "before": stage.before, "after": stage.after}
