"""The events behind a number of a view, and those between two days, as tables, JSON or CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

import typer

from crm_console.cli.failures import explained
from crm_console.cli.figures import shown
from crm_console.cli.output import Output, OutputOption, chosen, print_csv, print_json, say, table
from crm_console.cli.session import opened
from crm_console.cli.viewing import pairs
from crm_console.settling import settle

_EVENT: Final = ("effective", "type", "aggregate_id", "id", "added")
_FIGURE: Final = ("figure", "row", "before", "after", "difference", "events")
_CHANGE: Final = ("before", "after", "difference")
_MOST: Final = 10_000
_DATES: Final = ("the first date", "the second date")
_CELLS: Final = "cells are 2026-01/2 of retention, and 2026-05 or 2026-W19 of satisfaction"
CellOption = Annotated[
    str | None,
    typer.Option(help="Of retention: cohort/intervals since, 2026-01/2; of satisfaction: 2026-05"),
]
VIEWS: Final = ("funnel", "satisfaction", "retention")


def why_number(context: typer.Context, view: str, asked: Mapping[str, Any], how: Output) -> None:
    """Print the events behind one number of a view."""
    with explained(), opened(context.obj) as transport:
        settle(transport)
        query = {**asked, "limit": _MOST}
        answer = transport.send("GET", f"/v1/views/{view}/why", query=query)
    if how is Output.JSON:
        print_json(answer)
    elif how is Output.CSV:
        print_csv(answer["events"], _EVENT)
    else:
        title = " ".join(str(answer[name]) for name in ("figure", "row") if answer.get(name))
        print_events(f"{title}: {answer['value']}", answer)


def place_of(view: str, cell: str | None) -> dict[str, Any]:
    """The parameters that name a cell: `2026-01/2` of retention, `2026-05` or `2026-W19` of
    satisfaction."""
    if cell is None:
        return {}
    if view == "satisfaction":
        return {"by": "week" if "W" in cell else "month", "key": cell}
    cohort, _, offset = cell.partition("/")
    if view != "retention" or not offset.isdecimal():
        raise typer.BadParameter(f"{cell!r} is no cell of {view}; {_CELLS}")
    return {"row": cohort, "offset": int(offset)}


def print_events(title: str, answer: Mapping[str, Any]) -> None:
    """The events behind a number or a difference, each with what it added."""
    rows = [[_short(event, name) for name in _EVENT] for event in answer["events"]]
    table(title, _EVENT, rows)
    if answer["events_in_all"] > len(rows):
        say(f"There are {answer['events_in_all']:,} events; these are the first.")


def _short(event: Mapping[str, Any], name: str) -> Any:
    value = event[name]
    if name == "effective":
        return value[:19].replace("T", " ")
    if name == "type":
        return value.split(".")[2]
    return ", ".join(_added(value)) if isinstance(value, list) else value


def _added(added: list[Mapping[str, Any]]) -> Iterator[str]:
    for each in added:
        yield " ".join(str(each[name]) for name in ("figure", "row", "added") if name in each)


def diff(
    context: typer.Context,
    before: Annotated[str, typer.Argument(help="A day or time")],
    after: Annotated[str, typer.Argument(help="A later one")],
    name: Annotated[str, typer.Argument(help="funnel, satisfaction or retention")],
    events: Annotated[bool, typer.Option("--events", help="The events in between")] = False,
    known: Annotated[
        bool, typer.Option("--known", help="Days of knowing: what a report would say anew")
    ] = False,
    as_of: Annotated[str | None, typer.Option(help="With --known: of what was so then")] = None,
    cell: CellOption = None,
    by: Annotated[str | None, typer.Option(help="With --key: region, owner, ...")] = None,
    key: Annotated[str | None, typer.Option(help="As in crm view --by; else without one")] = None,
    options: Annotated[
        list[str] | None, typer.Option("--set", help="Another parameter of the view: mode=flow")
    ] = None,
    output: OutputOption = None,
) -> None:
    """Print what changed from one day to another: before, after, difference; and its events.

    Example: crm diff 2026-02-28 2026-03-31 funnel --events; crm diff 2026-02-28 2026-03-31
    retention --cell 2026-01/2 --events
    """
    times = ("known_at_before", "known_at") if known else ("as_of_before", "as_of")
    asked: dict[str, Any] = {"as_of": as_of, "by": by, "key": key, **pairs(options or [])}
    asked |= {times[0]: before, times[1]: after, "events": events, "limit": _MOST}
    asked |= place_of(name, cell)
    with explained(dict(zip(times, _DATES, strict=True))), opened(context.obj) as transport:
        settle(transport)
        answer = transport.send("GET", f"/v1/views/{name}/diff", query=asked)
    how = chosen(output)
    if how is Output.JSON:
        print_json(answer)
    elif how is Output.CSV:
        print_csv(answer["events"] if events else [*answer["figures"], *answer["derived"]])
    else:
        _print_diff(answer)


def _print_diff(answer: Mapping[str, Any]) -> None:
    table("", _FIGURE, [[figure.get(name) for name in _FIGURE] for figure in answer["figures"]])
    derived = answer["derived"]
    rows = [[d["figure"], *(shown(d["figure"], d[name]) for name in _CHANGE)] for d in derived]
    if rows:
        table("", ("figure", *_CHANGE), rows)
    if answer.get("events") is not None:
        print_events("", answer)
