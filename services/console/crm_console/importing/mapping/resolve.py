"""The mapping of one file: every field's columns or constant, or one refusal that says it all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crm_console.importing.errors import FileRefused
from crm_console.importing.fields.field import Kind
from crm_console.importing.mapping.columns import Columns
from crm_console.importing.mapping.guess import guessed
from crm_console.importing.mapping.said import Said


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """Column positions per field (two are joined by a blank) and constants per field.

    `guessed` are the fields matched by their header; `unused` the columns nothing reads.
    """

    columns: Mapping[str, tuple[int, ...]]
    constants: Mapping[str, str]
    guessed: tuple[str, ...]
    unused: tuple[str, ...]

    def __contains__(self, field: object) -> bool:
        """Whether rows of the file have a value for the field."""
        return field in self.columns or field in self.constants


def resolve_mapping(
    kind: Kind, headers: Sequence[str], maps: Sequence[str], constants: Sequence[str]
) -> FieldMapping:
    """What is said wins over what is guessed; raises FileRefused with everything that is wrong."""
    columns = Columns(headers)
    said = Said(kind, columns)
    said.map(maps)
    said.set(constants)
    guesses = _guesses(kind, columns, said)
    chosen = {**said.columns, **guesses}
    problems = [*said.problems, *_claimed_twice(chosen, headers)]
    if not said.problems:
        problems += _missing(kind, {*chosen, *said.constants})
    if problems:
        raise _refusal(kind, headers, problems)
    used = {index for indices in chosen.values() for index in indices}
    return FieldMapping(
        {field.name: chosen[field.name] for field in kind.fields if field.name in chosen},
        said.constants,
        tuple(guesses),
        tuple(name for index, name in enumerate(headers) if index not in used),
    )


def _guesses(kind: Kind, columns: Columns, said: Said) -> dict[str, tuple[int, ...]]:
    taken = {index for indices in said.columns.values() for index in indices}
    guesses: dict[str, tuple[int, ...]] = {}
    for field in kind.fields:
        if field.name in said.columns or field.name in said.constants:
            continue
        found = guessed(field, columns, taken)
        if found:
            guesses[field.name] = found
            taken.update(found)
    return guesses


def _claimed_twice(chosen: Mapping[str, tuple[int, ...]], headers: Sequence[str]) -> list[str]:
    claims: dict[int, list[str]] = {}
    for field, indices in chosen.items():
        for index in indices:
            claims.setdefault(index, []).append(field)
    return [
        f"column {headers[index]!r} is claimed by {' and '.join(fields)}; map it to one of them"
        for index, fields in claims.items()
        if len(fields) > 1
    ]


def _missing(kind: Kind, given: set[str]) -> list[str]:
    lacking = [field.name for field in kind.fields if field.required and field.name not in given]
    problems = [f"no column for the required field {name}" for name in lacking]
    if kind.one_of and not given.intersection(kind.one_of):
        problems.append(f"no column for any of {', '.join(kind.one_of)}; one of them is needed")
    return problems


def _refusal(kind: Kind, headers: Sequence[str], problems: Sequence[str]) -> FileRefused:
    listed = "\n".join(f"  - {problem}" for problem in problems)
    names = ", ".join(repr(name) for name in headers)
    return FileRefused(
        f"The columns do not fit {kind.name}:\n{listed}\nThe file has {names}.",
        f"Use --map field=column; `crm import {kind.name} --fields` lists the fields. "
        "Where the first line is data already, add --columns a,b,c.",
    )
