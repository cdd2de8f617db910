"""The command's root: global options, and the commands by name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer
from crm_service.collector import spare_the_collector

from crm_console.cli.auditing import audit
from crm_console.cli.bringing import bring
from crm_console.cli.disclosing import export_subject
from crm_console.cli.erasing import erase_subject
from crm_console.cli.exporting import export_file
from crm_console.cli.keeping import keys
from crm_console.cli.listing import list_units
from crm_console.cli.opening import diff
from crm_console.cli.parking import parked
from crm_console.cli.rebuilding import rebuild, verifying
from crm_console.cli.recalling import as_of
from crm_console.cli.replaying import replay
from crm_console.cli.reporting import reports
from crm_console.cli.sampling import sample
from crm_console.cli.serving import serve
from crm_console.cli.session import target_of
from crm_console.cli.supposing import supposing
from crm_console.cli.telling import history
from crm_console.cli.tokens import tokens
from crm_console.cli.undo import undo
from crm_console.cli.viewing import view
from crm_console.cli.why import why

app: Final = typer.Typer(
    name="crm",
    help="The CRM that never forgets: any number as it was on any day, explained by its events.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(serve)
app.command("import", no_args_is_help=True)(bring)
app.command(no_args_is_help=True)(view)
app.command("as-of", no_args_is_help=True)(as_of)
app.command("list", no_args_is_help=True)(list_units)
app.command(no_args_is_help=True)(history)
app.command(no_args_is_help=True)(why)
app.command(no_args_is_help=True)(diff)
app.add_typer(supposing, name="what-if")
app.command(no_args_is_help=True)(rebuild)
app.add_typer(verifying, name="verify")
app.command(no_args_is_help=True)(replay)
app.command("erase", no_args_is_help=True)(erase_subject)
app.command("export-subject", no_args_is_help=True)(export_subject)
app.command(no_args_is_help=True)(undo)
app.command()(sample)
app.add_typer(audit, name="audit")
app.add_typer(reports, name="report")
app.command("export", no_args_is_help=True)(export_file)
app.add_typer(parked, name="parked")
app.add_typer(keys, name="keys")
app.add_typer(tokens, name="token")


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version  # noqa: PLC0415 - few ask, all would wait

        typer.echo(f"crm {version('crm-console')}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    home: Annotated[
        Path | None, typer.Option(envvar="CRM_HOME", help="Folder of the data; else ./.crm")
    ] = None,
    server: Annotated[
        str | None,
        typer.Option(envvar="CRM_SERVER", help="Address of a server; else who holds the home"),
    ] = None,
    token: Annotated[
        str | None, typer.Option(envvar="CRM_TOKEN", help="Token for that server")
    ] = None,
    _: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True)] = False,
) -> None:
    context.obj = target_of(home, server, token)


def main() -> None:
    """Run the command; wrong use ends with 2, failures with 1, refused rows with 3."""
    spare_the_collector()
    app()
