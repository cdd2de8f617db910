"""`crm replay`: the log folded again up to a time or a position, beside everything."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import typer

from crm_console.cli.failures import explained
from crm_console.cli.following import UNTOUCHED, worked
from crm_console.cli.output import Output, OutputOption, chosen, print_json, print_list, say
from crm_console.cli.rebuilding import AnewOption, ViewName, positions
from crm_console.cli.session import opened
from crm_console.interruption import interruptible

_POSITION: Final = re.compile(r"[a-z]+/\*/\d{1,18}", re.ASCII)
_FORM: Final = (
    "name it of each context of the view, as @pipeline/*/120 of retention or "
    "@contacts/*/80,pipeline/*/120 of funnel"
)


def replay(
    context: typer.Context,
    view: ViewName,
    to: Annotated[
        str | None,
        typer.Option(
            help="What was recorded by the end of this day or by this time; or a position after @, "
            "as @pipeline/*/120,contacts/*/80; else all that the view knows"
        ),
    ] = None,
    _: Annotated[
        Literal["scratch"], typer.Option("--into", help="Scratch tables, dropped at the end")
    ] = "scratch",
    from_kafka: Annotated[bool, typer.Option("--from-kafka", help="Read the topics")] = False,
    from_stores: Annotated[
        bool, typer.Option("--from-stores", help="Read the contexts' own stores")
    ] = False,
    anew: AnewOption = False,
    output: OutputOption = None,
) -> None:
    """Fold the log again without touching live data, and print rows and digest.

    A time cuts what was *recorded* (by the last mark at or before it), whatever it says about when
    it took effect; that is what `crm view --as-of` asks. The digest is the same from Kafka and from
    the stores, on SQLite and on PostgreSQL. One that was interrupted goes on where it was; from a
    copy of the log that is named it begins anew.

    Example: crm replay funnel --to 2026-03-31
    """
    asked = {**_until(to), "origin": _origin(from_kafka, from_stores), "anew": anew}
    again = "the same command without --anew" if anew else "the same command"
    called = {"at": "--to", "to": "--to"}
    with explained(called), interruptible(UNTOUCHED), opened(context.obj) as transport:
        job = worked(transport, again, kind="replay", view=view, **asked)
    _print(job, output)


def _until(to: str | None) -> dict[str, Any]:
    if to is None:
        return {}
    if to.startswith("@"):
        parts = [part.strip() for part in to[1:].split(",")]
        if not all(map(_POSITION.fullmatch, parts)):
            raise typer.BadParameter(f"{to!r} is no position; {_FORM}")
        return {"at": parts}
    return {"to": to}


def _origin(kafka: bool, stores: bool) -> str:
    if kafka and stores:
        raise typer.BadParameter("name one of --from-kafka and --from-stores, not both")
    return "kafka" if kafka else "stores" if stores else "log"


def _print(job: Mapping[str, Any], output: Output | None) -> None:
    found = job["result"]
    if chosen(output) is Output.JSON:
        print_json({"view": job["view"], "definition_version": job["definition_version"], **found})
        return
    print_list(output, {"name": "table", "rows": "rows", "digest": "digest"}, found["tables"])
    say(f"{found['events']} events up to {positions(found['position'])}; digest {found['digest']}")
    if found["parked"]:
        say(f"{found['parked']} events could not be applied and are left out.")
