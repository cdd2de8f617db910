"""Bodies of commands made from their JSON Schema, with a text of its own in every text field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

CANARY: Final = "kanari"
"""Every text begins with it."""
_LEFT_OUT: Final = object()
_OF_PATTERNS: Final = ("5.00", "EUR")
_SOME: Final = 2
"""How many items a list is given."""


@dataclass
class Filler:
    """Remembers where it put which text. `ids` are the things there are, by the field's name."""

    ids: dict[str, str] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    """Text -> the place it was said at: command, blank, field."""

    def texts(self, place: str) -> list[str]:
        """What was said at a place, in order."""
        return [text for text, where in self.said.items() if where == place]

    def body(
        self, schema: Mapping[str, Any], parts: Mapping[str, Any], place: str, given: dict[str, Any]
    ) -> dict[str, Any]:
        """Every field that is not given; ids nobody has told, dates and switches stay out."""
        schema = _resolved(schema, parts)
        filled = {
            name: self._filled(name, inner, parts, f"{place} {name}")
            for name, inner in schema.get("properties", {}).items()
            if name not in given
        }
        return {name: value for name, value in filled.items() if value is not _LEFT_OUT} | given

    def _filled(self, name: str, schema: Mapping[str, Any], parts: Any, place: str) -> Any:
        schema = _resolved(schema, parts)
        if "enum" in schema:
            return schema["enum"][0]
        match schema.get("type"):
            case "string":
                return self._text(name, schema, place)
            case "integer" | "number" as kind:
                least = schema.get("minimum", 1)
                return int(least) if kind == "integer" else least
            case "array":
                items = [self._filled(name, schema["items"], parts, place) for _ in range(_SOME)]
                return _LEFT_OUT if _LEFT_OUT in items else _different(items)
            case "object" if "properties" in schema:
                return self.body(schema, parts, place, {})
            case _:
                return _LEFT_OUT

    def _text(self, name: str, schema: Mapping[str, Any], place: str) -> Any:
        if schema.get("format") == "uuid":
            return self.ids.get(name, _LEFT_OUT)
        if "format" in schema:
            return _LEFT_OUT
        text = f"{CANARY}{len(self.said):04}freitext"
        pattern = schema.get("pattern", "")
        if not re.search(pattern, text):
            return next(fit for fit in _OF_PATTERNS if re.search(pattern, fit))
        self.said[text] = place
        return text


def _different(items: list[Any]) -> list[Any]:
    """There is one thing of a kind to name, and naming it twice would be refused."""
    return [item for place, item in enumerate(items) if item not in items[:place]]


def _resolved(schema: Mapping[str, Any], parts: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without references, and the first choice where there are some."""
    while "$ref" in schema or "anyOf" in schema:
        if "anyOf" in schema:
            schema = schema["anyOf"][0]
        else:
            schema = parts[schema["$ref"].rsplit("/", 1)[1]]
    return schema
