"""`crm import`: a file of any table kind into the CRM, row by row, with what to correct."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from crm_console.cli import import_options as given
from crm_console.cli.failures import SOME_REFUSED, explained
from crm_console.cli.output import Output, chosen, print_json, progress, say, table
from crm_console.cli.session import Target, opened
from crm_console.importing import (
    ErrorFile,
    FileRefused,
    ImportFile,
    ImportOptions,
    describe,
    open_table,
    with_mapping_file,
)
from crm_console.sending.progress import ImportProgress, progress_of
from crm_console.sending.sender import Sender, Sending, Summary
from crm_console.settling import settle

_SHOWN_STUBS: Final = 10
DEFAULT_PIPELINE: Final = "sales"


def bring(
    context: typer.Context,
    kind: given.KindOfRows,
    file: given.File = None,
    fields: given.Fields = False,
    maps: given.Maps = None,
    mapping: given.MappingFile = None,
    constants: given.Constants = None,
    columns: given.Columns = None,
    no_header: given.NoHeader = False,
    encoding: given.Encoding = None,
    delimiter: given.Delimiter = None,
    date_formats: given.DateFormats = None,
    decimal: given.Decimals = None,
    timezone: given.TimeZone = "UTC",
    currency: given.Currency = None,
    stages: given.Stages = None,
    won: given.Won = None,
    lost: given.Lost = None,
    pipeline: given.Pipeline = DEFAULT_PIPELINE,
    source: given.Source = "import",
    dry_run: given.DryRun = False,
    errors: given.Errors = None,
    resume: given.Resume = False,
    output: Annotated[Output | None, typer.Option("-o", "--output")] = None,
) -> None:
    """Import a file through the same commands as everything else.

    A row that is known and unchanged adds nothing, so that the same file can come again.

    Example: crm import deals pipeline.csv --stages "Prospecting,Engaging" --won Won --lost Lost
    """
    del maps, constants, columns, no_header, encoding, delimiter, date_formats, decimal, timezone
    del currency, stages, won, lost, pipeline, source, dry_run, resume
    with explained():
        if fields:
            print_fields(kind, output)
            return
        _bring(context, file, mapping, errors, output)


def _bring(
    context: typer.Context,
    file: Path | None,
    mapping: Path | None,
    errors: Path | None,
    output: Output | None,
) -> None:
    said = context.params
    if file is None:
        raise FileRefused("Name the file to import,", "or give --fields to see what it may hold.")
    options = _options(said)
    if mapping is not None:
        options = with_mapping_file(options, mapping)
    opened_file = open_table(file, said["kind"], options)
    for note in opened_file.notes:
        say(f"{note.about}: {note.text}")
    told = _told(said["kind"], options, said["pipeline"])
    sending = Sending(said["source"], told, said["dry_run"])
    summary = _import(context.obj, opened_file, sending, errors, said["resume"])
    _report(summary, said["dry_run"], chosen(output), errors)
    if summary.refused:
        raise typer.Exit(SOME_REFUSED)


def _options(said: Mapping[str, Any]) -> ImportOptions:
    return ImportOptions(
        maps=tuple(said["maps"] or ()),
        constants=tuple(said["constants"] or ()),
        encoding=said["encoding"],
        delimiter=said["delimiter"],
        header=not said["no_header"],
        columns=_listed(said["columns"]),
        date_formats=tuple(said["date_formats"] or ()),
        timezone=said["timezone"],
        decimal=said["decimal"],
        currency=said["currency"],
        stages=_listed(said["stages"]),
        won=_listed(said["won"]),
        lost=_listed(said["lost"]),
    )


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def _told(kind: str, options: ImportOptions, pipeline: str) -> dict[str, Any]:
    """What the context is told of the whole file."""
    told: dict[str, Any] = {} if options.currency is None else {"currency": options.currency}
    if kind == "deals":
        told["pipeline"] = pipeline
        for name, values in (
            ("stages", options.stages),
            ("won", options.won),
            ("lost", options.lost),
        ):
            if values:
                told[name] = list(values)
    return told


def _import(
    target: Target, file: ImportFile, sending: Sending, errors: Path | None, resume: bool
) -> Summary:
    kept = progress_of(
        target.home.imports, file.digest, file.kind.name, sending.source, target.name
    )
    if resume:
        sending = Sending(sending.source, sending.options, sending.dry_run, kept.line())
    with (
        opened(target) as transport,
        ErrorFile(
            errors or Path(os.devnull), file.headers, append=resume or errors is None
        ) as refused,
    ):
        sender = Sender(transport, file, sending, refused.write)
        summary = _send(sender, file, kept)
        with progress("views", None):
            settle(transport)
    kept.done()
    return summary


def _send(sender: Sender, file: ImportFile, kept: ImportProgress) -> Summary:
    with progress(file.kind.name, file.records) as bar:
        task = bar.tasks[0].id
        return sender.send(lambda count: bar.advance(task, count), kept.reached)


def _report(summary: Summary, dry_run: bool, output: Output, errors: Path | None) -> None:
    counts = {
        "read": summary.read,
        "accepted": summary.accepted,
        "changed_nothing": summary.unchanged,
        "refused": summary.refused,
    }
    if output is Output.JSON:
        print_json(
            counts | {"dry_run": dry_run, "stubs": summary.stubs, "guessed": summary.guessed}
        )
        return
    table("dry run, nothing is kept" if dry_run else "", list(counts), [list(counts.values())])
    _remarks(summary, errors)


def _remarks(summary: Summary, errors: Path | None) -> None:
    for guess in summary.guessed[:_SHOWN_STUBS]:
        say(f"matched: {guess}")
    if summary.stubs:
        names = ", ".join(summary.stubs[:_SHOWN_STUBS])
        more = len(summary.stubs) - _SHOWN_STUBS
        rest = f" and {more} more" if more > 0 else ""
        say(f"made from a name alone, to be filled by a later import: {names}{rest}")
    if summary.refused and errors is None:
        say("give --errors FILE to get the refused rows with the reasons.")
    elif summary.refused:
        say(f"refused rows with the reasons: {errors}")


def print_fields(kind: str, output: Output | None) -> None:
    """The fields of a kind and the headers they are found by."""
    described = describe(kind)
    if chosen(output) is not Output.TABLE:
        print_json([asdict(field) for field in described])
        return
    rows: Sequence[Sequence[Any]] = [
        (f.name, f.type, f.required, f"{f.english} / {f.chinese}", ", ".join(f.headers[2:6]))
        for f in described
    ]
    table(kind, ("field", "type", "required", "what it is", "headers it is found by"), rows)
