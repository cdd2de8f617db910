"""What the committed AsyncAPI documents say of a message, as a consumer elsewhere reads them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import jsonschema_rs
from crm_events.catalogue import context_of
from crm_events.schemas.asyncapi import FOLDER


def _document(name: str) -> Any:
    return json.loads((FOLDER / f"{context_of(name)}.json").read_text())


def described(name: str) -> Any:
    """The message of a stored type."""
    return _document(name)["components"]["messages"][name]


def refusal(name: str, headers: Mapping[str, str], data: Any) -> str | None:
    """What is wrong with a message of that type; None where nothing is."""
    document = _document(name)
    payload = FOLDER / document["components"]["messages"][name]["payload"]["schema"]["$ref"]
    checks = (
        (document["components"]["schemas"]["Headers"], dict(headers)),
        (json.loads(payload.read_text()), data),
    )
    for schema, value in checks:
        validator = jsonschema_rs.Draft202012Validator(schema)
        for error in validator.iter_errors(value):
            return str(error.message)
    return None
