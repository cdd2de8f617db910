"""`crm history`: what became of one thing, event by event and field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any, Final

import typer

from crm_console.cli.failures import explained
from crm_console.cli.figures import ABSENT
from crm_console.cli.output import Output, OutputOption, chosen, print_csv, print_json, table
from crm_console.cli.session import opened
from crm_console.cli.stepping import walk

_COLUMNS: Final = ("when", "who", "event", "field", "from", "to")


class Kind(StrEnum):
    """What has a history of its own."""

    LEAD = "lead"
    PERSON = "person"
    ORGANISATION = "organisation"
    STAFF = "staff"
    DEAL = "deal"
    ORDER = "order"
    PRODUCT = "product"
    PIPELINE = "pipeline"
    TICKET = "ticket"
    FEEDBACK = "feedback"
    CAMPAIGN = "campaign"
    RESPONSE = "response"


_CONTEXTS: Final[Mapping[str, tuple[Kind, ...]]] = {
    "contacts": (Kind.LEAD, Kind.PERSON, Kind.ORGANISATION, Kind.STAFF),
    "pipeline": (Kind.DEAL, Kind.ORDER, Kind.PRODUCT, Kind.PIPELINE),
    "ticketing": (Kind.TICKET, Kind.FEEDBACK),
    "campaigns": (Kind.CAMPAIGN, Kind.RESPONSE),
}


def history(
    context: typer.Context,
    kind: Annotated[Kind, typer.Argument(help="deal, lead, person, ticket, ...")],
    id: Annotated[str, typer.Argument(help="Its id, as in crm list deals")],
    step: Annotated[
        bool,
        typer.Option("--step", help="Event by event, with what was known before and after"),
    ] = False,
    output: OutputOption = None,
) -> None:
    """Show who changed one thing, when, from what to what.

    Example: crm history deal 0190b8a4-3f6e-7c51-9d2e-5f0a6b1c2d3e
    """
    owner = next(name for name, kinds in _CONTEXTS.items() if kind in kinds)
    with explained(), opened(context.obj) as transport:
        answer = transport.send("GET", f"/v1/{owner}/history/{id}")
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
