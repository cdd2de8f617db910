"""`crm why`: what led to an event and what came of it, across the contexts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final
from uuid import UUID

import typer
from rich.text import Text
from rich.tree import Tree as Drawn

from crm_console.causes import MOST_EVENTS, Node, Tree, tree_of
from crm_console.cli.failures import explained
from crm_console.cli.figures import text
from crm_console.cli.opening import VIEWS, CellOption, place_of, why_number
from crm_console.cli.output import (
    Output,
    OutputOption,
    chosen,
    print_csv,
    print_json,
    say,
    stdout,
)
from crm_console.cli.session import opened
from crm_console.cli.viewing import pairs
from crm_console.settling import settle

_COLUMNS: Final = (
    "depth",
    "event",
    "when",
    "who",
    "context",
    "aggregate_id",
    "origin",
    "id",
    "says",
)
_OF_CELLS: Final = {"retention": "active", "satisfaction": "responses"}
_SHOWN: Final = 4
_LONGEST: Final = 28


def why(
    context: typer.Context,
    what: Annotated[str, typer.Argument(help="The id of an event, or a view")],
    figure: Annotated[
        str | None, typer.Option(help="Of a view: won, revenue, reached, ...")
    ] = None,
    row: Annotated[str | None, typer.Option(help="Its row: a stage by name, a score")] = None,
    cell: CellOption = None,
    by: Annotated[str | None, typer.Option(help="With --key: region, owner, ...")] = None,
    key: Annotated[str | None, typer.Option(help="As in crm view --by; else without one")] = None,
    as_of: Annotated[str | None, typer.Option(help="As it was at the end of this day")] = None,
    known_at: Annotated[str | None, typer.Option(help="As it was known by this time")] = None,
    options: Annotated[
        list[str] | None, typer.Option("--set", help="Another parameter of the view: mode=flow")
    ] = None,
    output: OutputOption = None,
) -> None:
    """Say why: the events behind a number of a view; or the tree of causes of an event, up to its
    command and down to everything it caused.

    The ids of events are in crm history TYPE ID -o json.

    Example: crm why funnel --figure won --as-of 2026-03-31; crm why retention --cell 2026-01/2;
    crm why satisfaction --cell 2026-05 --figure tickets
    """
    if what in VIEWS:
        asked = {"figure": figure, "row": row, "by": by, "key": key, "as_of": as_of}
        asked |= {"known_at": known_at, **pairs(options or []), **place_of(what, cell)}
        asked["figure"] = figure or (_OF_CELLS.get(what) if cell else None)
        why_number(context, what, asked, chosen(output))
        return
    _why_event(context, _event_id(what), output)


def _why_event(context: typer.Context, id: str, output: Output | None) -> None:
    with explained(), opened(context.obj) as transport:
        settle(transport)
        tree = tree_of(transport, id)
    _print(tree, chosen(output))
    if not tree.whole:
        say(f"There is more: only about the first {MOST_EVENTS:,} events are shown.")


def _event_id(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no view and no id of an event; crm history TYPE ID -o json tells them"
        ) from None


def _print(tree: Tree, output: Output) -> None:
    if output is Output.JSON:
        print_json(_document(tree))
    elif output is Output.CSV:
        print_csv([_line(depth, event) for depth, event in tree.walk()], _COLUMNS)
    else:
        stdout.print(_drawn(tree), soft_wrap=True)


def _document(tree: Tree) -> dict[str, Any]:
    first = tree.command
    return {
        "asked": tree.asked,
        "command": {name: first[name] for name in ("command_id", "correlation_id", "actor")},
        "whole": tree.whole,
        "events": [_nested(root) for root in tree.roots],
    }


def _nested(node: Node) -> dict[str, Any]:
    return {**node.event, "caused": [_nested(each) for each in node.caused]}


def _line(depth: int, event: Mapping[str, Any]) -> dict[str, Any]:
    told = {"depth": depth, "when": _when(event), "who": event["actor"]}
    return {name: told.get(name, event.get(name)) for name in _COLUMNS}


def _drawn(tree: Tree) -> Drawn:
    first = tree.command
    head = f"command {first['command_id']} by {first['actor']}, correlation "
    drawn = Drawn(Text(head + first["correlation_id"]), guide_style="dim")
    _hang(drawn, tree.roots, tree.asked)
    return drawn


def _hang(drawn: Drawn, nodes: Sequence[Node], asked: str) -> None:
    for node in nodes:
        _hang(drawn.add(_label(node.event, asked)), node.caused, asked)


def _label(event: Mapping[str, Any], asked: str) -> Text:
    this = event["id"] == asked
    label = Text("► " if this else "")
    label.append(event["event"], style="bold" if this else "")
    told = (_when(event), event["context"], event["aggregate_id"], f"by {event['actor']}")
    label.append("  ".join(("", *told)))
    if event["origin"] != "live":
        label.append(f"  {event['origin']}")
    return label.append(f"\n{_said(event['says'])}", style="dim")


def _said(says: Mapping[str, Any]) -> str:
    shown = [f"{name} {_short(value)}" for name, value in list(says.items())[:_SHOWN]]
    return ", ".join([*shown, "…"] if len(says) > _SHOWN else shown)


def _short(value: Any) -> str:
    shown = text(value)
    return shown if len(shown) <= _LONGEST + 8 else shown[:_LONGEST] + "…"


def _when(event: Mapping[str, Any]) -> str:
    return str(event["occurred_at"])[:19].replace("T", " ")
