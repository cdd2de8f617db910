"""The committed schemas say what the stored bytes are, and are those the classes generate."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import cache
from typing import Any, Final

import jsonschema_rs
import pytest
from crm_events.catalogue import CATALOGUE
from crm_events.codec import Codec
from crm_events.contracts.contacts import LeadCaptured, PersonRegistered
from crm_events.event import Event, personal_fields
from crm_events.schemas.__main__ import main
from crm_events.schemas.check import COMMITTED, committed_in
from crm_events.schemas.generated import as_text, schema_of, schemas_of
from hypothesis import given, settings

from tests.events.codec.building import CAPTURED, fields_of, slot_of
from tests.support.any_event import any_event
from tests.support.keys import KeysInMemory

_NAMES: Final = sorted(CATALOGUE)


def _is_decimal(text: str) -> bool:
    return Decimal(text).is_finite()


@cache
def validator(name: str) -> jsonschema_rs.Draft202012Validator:
    """Over the committed file, as a consumer in another language would have it."""
    schema = json.loads((COMMITTED / f"{name}.json").read_text())
    return jsonschema_rs.Draft202012Validator(
        schema, validate_formats=True, formats={"decimal": _is_decimal}
    )


def test_committed_schemas_are_those_of_the_classes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 0, capsys.readouterr().err
    assert f"{len(CATALOGUE)} schemas read all" in capsys.readouterr().out


def test_every_event_has_a_committed_schema() -> None:
    assert committed_in(COMMITTED).keys() >= CATALOGUE.keys()


@pytest.mark.parametrize("name", _NAMES)
def test_schema_is_valid_and_names_its_event(name: str) -> None:
    schema = schema_of(CATALOGUE[name])
    jsonschema_rs.meta.validate(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"/schemas/{name}.json"


@settings(max_examples=400, deadline=None)
@given(any_event())
def test_stored_bytes_are_what_the_schema_says(event: Event) -> None:
    data = Codec(KeysInMemory()).encode(event, slot_of(event))
    validator(event.TYPE).validate(fields_of(data))


@pytest.mark.parametrize("name", _NAMES)
def test_personal_fields_are_marked_with_their_subject(name: str) -> None:
    properties = schema_of(CATALOGUE[name])["properties"] if CATALOGUE[name].model_fields else {}
    marked = {f: s["x-personal"] for f, s in properties.items() if "x-personal" in s}
    assert marked == {field.name: field.subject for field in personal_fields(CATALOGUE[name])}
    assert all(properties[field]["$ref"] == "#/$defs/Sealed" for field in marked)


def test_schema_tells_what_lies_inside_a_seal() -> None:
    email = schema_of(LeadCaptured)["properties"]["email"]
    assert email["x-opened"] == {"type": "string", "minLength": 1, "maxLength": 500}


def test_personal_value_in_plain_text_does_not_conform() -> None:
    stored = fields_of(Codec(KeysInMemory()).encode(CAPTURED, slot_of(CAPTURED)))
    conforms = validator(LeadCaptured.TYPE)
    assert conforms.is_valid(stored)
    assert not conforms.is_valid(stored | {"name": "Mei Lin"})
    assert not conforms.is_valid(stored | {"email": None})


@pytest.mark.parametrize(
    "wrong",
    [{"person_id": "no id"}, {"source": ""}, {"source": None}, {"tags": "vip"}, {"owner": {}}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_what_no_event_holds_does_not_conform(wrong: dict[str, Any]) -> None:
    stored = fields_of(Codec(KeysInMemory()).encode(CAPTURED, slot_of(CAPTURED)))
    assert not validator(LeadCaptured.TYPE).is_valid(stored | wrong)


def test_field_of_a_newer_producer_conforms() -> None:
    assert validator(PersonRegistered.TYPE).is_valid({"stub": False, "mood": 3})


def test_absent_field_is_the_only_none() -> None:
    assert all('"null"' not in as_text(schema) for schema in schemas_of().values())
