"""`crm what-if`: a view under another policy beside the live one, over the same history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from crm_console.cli.failures import explained
from crm_console.cli.figures import ABSENT, called, shown
from crm_console.cli.output import (
    Output,
    OutputOption,
    chosen,
    print_csv,
    print_json,
    stdout,
    table,
)
from crm_console.cli.session import opened
from crm_console.cli.viewing import pairs
from crm_console.policies import policy_in
from crm_console.settling import settle

supposing: Final = typer.Typer(
    help="A view under another policy, beside the live one; nothing is written.",
    no_args_is_help=True,
)
_FIGURE: Final = ("figure", "group", "row", "live", "what_if", "difference")
_HEADS: Final = ("live", "what if", "difference")
Start = Annotated[str | None, typer.Option("--from", help="Begin of the period")]
End = Annotated[str | None, typer.Option("--to", help="End of the period, not included")]
AsOf = Annotated[str | None, typer.Option(help="As it was at the end of this day")]
KnownAt = Annotated[str | None, typer.Option(help="As it was known by this time")]
By = Annotated[str | None, typer.Option(help="Break down, as in crm view")]
Options = Annotated[
    list[str] | None, typer.Option("--set", help="Another parameter of the view: pipeline=sales")
]


@supposing.callback()
def _views() -> None:
    """What can be supposed."""


@supposing.command("funnel")
def what_if_funnel(
    context: typer.Context,
    stages: Annotated[Path, typer.Option(help="The new stages; each says which old ones it is")],
    start: Start = None,
    end: End = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    by: By = None,
    mode: Annotated[str | None, typer.Option(help="cohort, snapshot, flow or trend")] = None,
    options: Options = None,
    output: OutputOption = None,
) -> None:
    """The funnel of a pipeline as if it had always had other stages.

    FILE is TOML (or .json) with a [[stages]] for each new stage: key, name, rank (1, 2, ...),
    from = ["old", "older"] (its own key where absent), and if you like probability and note. Every
    old stage has to be named once. A move between stages that become one is none any more.

    Example: crm what-if funnel --stages two-stages.toml --by region --as-of 2026-03-31
    """
    asked = {"from": start, "to": end, "as_of": as_of, "known_at": known_at, "by": by}
    asked |= {"mode": mode, **pairs(options or [])}
    _suppose(context, "funnel", stages, asked, output)


@supposing.command("satisfaction")
def what_if_satisfaction(
    context: typer.Context,
    policy: Annotated[Path, typer.Option(help="The rule of surveys")],
    start: Start = None,
    end: End = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    by: By = None,
    options: Options = None,
    output: OutputOption = None,
) -> None:
    """Satisfaction as if surveys had been counted by another rule.

    FILE is TOML (or .json) with any of: satisfied_from (4), dissatisfied_upto (2), answer ("last"
    or "first"), lock_days (answers so long after the first change nothing; absent: as they were
    taken in). Answers that were refused then are in no history. There is no view of SLA yet.

    Example: crm what-if satisfaction --policy strict.toml --by team --from 2026-01-01
    """
    asked = {"from": start, "to": end, "as_of": as_of, "known_at": known_at, "by": by}
    _suppose(context, "satisfaction", policy, asked | pairs(options or []), output)


def _suppose(
    context: typer.Context,
    view: str,
    file: Path,
    asked: Mapping[str, Any],
    output: Output | None,
) -> None:
    with explained():
        policy = policy_in(file)
        with opened(context.obj) as transport:
            settle(transport)
            path = f"/v1/views/{view}/what-if"
            answer = transport.send("POST", path, body=policy, query=asked)
    _print(answer, chosen(output))


def _print(answer: Mapping[str, Any], output: Output) -> None:
    if output is Output.JSON:
        print_json(answer)
    elif output is Output.CSV:
        print_csv(answer["differences"], _FIGURE)
    else:
        _print_tables(answer["live"], answer["differences"])


def _print_tables(live: Mapping[str, Any], figures: Sequence[Mapping[str, Any]]) -> None:
    """The whole, its rows, and the totals of groups; what groups say of rows is in CSV and JSON."""
    definition = live["definition"]
    as_of = str(live["parameters"]["as_of"])[:19].replace("T", " ")
    title = f"what if: {definition['id']} v{definition['version']} as of {as_of} UTC"
    stdout.print(title, style="bold", highlight=False, markup=False, soft_wrap=True)
    for places in ((), ("row",), ("group",)):
        found = [each for each in figures if _place(each) == places]
        if found:
            lines = [[*_labels(each, places), *_values(each)] for each in found]
            table("", (*places, "figure", *_HEADS), lines)


def _place(figure: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(name for name in ("group", "row") if name in figure)


def _labels(figure: Mapping[str, Any], places: Sequence[str]) -> list[str]:
    labels = [ABSENT if figure[name] is None else str(figure[name]) for name in places]
    return [*labels, called(figure["figure"])]


def _values(figure: Mapping[str, Any]) -> list[str]:
    return [shown(figure["figure"], figure[name]) for name in ("live", "what_if", "difference")]
