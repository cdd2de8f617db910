"""`crm history`: what became of one thing, event by event and field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

import typer

from crm_console.cli.failures import explained
from crm_console.cli.figures import ABSENT
from crm_console.cli.output import Output, OutputOption, chosen, print_csv, print_json, table
from crm_console.cli.session import opened
from crm_console.cli.stepping import walk
from crm_console.things import Kind, history_of

_COLUMNS: Final = ("when", "who", "event", "field", "from", "to")


def history(
    context: typer.Context,
    kind: Annotated[Kind, typer.Argument(help="deal, lead, person, ticket, ...")],
    id: Annotated[str, typer.Argument(help="Its id, as in crm list deals")],
    step: Annotated[
        bool,
        typer.Option("--step", help="Event by event, with what was known before and after"),
    ] = False,
    as_of: Annotated[str | None, typer.Option(help="What took effect by the end of it")] = None,
    known_at: Annotated[str | None, typer.Option(help="What was recorded by the end of it")] = None,
    output: OutputOption = None,
) -> None:
    """Show who changed one thing, when, from what to what.

    Example: crm history deal 0190b8a4-3f6e-7c51-9d2e-5f0a6b1c2d3e --as-of 2026-03-31
    """
    with explained(), opened(context.obj) as transport:
        answer = history_of(transport, kind, id, as_of, known_at)
    how = chosen(output)
    if step:
        walk(answer["events"], how)
    elif how is Output.JSON:
        print_json(answer)
    elif how is Output.CSV:
        print_csv(list(_changes(answer)), _COLUMNS)
    else:
        rows = [[line[name] for name in _COLUMNS] for line in _changes(answer)]
        table("", _COLUMNS, rows)


def _changes(answer: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A line for each change; an event that changed no field has one too."""
    for event in answer["events"]:
        line = {
            "when": event["occurred_at"][:19].replace("T", " "),
            "who": event["actor"],
            "event": event["event"],
        }
        changes = event["changes"] or [{"field": ABSENT, "before": None, "after": None}]
        for change in changes:
            field, before, after = change["field"], change["before"], change["after"]
            yield {**line, "field": field, "from": before, "to": after}
