"""A view's answer as tables for a terminal, and as plain records for CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from crm_console.cli.figures import ABSENT, called, shown, telling
from crm_console.cli.output import stdout, table

Record = Mapping[str, Any]
_STAGE_TABLE: Final = ("阶段", "客户数量", "转化率", "失败率", "备注")
_COHORT_WIDTH: Final = 20
_CELL_WIDTH: Final = 9


def print_view(answer: Record) -> None:
    """A view's answer as tables: its totals, its rows or groups, and what weakens it."""
    stdout.print(_title(answer), style="bold", highlight=False, markup=False, soft_wrap=True)
    totals = [(called(name), shown(name, value)) for name, value in answer["totals"].items()]
    table("", ("figure", "value"), totals)
    if answer.get("distribution"):
        scores = answer["distribution"]
        table("", ("score", *scores), [("answers", *scores.values())])
    if answer.get("groups"):
        _print_groups(answer["definition"]["id"], answer["parameters"]["by"], answer["groups"])
    else:
        _print_rows([row for row in answer["rows"] if "key" not in row])
    _print_reservations(answer)


def _title(answer: Record) -> str:
    definition, parameters = answer["definition"], dict(answer["parameters"])
    as_of = str(parameters.pop("as_of", ""))[:19].replace("T", " ")
    said = ", ".join(f"{name} {value}" for name, value in parameters.items())
    return f"{definition['id']} v{definition['version']} as of {as_of} UTC" + (
        f" ({said})" if said else ""
    )


def _print_reservations(answer: Record) -> None:
    """What was left out, and why the same question may have another answer later."""
    left_out = [f"left out: {n:,} {reason}" for reason, n in answer.get("excluded", {}).items()]
    not_final = [f"not final: {reason}" for reason in answer.get("not_citable", ())]
    for line in (*left_out, *not_final):
        stdout.print(line, highlight=False, markup=False, soft_wrap=True)


def _print_rows(rows: Sequence[Record]) -> None:
    """Rows of any view: a funnel's five columns, a cohort triangle, or plainly."""
    if not rows:
        return
    if "cells" in rows[0]:
        _print_triangle(rows)
        return
    plain = [name for name in rows[0] if not isinstance(rows[0][name], dict)]
    columns = _STAGE_TABLE if _STAGE_TABLE[0] in rows[0] else plain
    lines = [[shown(name, row.get(name)) for name in columns] for row in rows]
    table("", [called(name) for name in columns], lines)


def _print_triangle(rows: Sequence[Record]) -> None:
    """As many intervals as the terminal has room for."""
    widest = max(len(row["cells"]) for row in rows)
    fit = min(widest, max(1, (stdout.width - _COHORT_WIDTH) // _CELL_WIDTH))
    title = "retention in % by interval after the first; * is not over yet"
    if fit < widest:
        title += f"; {fit} of {widest} intervals, -o csv has all"
    lines = [[row["cohort"], row["size"], *_cells(row["cells"], fit)] for row in rows]
    table(title, ("cohort", "size", *map(str, range(fit))), lines)


def _cells(cells: Sequence[Record], fit: int) -> list[str]:
    shares = [_share(cell) for cell in cells[:fit]]
    return shares + [""] * (fit - len(shares))


def _share(cell: Record) -> str:
    """A percentage with one decimal and without its sign, for wide tables."""
    if cell["retention"] is None:
        return ABSENT
    return f"{cell['retention'] * 100:.1f}" + ("" if cell["complete"] else "*")


def _print_groups(view: str, by: str, groups: Sequence[Record]) -> None:
    figures = telling(view, list(groups[0]["totals"]))
    lines = [
        [group.get("name") or group["key"], *(shown(f, group["totals"][f]) for f in figures)]
        for group in groups
    ]
    table("", (by, *map(called, figures)), lines)


def records(answer: Record) -> list[Record]:
    """The answer's rows, or with a breakdown the totals of each group with its key and name.

    Cohorts become one record for each of their intervals. Where there are no rows, the totals are
    the one record.
    """
    groups = answer.get("groups")
    if not groups:
        return list(_unfolded(answer["rows"])) or [answer["totals"]]
    if any("cells" in row for row in groups[0].get("rows", ())):
        return [{**_of(group), **row} for group in groups for row in _unfolded(group["rows"])]
    return [{**_of(group), **group["totals"]} for group in groups]


def _of(group: Record) -> Record:
    return {"key": group["key"], "name": group.get("name")}


def _unfolded(rows: Sequence[Record]) -> Iterator[Record]:
    for row in rows:
        if "cells" not in row:
            yield row
            continue
        cohort = {name: value for name, value in row.items() if name != "cells"}
        yield from ({**cohort, **cell} for cell in row["cells"])
