"""`crm rebuild` and `crm verify views`: a view computed anew, to replace it or to check it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import typer

from crm_console.cli.failures import FOUND_WRONG, explained
from crm_console.cli.following import UNTOUCHED, seconds_of, worked
from crm_console.cli.output import Output, OutputOption, chosen, print_json, print_list, say
from crm_console.cli.session import opened
from crm_console.interruption import Interrupted, interruptible
from crm_console.transport import Transport

ViewName = Annotated[str, typer.Argument(help="funnel, satisfaction, retention or names")]
AnewOption = Annotated[
    bool, typer.Option("--anew", help="Drop what an interrupted attempt left, do not go on")
]
verifying: Final = typer.Typer(
    help="Check what is derived against the log it is derived from.", no_args_is_help=True
)
_CHECKED: Final = {
    "view": "view",
    "equal": "equal",
    "events": "events",
    "position": "up to",
    "differences": "tables that differ",
}


def rebuild(
    context: typer.Context,
    view: ViewName,
    plan: Annotated[
        bool, typer.Option("--plan", help="Say what it would do, and do nothing")
    ] = False,
    anew: AnewOption = False,
    output: OutputOption = None,
) -> None:
    """Compute a view anew from the log, beside the live one, and put it in its place.

    Readers notice nothing, and writes go on. Ctrl-C interrupts it: the live view is as it was, and
    the same command goes on where it was interrupted, or follows a rebuild that is under way. What
    it replaces is kept until the next rebuild.

    Example: crm rebuild funnel --plan
    """
    with explained(), interruptible(UNTOUCHED), opened(context.obj) as transport:
        if plan:
            _print_plan(transport.send("GET", f"/v1/views/jobs/{view}:plan"), output)
        else:
            again = f"crm rebuild {view}"
            _print_rebuilt(worked(transport, again, kind="rebuild", view=view, anew=anew), output)


def _print_plan(found: Mapping[str, Any], output: Output | None) -> None:
    if chosen(output) is Output.JSON:
        print_json(found)
        return
    seconds, size = found["seconds"], found["bytes"]
    lines = {
        "reads": f"{found['events']:,} events, up to {positions(found['position'])}",
        "writes": ", ".join(f"{rows:,} rows of {name}" for name, rows in found["rows"].items()),
        "takes": "unknown, for none was made yet" if seconds is None else _about(found),
        "needs": "unknown" if size is None else f"{size / 1e6:,.1f} MB beside what there is",
    }
    rows = [{"what": name, "plan": text} for name, text in lines.items()]
    print_list(output, {"what": f"rebuild {found['view']}", "plan": "plan"}, rows)


def _about(found: Mapping[str, Any]) -> str:
    return f"about {found['seconds']:,.1f} s at the last {found['rate']:,.0f} events/s"


def positions(position: Mapping[str, int]) -> str:
    """As the options take them."""
    return " ".join(f"{context}/*/{sequence}" for context, sequence in position.items())


def _print_rebuilt(job: Mapping[str, Any], output: Output | None) -> None:
    if chosen(output) is Output.JSON:
        print_json(job)
        return
    seconds = seconds_of(job)
    row = {
        "view": job["view"],
        "generation": job["result"]["generation"],
        "events": job["events"],
        "seconds": round(seconds, 2),
        "rate": round((job["events"] - (job["continued"] or 0)) / seconds) if seconds else None,
    }
    print_list(output, {name: name for name in row}, [row])


@verifying.callback()
def _checks() -> None:
    """What can be checked."""


@verifying.command("views")
def verify_views(
    context: typer.Context,
    views: Annotated[list[str] | None, typer.Argument(help="Which; all without it")] = None,
    anew: AnewOption = False,
    output: OutputOption = None,
) -> None:
    """Compute views anew into scratch tables, and compare them with the live ones.

    Row by row, and by the sums over the ids of all events taken, at one position; writes go on
    meanwhile. Ends with 0 where all are equal, with 3 and what differs where one is not. Ctrl-C
    tells what was found until then, and which command goes on where it was.

    Example: crm verify views funnel
    """
    with explained(), interruptible(UNTOUCHED), opened(context.obj) as transport:
        verdicts = checked(transport, views or _views(transport), anew, output)
    _print_verdicts(verdicts, output)
    if not all(verdict["equal"] for verdict in verdicts):
        raise typer.Exit(FOUND_WRONG)


def _views(transport: Transport) -> list[str]:
    return [view["name"] for view in transport.send("GET", "/v1/views")["views"]]


def checked(
    transport: Transport, names: Sequence[str], anew: bool, output: Output | None
) -> Sequence[Mapping[str, Any]]:
    """A verdict on each view; of those that Ctrl-C found done, they are printed."""
    verdicts: list[Mapping[str, Any]] = []
    try:
        while rest := names[len(verdicts) :]:
            verdicts.append(_checked(transport, rest, anew))
    except Interrupted:
        _print_verdicts(verdicts, output)
        raise
    return verdicts


def _checked(transport: Transport, names: Sequence[str], anew: bool) -> Mapping[str, Any]:
    """The first of them."""
    again = f"crm verify views {' '.join(names)}"
    job = worked(transport, again, kind="verify", view=names[0], anew=anew)
    return {"view": job["view"], **job["result"]}


def _print_verdicts(verdicts: Sequence[Mapping[str, Any]], output: Output | None) -> None:
    if chosen(output) is Output.JSON:
        print_json(verdicts)
        return
    rows = [
        {
            **verdict,
            "equal": "yes" if verdict["equal"] else "NO",
            "position": positions(verdict["position"]),
            "differences": ", ".join(found["what"] for found in verdict["differences"]),
        }
        for verdict in verdicts
    ]
    print_list(output, _CHECKED, rows)
    for verdict in verdicts:
        for found in verdict["differences"]:
            _say_difference(verdict["view"], found)


def _say_difference(view: str, found: Mapping[str, Any]) -> None:
    say(
        f"{view}: {found['what']}: {found['only_live']} only live, "
        f"{found['only_log']} only by the log"
    )
    for sample in found["samples"]:
        say(f"  {sample}")
    if found["units"]:
        say(f"  of {', '.join(found['units'])}")
