"""`crm report`: figures that can be cited, and asked for again to the byte."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from crm_console.cli.asking import (
    AsOfOption,
    ByOption,
    FromOption,
    KnownAtOption,
    ModeOption,
    ToOption,
)
from crm_console.cli.failures import FOUND_WRONG, explained
from crm_console.cli.output import Output, OutputOption, chosen, print_csv, print_json, say
from crm_console.cli.restating import print_restated
from crm_console.cli.session import opened
from crm_console.cli.view_tables import print_view, records
from crm_console.cli.viewing import pairs
from crm_console.files import written_whole
from crm_console.reports import Citation, Report, cited, run
from crm_console.restating import restatement
from crm_console.settling import settle
from crm_console.transport import Connection

reports: Final = typer.Typer(
    help="Figures that can be cited, and asked for again to the byte.", no_args_is_help=True
)


@reports.command("run")
def run_report(
    context: typer.Context,
    view: Annotated[str, typer.Argument(help="funnel, satisfaction or retention")],
    start: FromOption = None,
    end: ToOption = None,
    as_of: AsOfOption = None,
    known_at: KnownAtOption = None,
    by: ByOption = None,
    mode: ModeOption = None,
    options: Annotated[
        list[str] | None, typer.Option("--set", help="Another parameter of the view: every=30d")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Keep citation and report in this file")] = None,
    output: OutputOption = None,
) -> None:
    """Print a view as a report: at a position, with a citation that gives the same bytes for ever.

    It is named by its view and what is asked of it; nothing is kept but the file you ask for.
    While events are parked, or the time known at is not over, it cannot be cited: that is said,
    nothing is kept, and the exit code is 3.

    Example: crm report run funnel --by region --as-of 2026-03-31 --out q1.report
    """
    asked = {"from": start, "to": end, "as_of": as_of, "known_at": known_at, "by": by, "mode": mode}
    with explained(), opened(context.obj) as transport:
        settle(transport)
        found = run(transport, view, {**asked, **pairs(options or [])})
        if found.head["citable"] and out is not None:
            with written_whole(out) as file:
                file.write(found.lines())
        _print(transport, found, output)
    if not found.head["citable"]:
        say(f"crm: not citable: {'; '.join(found.head['not_citable'])}.")
        raise typer.Exit(FOUND_WRONG)
    say(found.text)


@reports.command("cite")
def cite_report(
    context: typer.Context,
    citation: Annotated[str, typer.Argument(help="A citation, or a file that `run --out` kept")],
    restated: Annotated[
        bool, typer.Option("--restated", help="What its figures would be today, and why")
    ] = False,
    key: Annotated[
        str | None, typer.Option(help="With --restated: this group of a report that has groups")
    ] = None,
    output: OutputOption = None,
) -> None:
    """Ask for a cited report again, and say whether it is the same to the byte.

    Ends with 0 where it is; with 3 where it is not, and why: another version of the definition, or
    a position that the view does not hold. With --restated, lists every figure as it was published
    and as the same question is answered today, and the events recorded since that add up to the
    difference.

    Example: crm report cite q1.report --restated
    """
    if key is not None and not restated:
        raise typer.BadParameter("--key goes with --restated")
    with explained(), opened(context.obj) as transport:
        old = cited(citation)
        found = run(transport, old.view, old.query)
        if restated and found.head["citation"]["sha256"] == old.sha256:
            settle(transport)
            print_restated(restatement(transport, old, key), chosen(output))
            return
        _print(transport, found, output)
    _judge(found, old)


def _judge(found: Report, old: Citation) -> None:
    """Say whether the bytes are the cited ones. Ends with 3 where they are not."""
    now = found.head["citation"]
    if now["sha256"] == old.sha256:
        say(f"The same bytes as cited: sha256 {old.sha256}.")
        return
    say(f"crm: not the same bytes: sha256 {now['sha256']}, cited was {old.sha256}.")
    if now["version"] != old.version:
        say(f"{old.view} is definition {now['version']} now; cited was {old.version}.")
    for reason in found.head["not_citable"]:
        say(f"It may change: {reason}.")
    raise typer.Exit(FOUND_WRONG)


def _print(transport: Connection, found: Report, output: Output | None) -> None:
    """Names are looked up to be shown, and are no part of the report."""
    how = chosen(output)
    if how is Output.JSON:
        print_json({**found.head, "report": found.content})
    elif how is Output.CSV:
        print_csv(records(_shown(found)))
    else:
        print_view(transport.send("GET", f"/v1/views/{_view(found)}", query=_query(found)))


def _view(found: Report) -> str:
    return str(found.head["citation"]["view"])


def _query(found: Report) -> dict[str, Any]:
    return cited(found.text).query


def _shown(found: Report) -> dict[str, Any]:
    """As an answer of the view has it, with ids for names."""
    content = found.content
    groups = content["groups"]
    named = None if groups is None else [{**group, "name": group["key"]} for group in groups]
    return {**content, "groups": named}
