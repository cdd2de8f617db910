"""JSON Schema of stored bytes, from the event classes.

It says what is in the bytes, not what Python makes of them: None is an absent field, personal
fields are sealed texts, and fields nobody declared are allowed, for a newer producer may add some.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

import orjson
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from crm_events.catalogue import CATALOGUE
from crm_events.event import Event, personal_fields
from crm_events.sealing import SEALED_PATTERN

Schema = dict[str, Any]

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_SEALED: Final[Schema] = {
    "type": "string",
    "pattern": SEALED_PATTERN,
    "description": (
        "A personal value, sealed: ~1.<subject's id in hexadecimal>.<base64url of a nonce of 12 "
        "bytes and AES-256-GCM's ciphertext with its tag>. The key is the subject's. Associated "
        "data: context|aggregate id|aggregate version|field. x-personal at the field names the "
        "sibling field with the subject's id ('self', or where that is absent: the aggregate is "
        "the subject); x-opened describes the text inside. Once the subject is erased it reads as "
        "null for ever."
    ),
}
_DECIMAL_BOUNDS: Final[Mapping[str, Literal["ge", "gt", "le", "lt"]]] = {
    "x-minimum": "ge",
    "x-exclusiveMinimum": "gt",
    "x-maximum": "le",
    "x-exclusiveMaximum": "lt",
}


class _StoredForm(GenerateJsonSchema):
    """What `exclude_none` leaves, with exact decimals as texts."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        found = super().default_schema(schema)
        if found.get("default", ...) is None:
            del found["default"]
        return found

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        found: JsonSchemaValue = {"type": "string", "format": "decimal"}
        digits, places = schema.get("max_digits"), schema.get("decimal_places")
        if digits is not None and places is not None:
            found |= {"x-digits-before-point": digits - places, "x-digits-after-point": places}
        bounds = {word: schema[ours] for word, ours in _DECIMAL_BOUNDS.items() if ours in schema}
        return found | {word: float(bound) for word, bound in bounds.items()}

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002  their signature
        return False


def schema_of(event_type: type[Event]) -> Schema:
    """The schema of one event's stored bytes."""
    found = event_type.model_json_schema(schema_generator=_StoredForm, mode="serialization")
    _open_to_newer_fields(found)
    required = set(found.get("required", ()))
    for field in personal_fields(event_type):
        opened = found["properties"][field.name]
        found["properties"][field.name] = {
            "$ref": "#/$defs/Sealed",
            "x-personal": field.subject,
            "x-opened": opened,
        }
        found.setdefault("$defs", {})["Sealed"] = _SEALED
        required.discard(field.name)
    found["required"] = sorted(required)
    return {"$schema": _DIALECT, "$id": f"/schemas/{event_type.TYPE}.json"} | found


def _open_to_newer_fields(schema: Schema) -> None:
    for each in (schema, *schema.get("$defs", {}).values()):
        each.pop("additionalProperties", None)


def schemas_of(catalogue: Mapping[str, type[Event]] = CATALOGUE) -> dict[str, Schema]:
    """The schema of every event, by its stored name."""
    return {name: schema_of(event_type) for name, event_type in catalogue.items()}


def as_text(schema: Schema) -> str:
    """As it is committed: sorted, indented, ending in a newline."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(schema, option=options).decode()
