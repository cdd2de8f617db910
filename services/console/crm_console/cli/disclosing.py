"""`crm export-subject`: everything known of one person, for that person."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated, Any

import typer
from crm_events.clock import utc_now

from crm_console.cli.failures import explained
from crm_console.cli.output import Output, OutputOption, chosen, print_csv, print_json, say, table
from crm_console.cli.session import opened
from crm_console.erasing.disclosure import COLUMNS, disclose, lines
from crm_console.erasing.finding import find
from crm_console.home import write_private


def export_subject(
    context: typer.Context,
    subject: Annotated[str, typer.Argument(help="Id of a person, lead, customer or staff")],
    out: Annotated[
        Path | None, typer.Option(help="Write to this file, which only you may read")
    ] = None,
    output: OutputOption = None,
) -> None:
    """Tell everything known of one subject over all contexts, decrypted, event by event.

    What names the subject as person or customer is told; what a member of staff did for others is
    not about them, and is told in the history of those things. It takes a token with the right
    admin, and the log of each context keeps who read whose data.

    Example: crm export-subject 0190b8a4-3f6e-7c51-9d2e-5f0a6b1c2d3e -o json --out answer.json
    """
    how = chosen(output)
    with explained(), opened(context.obj) as transport:
        document = disclose(transport, find(transport, subject), utc_now())
        if document["erased_at"] is not None:
            say(f"{document['subject']} was erased at {document['erased_at']}.")
        if out is None:
            _print(document, how)
        else:
            write_private(out, _text(document, how))
            say(f"{len(document['events'])} events written to {out}")


def _print(document: dict[str, Any], how: Output) -> None:
    if how is Output.JSON:
        print_json(document)
    elif how is Output.CSV:
        print_csv(list(lines(document)), COLUMNS)
    else:
        rows = [[line[name] for name in COLUMNS] for line in lines(document)]
        table("", COLUMNS, [row for row in rows if row[-1] is not None])


def _text(document: dict[str, Any], how: Output) -> str:
    """For a file: JSON, or CSV where that was asked for."""
    if how is not Output.CSV:
        return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    written = io.StringIO()
    with redirect_stdout(written):
        print_csv(list(lines(document)), COLUMNS)
    return written.getvalue()
