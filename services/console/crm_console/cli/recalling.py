"""`crm as-of`: a view, or one thing, as it was at the end of a day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from crm_console.cli.failures import explained
from crm_console.cli.opening import VIEWS
from crm_console.cli.output import Output, OutputOption, chosen, print_csv, print_json, table
from crm_console.cli.session import opened
from crm_console.cli.viewing import pairs, print_asked
from crm_console.things import Kind, history_of

_COLUMNS: Final = ("field", "value")
_CALLED: Final = {"as_of": "the date"}


def as_of(
    context: typer.Context,
    date: Annotated[str, typer.Argument(help="A day, whose end is meant, or a time")],
    what: Annotated[str, typer.Argument(help="A view, or deal, contact, lead, ticket, ...")],
    id: Annotated[str | None, typer.Argument(help="Of a thing: its id")] = None,
    known_at: Annotated[str | None, typer.Option(help="As it was known by this time")] = None,
    start: Annotated[str | None, typer.Option("--from", help="Of a view: begin of period")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Of a view: end of the period")] = None,
    by: Annotated[str | None, typer.Option(help="Of a view: break down by")] = None,
    mode: Annotated[str | None, typer.Option(help="Of a view: cohort, snapshot, ...")] = None,
    options: Annotated[
        list[str] | None, typer.Option("--set", help="Of a view: another parameter of it")
    ] = None,
    output: OutputOption = None,
) -> None:
    """Print what was so on a day: a view's figures, or every field of one thing.

    Example: crm as-of 2026-03-31 deal 0190b8a4-3f6e-7c51-9d2e-5f0a6b1c2d3e --known-at 2026-04-15
    """
    asked = {"from": start, "to": end, "by": by, "mode": mode, **pairs(options or [])}
    given = {name: value for name, value in asked.items() if value is not None}
    if what in VIEWS:
        _refuse(id is not None, f"{what} is a view and has no id")
        times = {"as_of": date, "known_at": known_at}
        print_asked(context, what, {**given, **times}, output, _CALLED)
        return
    _refuse(what not in list(Kind), f"{what!r} is neither of {', '.join((*VIEWS, *Kind))}")
    _refuse(id is None, f"name the {what} by its id, as in crm list deals")
    _refuse(bool(given), f"only views take parameters, not a {what}")
    with explained(_CALLED), opened(context.obj) as transport:
        found = history_of(transport, Kind(what), str(id), date, known_at)
    _print(what, found, chosen(output))


def _refuse(wrong: bool, why: str) -> None:
    if wrong:
        raise typer.BadParameter(why)


def _print(kind: str, found: Mapping[str, Any], output: Output) -> None:
    record = found["record"]
    if output is Output.JSON:
        print_json(_document(kind, found))
    elif output is Output.CSV:
        print_csv([{"field": name, "value": value} for name, value in record.items()], _COLUMNS)
    else:
        table(_title(kind, found), _COLUMNS, list(record.items()))


def _document(kind: str, found: Mapping[str, Any]) -> dict[str, Any]:
    last = {name: value for name, value in found["events"][-1].items() if name != "changes"}
    about = {name: found[name] for name in ("id", "as_of", "known_at", "record")}
    return {"kind": kind, **about, "last": last}


def _title(kind: str, found: Mapping[str, Any]) -> str:
    last = found["events"][-1]
    known = f", known by {_moment(found['known_at'])}" if found["known_at"] else ""
    return (
        f"{kind} {found['id']} as of {_moment(found['as_of'])} UTC{known}; "
        f"last was {last['event']}, {_moment(last['occurred_at'])}, by {last['actor']}"
    )


def _moment(text: str) -> str:
    return text[:19].replace("T", " ")
