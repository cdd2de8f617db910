"""What the command prints: tables for people, JSON and CSV for machines; progress beside it."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

_WIDE: Final = 160
stdout: Final = Console(width=None if sys.stdout.isatty() else _WIDE)
stderr: Final = Console(stderr=True)
_ABSENT: Final = "–"


class Output(StrEnum):
    """How to print: `table` is the default on a terminal, `json` in a pipe."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def chosen(output: Output | None) -> Output:
    """What was asked for, else what fits where the output goes."""
    if output is not None:
        return output
    return Output.TABLE if sys.stdout.isatty() else Output.JSON


def print_json(document: Any) -> None:
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def print_csv(rows: Sequence[Mapping[str, Any]]) -> None:
    """One line for each row; nested values as JSON."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.writer(sys.stdout)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_plain(row.get(name)) for name in columns])


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict) and set(value) == {"amount", "currency"}:
        return str(value["amount"])
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A table on standard output; numbers to the right, what is absent as –."""
    shown = Table(title=title or None, title_justify="left", title_style="bold")
    for index, name in enumerate(columns):
        numeric = any(isinstance(row[index], int | float | Decimal) for row in rows)
        shown.add_column(name, justify="right" if numeric or index else "left")
    for row in rows:
        shown.add_row(*(text(value) for value in row))
    stdout.print(shown)


def text(value: Any) -> str:
    """A value as a person reads it."""
    if value is None:
        return _ABSENT
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.2f}"
    if isinstance(value, dict) and set(value) == {"amount", "currency"}:
        return f"{Decimal(value['amount']):,.2f} {value['currency']}"
    return str(value)


def percent(value: float | None) -> str:
    """A ratio as a percentage with two decimals."""
    return _ABSENT if value is None else f"{value * 100:.2f} %"


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Progress]:
    """A bar on standard error while something long goes on; silent where nobody watches."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=stderr, transient=True) as bar:
        bar.add_task(what, total=total)
        yield bar


def say(message: str) -> None:
    """A remark beside the output, on standard error."""
    stderr.print(message, highlight=False, markup=False, soft_wrap=True)
