"""What no description generates: bytes, numbers and depths that parsers and databases choke on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

ID: Final = "01a201fe-12eb-72d3-874e-5e8e37b3adad"
DEEP: Final = 100_000
TEXTS: Final = (
    "\x00",
    "a\x00b",
    "\ufffe\uffff",
    "\U0010ffff" * 50,
    "a" * 5_000,
    "\u202e\u200b\u0301",
    "'; --",
    "%00",
    "1e309",
)
_BODIES: Final = (
    b"",
    b"\x00",
    b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}",
    b"null",
    b"[]",
    b"NaN",
    b'"\\ud800"',
    b"[" * DEEP,
    b'{"a":' * DEEP,
    b"[" * 2_000 + b"]" * 2_000,
)
_VALUES: Final = (
    '"\\u0000"',
    '"\\ud800"',
    '"\\\\u0000"',
    '"\ufffe\U0010ffff"',
    "1" * 400,
    "-9223372036854775809",
    "1e400",
    "-0.0",
    "null",
    '"0001-01-01T00:00:00+14:00"',
    '"9999-12-31T23:59:59-14:00"',
    '"' + "9" * 5_000 + '"',
    '{"amount": "1' + "0" * 400 + '", "currency": "EUR"}',
    "[" * 300 + "]" * 300,
)


@dataclass(frozen=True)
class Hostile:
    """One request as it goes over the wire."""

    method: str
    path: str
    content: bytes | None = None


def requests_to(document: Mapping[str, Any]) -> Iterator[Hostile]:
    """Every hostile value in every place that the operations of a document have for one."""
    schemas = document["components"]["schemas"]
    for path, item in document["paths"].items():
        for method, operation in item.items():
            plain = _filled(path, ID)
            yield from _queried(method, plain, operation)
            if "{" in path:
                yield from (Hostile(method, _filled(path, quote(text))) for text in TEXTS)
            if "requestBody" in operation:
                yield from (Hostile(method, plain, body) for body in _BODIES)
                yield from (Hostile(method, plain, b) for b in _bodies(operation, schemas))


def _filled(path: str, value: str) -> str:
    head, *rest = path.split("{")
    return head + "".join(value + part.split("}", 1)[1] for part in rest)


def _queried(method: str, path: str, operation: Mapping[str, Any]) -> Iterator[Hostile]:
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "query":
            for text in TEXTS:
                yield Hostile(method, f"{path}?{parameter['name']}={quote(text)}")


def _bodies(operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[bytes]:
    """The smallest body that fits, with one field after the other made hostile."""
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    shape = schemas[schema["$ref"].rsplit("/", 1)[1]]
    least = {name: _least(shape["properties"][name], schemas) for name in shape.get("required", ())}
    for name in shape["properties"]:
        rest = json.dumps({key: value for key, value in least.items() if key != name})[1:-1]
        for value in _VALUES:
            yield f'{{"{name}": {value}{", " if rest else ""}{rest}}}'.encode()


def _least(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    """A small value that fits a schema of ours."""
    if "$ref" in schema:
        return _least(schemas[schema["$ref"].rsplit("/", 1)[1]], schemas)
    if "enum" in schema or "const" in schema:
        return schema.get("const", [*schema.get("enum", ()), None][0])
    if schema.get("type") == "object":
        properties = schema.get("properties", {})
        return {name: _least(properties[name], schemas) for name in schema.get("required", ())}
    if schema.get("type") == "array":
        return [_least(schema["items"], schemas)] * schema.get("minItems", 0)
    return _scalar(schema)


def _scalar(schema: Mapping[str, Any]) -> Any:
    if schema.get("type") in {"integer", "number"}:
        return schema.get("minimum", 1)
    if schema.get("format") == "uuid":
        return ID
    if "^[A-Z]{3}$" in schema.get("pattern", ""):
        return "EUR"
    return "aa" * 8 if "[0-9a-f]" in schema.get("pattern", "") else "1"
