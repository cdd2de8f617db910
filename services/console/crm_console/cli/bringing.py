"""`crm import`: a file of any table kind into the CRM, row by row, with what to correct."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import typer

from crm_console.cli import import_options as given
from crm_console.cli.failures import SOME_REFUSED, explained
from crm_console.cli.import_report import report
from crm_console.cli.output import (
    Output,
    OutputOption,
    chosen,
    print_list,
    progress,
    say,
    table,
)
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
from crm_console.sending.progress import ImportProgress, Reached, progress_of
from crm_console.sending.sender import Sender, Sending, Summary
from crm_console.settling import settle

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
    output: OutputOption = None,
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
    if errors is not None:
        _check_place(errors, file)
    options = _options(said)
    if mapping is not None:
        options = with_mapping_file(options, mapping)
    with progress(f"reading {file.name}", None):
        opened_file = open_table(file, said["kind"], options)
    for note in opened_file.notes:
        say(f"{note.about}: {note.text}")
    told = _told(said["kind"], options, said["pipeline"])
    sending = Sending(said["source"], told, said["dry_run"])
    summary = _import(context.obj, opened_file, sending, errors, said["resume"])
    report(summary, said["dry_run"], chosen(output), errors)
    if summary.refused or summary.refused_before:
        raise typer.Exit(SOME_REFUSED)


def _check_place(errors: Path, file: Path) -> None:
    """Refuses what would destroy the input, or fail at the first refused row."""
    if errors.exists() and file.exists() and errors.samefile(file):
        raise FileRefused(
            f"--errors {errors} is the file to import.", "Name another one for the refused rows."
        )
    if not errors.parent.is_dir():
        raise FileRefused(f"Cannot write {errors}: there is no folder {errors.parent}.")


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
    before = kept.read() if resume else Reached()
    sending = replace(sending, after_line=before.line)
    if before.correlation:
        sending = replace(sending, correlation=before.correlation)
    refused = ErrorFile(errors, file.headers, keep=before.error_bytes)
    with opened(target) as transport, refused, _told_how_to_go_on(kept, sending):
        sender = Sender(transport, file, sending, refused.write)
        sender.summary.refused_before = before.refused

        def reached(line: int) -> None:
            written = before.refused + refused.written
            kept.keep(Reached(line, written, refused.size(), sending.correlation))

        summary = _send(sender, file, reached)
        with progress("bringing the views up to date", None):
            settle(transport)
    if not sending.dry_run:
        kept.done()
    return summary


def _send(sender: Sender, file: ImportFile, reached: Callable[[int], None]) -> Summary:
    with progress(file.kind.name, file.records) as bar:
        task = bar.tasks[0].id
        return sender.send(lambda count: bar.advance(task, count), reached)


@contextmanager
def _told_how_to_go_on(kept: ImportProgress, sending: Sending) -> Iterator[None]:
    """Whatever ends an import before its end, what was answered stays, and can be gone on from."""
    try:
        yield
    except BaseException:
        if (line := kept.read().line) and not sending.dry_run:
            say(
                f"Everything up to line {line:,} is in; the same command with --resume goes "
                "on from there."
            )
        raise


def print_fields(kind: str, output: Output | None) -> None:
    """The fields of a kind and the headers they are found by."""
    described = describe(kind)
    if chosen(output) is Output.TABLE:
        rows = [
            (f.name, f.type, f.required, f"{f.english} / {f.chinese}", ", ".join(f.headers[2:6]))
            for f in described
        ]
        table(kind, ("field", "type", "required", "what it is", "headers it is found by"), rows)
        return
    print_list(output, {}, [asdict(field) for field in described])
