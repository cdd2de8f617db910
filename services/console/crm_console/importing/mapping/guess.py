"""Guessing the column of a field from the headers it is known by."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from crm_console.importing.fields.field import Field
from crm_console.importing.mapping.columns import Columns


def guessed(field: Field, columns: Columns, taken: Collection[int]) -> tuple[int, ...] | None:
    """The first of the field's headers whose columns are there, each once, and still free."""
    for found in _candidates(field, columns):
        if not any(index in taken for index in found):
            return found
    return None


def _candidates(field: Field, columns: Columns) -> Iterator[tuple[int, ...]]:
    for header in (field.name, field.chinese, *field.synonyms):
        parts = [columns.like(part) for part in header.split("+")]
        if all(len(part) == 1 for part in parts):
            yield tuple(part[0] for part in parts)
