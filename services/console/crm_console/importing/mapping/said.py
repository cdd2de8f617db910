"""Reading `--map field=column` and `--set field=value`."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from crm_console.importing.fields.field import FieldType, Kind
from crm_console.importing.mapping.columns import ColumnRefused, Columns


class Said:
    """What a person said, as far as it holds together; `problems` is the rest, in words."""

    def __init__(self, kind: Kind, columns: Columns) -> None:
        self._kind = kind
        self._columns = columns
        self.columns: dict[str, tuple[int, ...]] = {}
        self.constants: dict[str, str] = {}
        self.problems: list[str] = []

    def map(self, lines: Iterable[str]) -> None:
        """Takes `--map` lines."""
        for line in lines:
            field, column = self._split("--map", line)
            if field is None:
                continue
            try:
                self.columns[field] = self._columns.parts(column)
            except ColumnRefused as refused:
                self.problems.append(f"--map {line}: {refused}")

    def set(self, lines: Iterable[str]) -> None:
        """Takes `--set` lines."""
        for line in lines:
            field, value = self._split("--set", line)
            if field is None:
                continue
            if field in self.columns:
                self.problems.append(f"{field} has both --map and --set; keep one of them")
            elif self._is_key(field):
                self.problems.append("--set key would give every row the same key; use --map")
            else:
                self.constants[field] = value

    def _split(self, option: str, line: str) -> tuple[str | None, str]:
        field, equals, value = (part.strip() for part in line.partition("="))
        if not (field and equals and value):
            self.problems.append(f"{option} {line}: write it as field=value")
        elif self._kind.field(field) is None:
            self.problems.append(f"{option} {line}: {self._no_such_field(field)}")
        elif field in self.columns and option == "--map":
            self.problems.append(f"--map names {field} more than once; keep one of them")
        else:
            return field, value
        return None, value

    def _no_such_field(self, name: str) -> str:
        names = [field.name for field in self._kind.fields]
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"; did you mean {near[0]}?" if near else f"; fields: {', '.join(names)}"
        return f"{self._kind.name} have no field {name!r}{hint}"

    def _is_key(self, name: str) -> bool:
        field = self._kind.field(name)
        return field is not None and field.type is FieldType.KEY
