"""What the command prints: tables for people, JSON and CSV for machines; progress beside it."""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated, Any, Final

import typer
from rich import box
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from crm_console.cli.figures import text

_WIDE: Final = 160
stdout: Final = Console(width=None if sys.stdout.isatty() else _WIDE)
stderr: Final = Console(stderr=True)
_NUMBER: Final = re.compile(r"–|[-+]?\d[\d,.]*\*?( %| [A-Z]{3})?|")


class Output(StrEnum):
    """How to print: `table` is the default on a terminal, `json` in a pipe."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


OutputOption = Annotated[
    Output | None,
    typer.Option("-o", "--output", help="Else a table on a terminal, and JSON in a pipe"),
]


def chosen(output: Output | None) -> Output:
    """What was asked for, else what fits where the output goes."""
    if output is not None:
        return output
    return Output.TABLE if sys.stdout.isatty() else Output.JSON


def print_json(document: Any) -> None:
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def print_csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = ()) -> None:
    """One line for each row; `columns` come first, and stand there where there are no rows."""
    every = list(dict.fromkeys([*columns, *(name for row in rows for name in row)]))
    writer = csv.writer(sys.stdout)
    writer.writerow(every)
    for row in rows:
        writer.writerow([_plain(row.get(name)) for name in every])


def print_list(
    output: Output | None, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Records in the way that was asked for; a table has these columns, under these names."""
    how = chosen(output)
    if how is Output.JSON:
        print_json(rows)
    elif how is Output.CSV:
        print_csv(rows, list(columns))
    else:
        table("", list(columns.values()), [[row.get(name) for name in columns] for row in rows])


def print_record(output: Output | None, record: Mapping[str, Any]) -> None:
    """One record; its table has a line for each field, as a line of many would be cut."""
    if chosen(output) is Output.TABLE:
        table("", ("field", "value"), [[name, value] for name, value in record.items()])
    else:
        print_list(output, {name: name for name in record}, [record])


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict) and set(value) == {"amount", "currency"}:
        return str(value["amount"])
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A table on standard output; numbers to the right, what is absent as –."""
    drawn = Table(title=title or None, title_justify="left", title_style="bold", box=box.ROUNDED)
    lines = [[text(value) for value in row] for row in rows]
    for index, name in enumerate(columns):
        numbers = all(_NUMBER.fullmatch(line[index]) for line in lines)
        drawn.add_column(name, justify="right" if numbers and lines else "left")
    for line in lines:
        drawn.add_row(*(Text(cell) for cell in line))
    stdout.print(drawn)


class _Rate(ProgressColumn):
    """How many a second."""

    def render(self, task: Task) -> Text:
        return Text("" if task.speed is None else f"{task.speed:,.0f}/s")


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Progress]:
    """A bar on standard error while something long goes on; silent where nobody watches."""
    counted = (MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    columns = (TextColumn("{task.description}"), BarColumn())
    shown = (*columns, *counted) if total is not None else (*columns, TimeElapsedColumn())
    watched = stderr.is_terminal
    with Progress(*shown, console=stderr, transient=True, disable=not watched) as bar:
        bar.add_task(what, total=total)
        yield bar


def say(message: str) -> None:
    """A remark beside the output, on standard error."""
    stderr.print(message, highlight=False, markup=False, soft_wrap=True)
