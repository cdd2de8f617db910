"""`crm parked`: events that could not be applied to a view, and what to do with them."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from crm_console.cli.failures import explained
from crm_console.cli.output import Output, chosen, print_json, say, table
from crm_console.cli.session import opened

parked: Final = typer.Typer(
    help="Events that a view could not take; those of the same thing wait behind them.",
    no_args_is_help=True,
)


@parked.command("list")
def list_(
    context: typer.Context,
    output: Annotated[Output | None, typer.Option("-o", "--output")] = None,
) -> None:
    """List parked events, the oldest first."""
    with explained(), opened(context.obj) as transport:
        found = transport.send("GET", "/v1/views/parked")
    letters: list[dict[str, Any]] = found["parked"]
    if chosen(output) is not Output.TABLE:
        print_json(found)
        return
    columns = ("id", "view", "type", "aggregate_id", "reason")
    table("", columns, [[letter.get(name) for name in columns] for letter in letters])


@parked.command()
def retry(
    context: typer.Context, letter: Annotated[str, typer.Argument(help="Id from crm parked list")]
) -> None:
    """Decode and apply a parked event and those behind it, in order."""
    with explained(), opened(context.obj) as transport:
        transport.send("POST", f"/v1/views/parked/{letter}:retry", body={})
        say(f"{letter} is applied.")


@parked.command()
def skip(
    context: typer.Context,
    letter: Annotated[str, typer.Argument(help="Id from crm parked list")],
    reason: Annotated[str, typer.Option(help="Why it may be left out; kept with your name")],
) -> None:
    """Leave a parked event out of its view for good, and apply those behind it."""
    with explained(), opened(context.obj) as transport:
        transport.send("POST", f"/v1/views/parked/{letter}:skip", body={"reason": reason})
        say(f"{letter} is skipped.")
