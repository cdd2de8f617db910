"""What an import says at its end: how many rows went in, and what was made of their names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from crm_console.cli.output import Output, print_csv, print_json, say, table
from crm_console.sending.sender import Summary

_SHOWN: Final = 10


def report(summary: Summary, dry_run: bool, output: Output, errors: Path | None) -> None:
    """The counts on standard output; remarks beside them, or with them in JSON."""
    counts = {
        "read": summary.read,
        "accepted": summary.accepted,
        "changed_nothing": summary.unchanged,
        "refused": summary.refused,
    }
    if output is Output.JSON:
        names = {"stubs": summary.stubs, "guessed": summary.guessed}
        print_json(
            counts
            | {"dry_run": dry_run, "resumed_after": summary.resumed_after_line}
            | {"correlation": None if dry_run else summary.correlation}
            | names
        )
        return
    if output is Output.CSV:
        print_csv([counts])
    else:
        heads = [name.replace("_", " ") for name in counts]
        table("dry run, nothing is kept" if dry_run else "", heads, [list(counts.values())])
    for remark in _remarks(summary, dry_run, errors):
        say(remark)


def _remarks(summary: Summary, dry_run: bool, errors: Path | None) -> Iterator[str]:
    if summary.resumed_after_line:
        before = f", before which {summary.refused_before:,} rows were refused"
        yield f"went on after line {summary.resumed_after_line:,}" + (
            before if summary.refused_before else ""
        )
    if summary.guessed:
        yield f"matched: {_first(summary.guessed)}"
    if summary.stubs:
        made = "would be made" if dry_run else "made"
        names = _first(summary.stubs)
        yield f"{made} from a name alone, to be filled by a later import: {names}"
    if summary.accepted and not dry_run:
        yield f"to take it all back: crm undo {summary.correlation} --dry-run"
    if summary.refused and errors is None:
        yield "give --errors FILE to get the refused rows with the reasons."
    elif summary.refused:
        yield f"refused rows with the reasons: {errors}"


def _first(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more:,} more" if more > 0 else "")
