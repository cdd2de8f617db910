"""`crm view`: a view as a table, JSON or CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from crm_console.cli.asking import (
    AsOfOption,
    ByOption,
    FromOption,
    KnownAtOption,
    ModeOption,
    ToOption,
)
from crm_console.cli.failures import NOTHING, explained
from crm_console.cli.output import Output, OutputOption, chosen, print_csv, print_json
from crm_console.cli.session import opened
from crm_console.cli.view_tables import print_view, records
from crm_console.settling import settle


def view(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="funnel, satisfaction or retention")],
    start: FromOption = None,
    end: ToOption = None,
    as_of: AsOfOption = None,
    known_at: KnownAtOption = None,
    by: ByOption = None,
    mode: ModeOption = None,
    options: Annotated[
        list[str] | None,
        typer.Option("--set", help="Another parameter of the view: pipeline=sales, every=30d"),
    ] = None,
    output: OutputOption = None,
) -> None:
    """Print a view: what it says now, or what it said then.

    Tables show the most telling figures, JSON and CSV all of them.

    Example: crm view funnel --mode snapshot --by region --as-of 2026-03-31
    """
    asked = {
        "from": start,
        "to": end,
        "as_of": as_of,
        "known_at": known_at,
        "by": by,
        "mode": mode,
        **pairs(options or []),
    }
    print_asked(context, name, asked, output)


def print_asked(
    context: typer.Context,
    name: str,
    asked: Mapping[str, str | None],
    output: Output | None,
    called: Mapping[str, str] = NOTHING,
) -> None:
    """Print a view's answer to these parameters, once it has seen everything."""
    with explained(called), opened(context.obj) as transport:
        settle(transport)
        answer = transport.send("GET", f"/v1/views/{name}", query=asked)
    _print(answer, chosen(output))


def pairs(options: Sequence[str]) -> dict[str, str]:
    """Parameters given as name=value."""
    found = [option.partition("=") for option in options]
    for name, equals, _ in found:
        if not equals:
            raise typer.BadParameter(f"--set takes name=value, not {name!r}")
    return {name: value for name, _, value in found}


def _print(answer: dict[str, Any], output: Output) -> None:
    if output is Output.JSON:
        print_json(answer)
    elif output is Output.CSV:
        print_csv(records(answer))
    else:
        print_view(answer)
