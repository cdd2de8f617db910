"""Everything a person may say about an import beyond the kind and the file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from crm_console.importing.errors import FileRefused


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """Defaults read a file with a header, times in UTC.

    `maps` and `constants` hold `field=column` and `field=value` as typed on the command line.
    `date_formats` hold `DD/MM/YYYY`, a strptime format, `epoch`, `epoch-ms` or `excel`, each with
    an optional `field=` before it. `decimal` is `point` or `comma`. `currency` is the one of
    amounts that name none. `stages` are those of an open deal, first to last.
    """

    maps: tuple[str, ...] = ()
    constants: tuple[str, ...] = ()
    encoding: str | None = None
    delimiter: str | None = None
    header: bool = True
    columns: tuple[str, ...] = ()
    date_formats: tuple[str, ...] = ()
    timezone: str = "UTC"
    decimal: str | None = None
    currency: str | None = None
    stages: tuple[str, ...] = ()
    won: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


_LISTS: Final = {
    "columns": "columns",
    "date_format": "date_formats",
    "stages": "stages",
    "won": "won",
    "lost": "lost",
}
_WORDS: Final = ("encoding", "delimiter", "timezone", "decimal", "currency")
_EXAMPLE: Final = 'For example: [map] amount = "Deal value" and [set] currency = "EUR".'


def with_mapping_file(options: ImportOptions, path: Path) -> ImportOptions:
    """The options with what a TOML file adds; what was said on the command line wins.

    Tables `[map]` (field = "column", "one+two" or ["one", "two"]) and `[set]` (field = value);
    before them any of the options by name: stages, won, lost, date_format, timezone...
    """
    content = _loaded(path)
    maps = tuple(_map_line(path, item) for item in _table(path, content, "map"))
    constants = tuple(f"{name}={value}" for name, value in _table(path, content, "set"))
    said = _said(path, content)
    unsaid = ImportOptions()
    added = {
        name: value
        for name, value in said.items()
        if getattr(options, name) == getattr(unsaid, name)
    }
    return replace(
        options,
        **added,
        maps=_merged(maps, options.maps),
        constants=_merged(constants, options.constants),
    )


def _loaded(path: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileRefused(f"Cannot read {path}: {error.strerror or error}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FileRefused(f"{path} is not valid TOML: {error}.", _EXAMPLE) from error
    unknown = set(content) - {"map", "set", "header", *_LISTS, *_WORDS}
    if unknown:
        raise FileRefused(f"{path} has unknown settings: {', '.join(sorted(unknown))}.", _EXAMPLE)
    return content


def _table(path: Path, content: Mapping[str, Any], name: str) -> list[tuple[str, Any]]:
    table = content.get(name, {})
    if not isinstance(table, dict):
        raise FileRefused(f"{path}: [{name}] must be a table.", _EXAMPLE)
    return list(table.items())


def _map_line(path: Path, item: tuple[str, Any]) -> str:
    field, column = item
    if isinstance(column, list) and all(isinstance(part, str) for part in column):
        return f"{field}={'+'.join(column)}"
    if isinstance(column, str):
        return f"{field}={column}"
    raise FileRefused(f"{path}: {field} must name a column or a list of columns.", _EXAMPLE)


def _said(path: Path, content: Mapping[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {name: content[name] for name in _WORDS if name in content}
    wrong = [name for name, value in said.items() if not isinstance(value, str)]
    for name, option in _LISTS.items():
        value = content.get(name, [])
        parts = [value] if isinstance(value, str) else value
        if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
            wrong.append(name)
        elif parts:
            said[option] = tuple(parts)
    if not isinstance(content.get("header", True), bool):
        wrong.append("header")
    if wrong:
        raise FileRefused(f"{path}: {', '.join(wrong)} must be text or a list of texts.")
    return said | ({"header": content["header"]} if "header" in content else {})


def _merged(from_file: tuple[str, ...], from_command: tuple[str, ...]) -> tuple[str, ...]:
    """Both, less what the file says of a field that the command line names itself."""
    named = {line.partition("=")[0].strip() for line in from_command}
    kept = (line for line in from_file if line.partition("=")[0].strip() not in named)
    return (*kept, *from_command)
