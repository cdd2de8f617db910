"""Whether events stored under one schema can be read under a later one, and mean the same.

Allowed: a new field that may be absent, a wider type, enumeration or length, other words in a
description. Everything else is a new version of the event, also where a keyword is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

Schema = Mapping[str, Any]

_LOWER: Final = ("minLength", "minItems", "minimum", "exclusiveMinimum")
_UPPER: Final = ("maxLength", "maxItems", "maximum", "exclusiveMaximum")
_LOWEST: Final = (*_LOWER, "x-minimum", "x-exclusiveMinimum")
_HIGHEST: Final = (
    *_UPPER,
    "x-maximum",
    "x-exclusiveMaximum",
    "x-digits-before-point",
    "x-digits-after-point",
)
_SAME: Final = ("pattern", "format", "uniqueItems", "multipleOf", "additionalProperties")
_WORDS: Final = ("title", "description", "$schema", "$id", "$defs", "default", "x-personal")
_STRUCTURE: Final = (
    "type",
    "enum",
    "const",
    "anyOf",
    "items",
    "properties",
    "required",
    "x-opened",
)
_KNOWN: Final = frozenset((*_LOWEST, *_HIGHEST, *_SAME, *_WORDS, *_STRUCTURE))
_WIDER: Final = {"integer": ("number",)}


def breaks(old: Schema, new: Schema) -> list[str]:
    """What makes `new` unfit for events stored under `old`; empty where it is fit."""
    return list(_Comparison(old.get("$defs", {}), new.get("$defs", {})).of("", old, new))


@dataclass(frozen=True, slots=True)
class _Comparison:
    old_parts: Schema
    new_parts: Schema

    def of(self, path: str, old: Schema, new: Schema) -> Iterator[str]:
        old, new = _resolved(old, self.old_parts), _resolved(new, self.new_parts)
        if old.get("x-personal") != new.get("x-personal"):
            yield f"{path} changed its personal marking"
            return
        if "anyOf" in old or "anyOf" in new:
            yield from self._choices(path, old, new)
            return
        yield from _type(path, old, new)
        yield from _values(path, old, new)
        yield from _limits(path, old, new)
        yield from _others(path, old, new)
        yield from self._parts(path, old, new)

    def _choices(self, path: str, old: Schema, new: Schema) -> Iterator[str]:
        """Each old choice fits one of the new."""
        choices = new.get("anyOf", [new])
        for choice in old.get("anyOf", [old]):
            if all(list(self.of(path, choice, other)) for other in choices):
                yield f"{path} no longer takes all it took"

    def _parts(self, path: str, old: Schema, new: Schema) -> Iterator[str]:
        for word in ("items", "x-opened"):
            if word in new:
                yield from self.of(f"{path}[]" if word == "items" else path, old[word], new[word])
        if "properties" in old or "properties" in new:
            yield from self._fields(path, old, new)

    def _fields(self, path: str, old: Schema, new: Schema) -> Iterator[str]:
        before, now = old.get("properties", {}), new.get("properties", {})
        demanded = set(old.get("required", ()))
        for name, field in before.items():
            where = f"{path}.{name}" if path else name
            if name not in now:
                yield f"{where} was removed"
                continue
            yield from self.of(where, field, now[name])
            if name not in demanded and field.get("default") != now[name].get("default"):
                yield f"{where} means something else where it is absent: its default changed"
        for name in sorted(set(new.get("required", ())) - demanded):
            yield f"{path}.{name} became required".removeprefix(".")


def _resolved(schema: Schema, parts: Schema) -> Schema:
    """With what it refers to in place; words beside a reference stay."""
    if "$ref" not in schema:
        return schema
    beside = {word: value for word, value in schema.items() if word != "$ref"}
    return {**_resolved(parts[schema["$ref"].rsplit("/", 1)[1]], parts), **beside}


def _type(path: str, old: Schema, new: Schema) -> Iterator[str]:
    before, now = old.get("type"), new.get("type")
    if now not in {None, before} and now not in _WIDER.get(str(before), ()):
        yield f"{path} was {before} and is {now}"


def _values(path: str, old: Schema, new: Schema) -> Iterator[str]:
    before, now = _enumerated(old), _enumerated(new)
    if now is None:
        return
    if before is None:
        yield f"{path} takes only {', '.join(sorted(now))} now"
    elif lost := before - now:
        yield f"{path} no longer takes {', '.join(sorted(lost))}"


def _enumerated(schema: Schema) -> set[str] | None:
    if "const" in schema:
        return {str(schema["const"])}
    return {str(value) for value in schema["enum"]} if "enum" in schema else None


def _limits(path: str, old: Schema, new: Schema) -> Iterator[str]:
    for word in _LOWEST:
        if word in new and (word not in old or new[word] > old[word]):
            yield f"{path} has a higher {word}, {new[word]}"
    for word in _HIGHEST:
        if word in new and (word not in old or new[word] < old[word]):
            yield f"{path} has a lower {word}, {new[word]}"


def _others(path: str, old: Schema, new: Schema) -> Iterator[str]:
    for word in _SAME:
        if word in new and new[word] != old.get(word):
            yield f"{path} has another {word}"
    for word in sorted((old.keys() | new.keys()) - _KNOWN):
        if old.get(word) != new.get(word):
            yield f"{path or 'the event'} changed {word}, which this check cannot judge"
