"""`crm parked`: events that could not be applied to a view, and what to do with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from crm_console.cli.failures import FAILED, explained
from crm_console.cli.output import OutputOption, print_list, say
from crm_console.cli.session import opened

parked: Final = typer.Typer(
    help="Events that a view could not take; those of the same thing wait behind them.",
    no_args_is_help=True,
)


_COLUMNS: Final = {
    "id": "id",
    "view": "view",
    "kind": "kind",
    "type": "type",
    "aggregate_id": "thing",
    "reason": "reason",
}
_PAGE: Final = 500


@parked.command("list")
def list_(context: typer.Context, output: OutputOption = None) -> None:
    """List parked events, the oldest first.

    Example: crm parked list -o csv
    """
    letters: list[dict[str, Any]] = []
    with explained(), opened(context.obj) as transport:
        after: int | None = 0
        while after is not None:
            query = {"cursor": after, "limit": _PAGE}
            page = transport.send("GET", "/v1/views/parked", query=query)
            letters += page["parked"]
            after = page["next"]
    print_list(output, _COLUMNS, letters)


@parked.command()
def retry(
    context: typer.Context, letter: Annotated[int, typer.Argument(help="Id from crm parked list")]
) -> None:
    """Decode and apply a parked event and those behind it, in order.

    Example: crm parked retry 7
    """
    with explained(), opened(context.obj) as transport:
        _tell(letter, transport.send("POST", f"/v1/views/parked/{letter}:retry", body={}))


@parked.command()
def skip(
    context: typer.Context,
    letter: Annotated[int, typer.Argument(help="Id from crm parked list")],
    reason: Annotated[str, typer.Option(help="Why it may be left out; kept with your name")],
) -> None:
    """Leave a parked event out of its view for good, and apply those behind it.

    Example: crm parked skip 7 --reason "a test of the new form"
    """
    body = {"reason": reason}
    with explained(), opened(context.obj) as transport:
        _tell(letter, transport.send("POST", f"/v1/views/parked/{letter}:skip", body=body))


def _tell(letter: int, found: Mapping[str, Any]) -> None:
    """What became of the event and of those behind it. Exits with 1 where some stay parked."""
    say(f"{letter}: {found['applied']} applied, {found['skipped']} skipped.")
    if found["parked"]:
        say(f"crm: {found['parked']} stay parked: {found['reason']}")
        raise typer.Exit(FAILED)
