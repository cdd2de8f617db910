"""`crm undo`: all that came of an import, or of any correlation, is withdrawn; none is deleted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, Final
from uuid import UUID

import typer

from crm_console.cli.failures import SOME_REFUSED, explained
from crm_console.cli.output import (
    Output,
    OutputOption,
    chosen,
    print_csv,
    print_json,
    progress,
    say,
    table,
)
from crm_console.cli.session import opened
from crm_console.interruption import interruptible
from crm_console.settling import settle
from crm_console.undoing import Undoing

_SHOWN: Final = 50
_NOTHING_DONE: Final = "nothing was done."
_GOES_ON: Final = "what was withdrawn stays so, and the same command goes on with the rest."
_COLUMNS: Final = ("context", "thing", "id", "events", "does", "in the way")
_SAID: Final[Mapping[str, str]] = {
    "kept": "stays: what it says is never undone",
    "in_use": "stays: others refer to it",
}


def undo(
    context: typer.Context,
    correlation: Annotated[str, typer.Argument(help="As crm import tells it at its end")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be done")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it")] = False,
    output: OutputOption = None,
) -> None:
    """Take back all that an import, or any one correlation, did in all contexts.

    Its events stay and are withdrawn by others: figures are as if they had never been, also as of
    the past, while what was known before stays known (--known-at). What others have worked on
    since, or refer to, is left as it is and listed; the exit code is 3 then.

    Example: crm undo 0190b8a4-3f6e-7c51-9d2e-5f0a6b1c2d3e --dry-run
    """
    if dry_run == yes:
        raise typer.BadParameter("give --dry-run to see what would be done, or --yes to do it")
    id = _id(correlation)
    how = _NOTHING_DONE if dry_run else _GOES_ON
    with explained(), interruptible(how), opened(context.obj) as transport:
        settle(transport)
        undoing = Undoing(transport, id)
        with _counted("looking at what it did") as advance:
            undoing.plan(advance)
        if yes:
            with _counted("withdrawing", sum(1 for _ in undoing.all())) as advance:
                undoing.carry_out(advance)
            settle(transport)
    _print(undoing, dry_run, chosen(output))
    if undoing.left():
        raise typer.Exit(SOME_REFUSED)


def _id(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no correlation; an import tells its own at its end"
        ) from None


@contextmanager
def _counted(what: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    with progress(what, total) as bar:
        task = bar.tasks[0].id
        yield lambda count: bar.advance(task, count)


def _print(undoing: Undoing, dry_run: bool, output: Output) -> None:
    lines = [{"context": context, **thing} for context, thing in undoing.all()]
    if output is Output.JSON:
        told = {"correlation": undoing.correlation, "dry_run": dry_run, "things": lines}
        print_json(told | {"undone_under": None if dry_run else undoing.under})
    elif output is Output.CSV:
        print_csv([{**line, "later": len(line["later"])} for line in lines])
    else:
        _tables(lines, dry_run)


def _tables(lines: Sequence[Mapping[str, Any]], dry_run: bool) -> None:
    if not lines:
        say("Everything that it did has been undone already; there is nothing left to do.")
        return
    counted = Counter((line["context"], line["kind"], line["status"]) for line in lines)
    rows = [(*key, count) for key, count in counted.items()]
    title = "would be undone, nothing is done" if dry_run else "undone"
    table(title, ("context", "thing", "outcome", "things"), rows)
    shown = sorted(lines, key=lambda line: line["does"] is not None)[:_SHOWN]
    table("", _COLUMNS, [_row(line) for line in shown])
    if len(lines) > _SHOWN:
        say(f"and {len(lines) - _SHOWN:,} more; -o json or -o csv lists all of them.")


def _row(line: Mapping[str, Any]) -> list[Any]:
    events = Counter(line["events"])
    told = ", ".join(name if n == 1 else f"{name} x{n}" for name, n in events.items())
    return [line["context"], line["kind"], line["id"], told, line["does"], _in_the_way(line)]


def _in_the_way(line: Mapping[str, Any]) -> str | None:
    if not line["later"]:
        return _SAID.get(line["status"])
    first = line["later"][0]
    more = f" and {len(line['later']) - 1} more" if len(line["later"]) > 1 else ""
    return f"{first['event']} by {first['actor']}, {first['occurred_at'][:16]}{more}"
