"""`crm list`: the deals or leads behind a number of the funnel, one by one."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final

import typer

from crm_console.cli.failures import explained
from crm_console.cli.figures import shown
from crm_console.cli.output import Output, OutputOption, chosen, print_list, say
from crm_console.cli.session import opened
from crm_console.settling import settle

_PATH: Final = "/v1/views/funnel/units"
_PAGE: Final = 500
_COLUMNS: Final = {
    "id": "id",
    "state": "state",
    "stage_name": "stage",
    "amount": "amount",
    "owner_name": "owner",
    "product_name": "product",
    "region": "region",
    "entered": "entered",
    "since": "since",
}


class Kind(StrEnum):
    """What can be listed."""

    DEALS = "deals"
    LEADS = "leads"


class State(StrEnum):
    OPEN = "open"
    WON = "won"
    LOST = "lost"


def list_units(
    context: typer.Context,
    kind: Annotated[Kind, typer.Argument(help="deals or leads")],
    state: Annotated[State | None, typer.Option(help="open, won or lost")] = None,
    stage: Annotated[str | None, typer.Option(help="Those that stand in this stage")] = None,
    reached: Annotated[str | None, typer.Option(help="Those that came at least so far")] = None,
    by: Annotated[str | None, typer.Option(help="With --key: region, owner, product, ...")] = None,
    key: Annotated[str | None, typer.Option(help="As in crm view --by; else without one")] = None,
    pipeline: Annotated[str | None, typer.Option(help="Key of the deals' pipeline")] = None,
    start: Annotated[str | None, typer.Option("--from", help="Entered on or after")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Entered before")] = None,
    as_of: Annotated[str | None, typer.Option(help="As they stood at the end of this day")] = None,
    known_at: Annotated[str | None, typer.Option(help="As it was known by this time")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at the most")] = 50,
    output: OutputOption = None,
) -> None:
    """List deals or leads, the latest first, as they stand now or as they stood then.

    Example: crm list deals --state won --by region --key West --as-of 2026-03-31
    """
    asked = {
        "pipeline": "leads" if kind is Kind.LEADS else pipeline,
        "state": state,
        "stage": stage,
        "reached": reached,
        "by": by,
        "key": key,
        "from": start,
        "to": end,
        "as_of": as_of,
        "known_at": known_at,
    }
    with explained(), opened(context.obj) as transport:
        settle(transport)
        units, more = _units(transport.send, asked, limit)
    how = chosen(output)
    print_list(how, _COLUMNS, [_line(unit) for unit in units] if how is Output.TABLE else units)
    if more:
        say(f"There are more than these {limit}; --limit says how many to list.")


def _units(send: Any, asked: Mapping[str, Any], limit: int) -> tuple[list[Mapping[str, Any]], bool]:
    """Up to `limit` units, and whether there are more; all pages at the instant of the first."""
    units: list[Mapping[str, Any]] = []
    cursor: str | None = None
    while True:
        query = {**asked, "limit": min(_PAGE, limit - len(units)), "cursor": cursor}
        page = send("GET", _PATH, query=query)
        units += page["rows"]
        cursor, asked = page["next"], {**asked, "as_of": page["parameters"]["as_of"]}
        if cursor is None or len(units) >= limit:
            return units, cursor is not None


def _line(unit: Mapping[str, Any]) -> Mapping[str, Any]:
    """As people read it: days rather than instants, an amount with its currency."""
    return {
        **unit,
        "amount": shown("amount", unit["amount"]),
        "entered": unit["entered_at"][:10],
        "since": unit["since"][:10],
    }
