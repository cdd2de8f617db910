"""`crm view`: a view as a table, JSON or CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import typer

from crm_console.cli.failures import explained
from crm_console.cli.output import (
    Output,
    chosen,
    percent,
    print_csv,
    print_json,
    stdout,
    table,
    text,
)
from crm_console.cli.session import opened
from crm_console.settling import settle

_RATES: Final = frozenset(
    (
        "win_rate_closed",
        "won_share_all",
        "step_conversion",
        "overall_conversion",
        "drop_off",
        "stage_loss_rate",
        "response_rate",
        "survey_coverage",
        "top2_box",
        "top2_box_low",
        "top2_box_high",
        "bottom2_box",
        "repeat_rate",
        "repeat_rate_by_day",
        "customer_retention_rate",
        "customer_retention_rate_textbook",
        "转化率",
        "失败率",
    )
)
_STAGE_TABLE: Final = ("阶段", "客户数量", "转化率", "失败率", "备注")


def view(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="funnel, satisfaction or retention")],
    start: Annotated[str | None, typer.Option("--from", help="Begin of the period")] = None,
    end: Annotated[str | None, typer.Option("--to", help="End of the period, not included")] = None,
    as_of: Annotated[str | None, typer.Option(help="As it was at the end of this day")] = None,
    known_at: Annotated[str | None, typer.Option(help="As it was known by this time")] = None,
    by: Annotated[str | None, typer.Option(help="Break down, such as region or owner")] = None,
    mode: Annotated[str | None, typer.Option(help="cohort, snapshot, flow; classic, ...")] = None,
    options: Annotated[
        list[str] | None,
        typer.Option("--set", help="Another parameter of the view: pipeline=sales, every=30d"),
    ] = None,
    output: Annotated[Output | None, typer.Option("-o", "--output")] = None,
) -> None:
    """Print a view: what it says now, or what it said then.

    Example: crm view funnel --mode snapshot --by region --as-of 2026-03-31
    """
    asked = {
        "from": start,
        "to": end,
        "as_of": as_of,
        "known_at": known_at,
        "by": by,
        "mode": mode,
        **_pairs(options or []),
    }
    with explained(), opened(context.obj) as transport:
        settle(transport)
        answer = transport.send("GET", f"/v1/views/{name}", query=asked)
    shown = chosen(output)
    if shown is Output.JSON:
        print_json(answer)
    elif shown is Output.CSV:
        print_csv(_flat_rows(answer))
    else:
        print_view(answer)


def _pairs(options: Sequence[str]) -> dict[str, str]:
    pairs = [option.partition("=") for option in options]
    for name, equals, _ in pairs:
        if not equals:
            raise typer.BadParameter(f"--set takes name=value, not {name!r}")
    return {name: value for name, _, value in pairs}


def _flat_rows(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The rows, or with a breakdown the totals of each group with its key and name."""
    groups = answer.get("groups")
    if not groups:
        return list(answer["rows"])
    return [{"key": g["key"], "name": g.get("name"), **g["totals"]} for g in groups]


def print_view(answer: Mapping[str, Any]) -> None:
    """A view's answer as tables: its totals, its rows, its groups."""
    stdout.print(_title(answer), style="bold", highlight=False, soft_wrap=True)
    totals = [(name, _shown(name, value)) for name, value in answer["totals"].items()]
    table("", ("figure", "value"), totals)
    if answer.get("distribution"):
        table("", tuple(answer["distribution"]), [tuple(answer["distribution"].values())])
    if answer.get("groups"):
        _print_groups(answer["groups"])
    else:
        print_rows([row for row in answer["rows"] if "key" not in row])
    if answer.get("excluded"):
        left_out = ", ".join(f"{count} {reason}" for reason, count in answer["excluded"].items())
        table("", ("left out",), [(left_out,)])


def _title(answer: Mapping[str, Any]) -> str:
    definition, parameters = answer["definition"], dict(answer["parameters"])
    as_of = str(parameters.pop("as_of", ""))[:19].replace("T", " ")
    said = ", ".join(f"{name} {value}" for name, value in parameters.items())
    return f"{definition['id']} v{definition['version']} as of {as_of} UTC" + (
        f" ({said})" if said else ""
    )


def print_rows(rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows of any view: a funnel's five columns, a cohort triangle, or plainly."""
    if not rows:
        return
    if "cells" in rows[0]:
        _print_triangle(rows)
    elif _STAGE_TABLE[0] in rows[0]:
        table("", _STAGE_TABLE, [[_shown(c, row[c]) for c in _STAGE_TABLE] for row in rows])
    else:
        columns = [name for name in rows[0] if not isinstance(rows[0][name], dict)]
        table("", columns, [[_shown(c, row.get(c)) for c in columns] for row in rows])


def _print_triangle(rows: Sequence[Mapping[str, Any]]) -> None:
    widest = max(len(row["cells"]) for row in rows)
    lines = [
        [row["cohort"], row["size"]]
        + [_short(cell["retention"]) for cell in row["cells"]]
        + [""] * (widest - len(row["cells"]))
        for row in rows
    ]
    offsets = (str(offset) for offset in range(widest))
    table("retention in % by interval after the first", ("cohort", "size", *offsets), lines)


def _short(ratio: float | None) -> str:
    """A percentage with one decimal and without its sign, for wide tables."""
    return "–" if ratio is None else f"{ratio * 100:.1f}"


def _print_groups(groups: Sequence[Mapping[str, Any]]) -> None:
    columns = list(groups[0]["totals"])
    lines = [
        [group.get("name") or group["key"], *(_shown(c, group["totals"][c]) for c in columns)]
        for group in groups
    ]
    table("", ("group", *columns), lines)


def _shown(name: str, value: Any) -> str:
    return percent(value) if name in _RATES else text(value)
