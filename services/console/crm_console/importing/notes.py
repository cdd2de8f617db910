"""What a person should know about how a file was understood, in the order it was decided."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from crm_console.importing.fields.field import Kind
from crm_console.importing.mapping.resolve import FieldMapping
from crm_console.importing.reading.table import Table
from crm_console.importing.result import Note
from crm_console.importing.survey import Survey, column_label

_DELIMITERS: Final = {";": "semicolons", "\t": "tabs", "|": "bars", " ": "blanks"}


def notes_on(kind: Kind, table: Table, mapping: FieldMapping, survey: Survey) -> tuple[Note, ...]:
    """Everything that was guessed, renamed or left out."""
    return (
        *_about_the_file(table),
        *_about_columns(table, mapping),
        *_about_values(table, mapping, survey),
        *_about_identity(kind, mapping, survey),
    )


def _about_the_file(table: Table) -> Iterator[Note]:
    if not table.source.encoding.startswith("utf-8"):
        yield Note("encoding", f"read as {table.source.encoding.upper()}")
    if table.delimiter in _DELIMITERS:
        yield Note("delimiter", f"cells are separated by {_DELIMITERS[table.delimiter]}")
    if table.headers.skipped:
        yield Note("error file", "the columns that an error file adds are not read")
    for given, name in table.headers.renamed:
        what = f"the second {given!r}" if given else "a column without a name"
        yield Note("header", f"{what} is called {name!r}")


def _about_columns(table: Table, mapping: FieldMapping) -> Iterator[Note]:
    for name in mapping.guessed:
        label = column_label(table, mapping.columns[name])
        if label != name:
            yield Note("mapping", f"{name} is read from {label!r}")
    if mapping.unused:
        names = ", ".join(repr(name) for name in mapping.unused)
        yield Note("unused", f"no field reads {names}; --map field=column would")


def _about_values(table: Table, mapping: FieldMapping, survey: Survey) -> Iterator[Note]:
    for name, order in survey.orders.items():
        if order:
            yield Note("dates", f"{column_label(table, mapping.columns[name])!r} is {order}")
    for name, mark in survey.marks.items():
        if mark:
            label = column_label(table, mapping.columns[name])
            yield Note("numbers", f"{label!r} has a decimal {mark}")


def _about_identity(kind: Kind, mapping: FieldMapping, survey: Survey) -> Iterator[Note]:
    by_name = kind.named_by if kind.named_by in mapping.columns else None
    again = f"{len(survey.repeated):,}"
    if "key" in mapping.columns or by_name:
        if "key" not in mapping.columns:
            yield Note("identity", f"no key column: {kind.name} are known by their {by_name}")
        if survey.repeated:
            yield Note(
                "identity",
                f"{again} keys stand in more than one row; later rows update earlier ones",
            )
        return
    yield Note("identity", "no key column: a row is known by all of its cells")
    if survey.repeated:
        yield Note("identity", f"{again} rows stand there more than once; each counts")
