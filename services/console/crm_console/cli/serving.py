"""`crm serve`: everything in one process over the home, until it is stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crm_console.cli.failures import WRONG_USE, explained
from crm_console.cli.output import say


def serve(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="Else CRM_HOST, else 127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(help="Else CRM_PORT, else 8000")] = None,
    with_sample: Annotated[
        bool, typer.Option("--sample", help="Fill a new home with a made-up company first")
    ] = False,
    log_file: Annotated[
        Path | None, typer.Option(help="Where the log goes; else crm.log in the home")
    ] = None,
) -> None:
    """Serve the whole CRM from one folder: API, reactions and views in one process.

    Example: crm --home ./data serve --sample
    """
    # The other commands are spared the second that importing the application takes.
    from crm_console.cli.hosting import Wanted, host_home  # noqa: PLC0415

    if context.obj.server is not None:
        say("crm: serve works on a home; leave out --server and CRM_SERVER.")
        raise typer.Exit(WRONG_USE)
    with explained():
        raise typer.Exit(host_home(context.obj.home, Wanted(host, port, with_sample, log_file)))
