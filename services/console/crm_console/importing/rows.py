"""From the cells of one record to an ImportRow, or to everything that is wrong with it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import orjson

from crm_console.importing.errors import BadValue
from crm_console.importing.fields.field import Kind
from crm_console.importing.identity import Identity, Repeats, joined
from crm_console.importing.reading.records import Record
from crm_console.importing.result import ImportRow, Problem, RowError
from crm_console.importing.values.reading import DATE_ONLY, JSON, Reader, Reading


class Column(NamedTuple):
    """A field, where its text is, how it reads, and what people call it."""

    field: str
    indices: tuple[int, ...]
    read: Reader
    label: str


class Draft(NamedTuple):
    """A row being read; rules of the kind complete its values and add problems."""

    cells: Sequence[str]
    values: dict[str, JSON]
    hints: dict[str, str]
    problems: list[Problem]


Rule = Callable[[Draft], None]


class RowReader:
    """Reads the records of one pass, in order."""

    def __init__(
        self,
        kind: Kind,
        columns: Sequence[Column],
        constants: Mapping[str, Reading],
        *,
        identity: Identity,
        repeats: Repeats,
        rules: Sequence[Rule],
    ) -> None:
        self._columns = columns
        self._values = {name: constant.value for name, constant in constants.items()}
        self._hints = {name: constant.hint for name, constant in constants.items() if constant.hint}
        self._identity = identity
        self._repeats = repeats
        self._rules = rules
        self._required = [field.name for field in kind.fields if field.required]
        self._one_of = kind.one_of
        self._labels = {column.field: column.label for column in columns}

    def read(self, record: Record) -> ImportRow | RowError:
        """The record as a row under its key, or with everything that is wrong with it."""
        if record.problem:
            return _refused(record, [Problem(None, "", record.problem)])
        draft = self._draft(record.cells)
        if not draft.problems:
            self._check_filled(draft)
            for rule in self._rules:
                rule(draft)
        return _refused(record, draft.problems) if draft.problems else self._row(record.line, draft)

    def _draft(self, cells: Sequence[str]) -> Draft:
        draft = Draft(cells, dict(self._values), dict(self._hints), [])
        for name, indices, read, label in self._columns:
            text = cells[indices[0]] if len(indices) == 1 else joined(cells, indices)
            try:
                value, hint = read(text)
            except BadValue as bad:
                draft.problems.append(Problem(label, text, bad.reason, bad.remedy))
                continue
            draft.values[name] = value
            if hint:
                draft.hints[name] = hint
        return draft

    def _row(self, line: int, draft: Draft) -> ImportRow:
        values = draft.values
        key = self._identity.text(draft.cells)
        values.pop("key", None)
        dates = tuple(sorted(name for name, hint in draft.hints.items() if hint == DATE_ONLY))
        return ImportRow(
            line,
            key if self._identity.keyed else self._repeats.key(key),
            self._identity.keyed,
            _hashed(values, dates),
            values,
            dates,
            tuple(draft.cells),
        )

    def _check_filled(self, draft: Draft) -> None:
        values = draft.values
        for name in self._required:
            if values.get(name) is None:
                draft.problems.append(Problem(self._labels.get(name, name), "", "is empty"))
        if self._labels.get("key") and values.get("key") is None:
            draft.problems.append(Problem(self._labels["key"], "", "is empty"))
        if self._one_of and all(values.get(name) is None for name in self._one_of):
            wanted = ", ".join(self._one_of)
            draft.problems.append(Problem(None, "", f"fills none of {wanted}"))


def _refused(record: Record, problems: Sequence[Problem]) -> RowError:
    return RowError(record.line, tuple(problems), tuple(record.cells))


def _hashed(values: Mapping[str, JSON], dates: Sequence[str]) -> str:
    canonical = orjson.dumps([values, dates], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(canonical).hexdigest()
