"""Every event version ever published still reads, and reads as what it meant."""

from __future__ import annotations

import re
from typing import Any

import jsonschema_rs
import orjson
import pytest
from crm_events.catalogue import CATALOGUE
from crm_events.codec import Codec
from crm_events.envelope import from_headers, to_headers
from crm_events.event import personal_fields
from crm_events.partitions import partition_of
from crm_events.schemas.check import COMMITTED, committed_in
from crm_events.schemas.history import published
from crm_events.sealing import SEALED_PATTERN
from crm_events.upcasting import UPCASTS

from tests.events.golden import FOLDER, READ_AS, GoldenKeys, golden, names_in, put

NAMES = sorted(names_in(FOLDER))
NEWEST = sorted(CATALOGUE)


@pytest.fixture
def codec() -> Codec:
    return Codec(GoldenKeys())


def test_every_type_and_version_has_a_golden_file() -> None:
    assert names_in(FOLDER) == CATALOGUE.keys() | UPCASTS.keys()
    assert names_in(FOLDER) == names_in(READ_AS) == committed_in(COMMITTED).keys()


@pytest.mark.parametrize("name", NAMES)
def test_golden_event_reads_as_what_it_meant(codec: Codec, name: str) -> None:
    sample = golden(name)
    assert codec.decode(sample.envelope.data, sample.slot) == sample.expected()


@pytest.mark.parametrize("name", NAMES)
def test_golden_event_uses_every_field(name: str) -> None:
    """A field that came with a later version has nothing to read in an older event."""
    sample = golden(name)
    assert sample.fields.keys() == type(sample.expected()).model_fields.keys()
    of_its_version = orjson.loads((COMMITTED / f"{name}.json").read_bytes())["properties"]
    assert {field for field, value in sample.expected() if value is not None} >= set(of_its_version)


@pytest.mark.parametrize("name", NAMES)
def test_golden_data_conforms_to_its_schema(name: str) -> None:
    schema: dict[str, Any] = orjson.loads((COMMITTED / f"{name}.json").read_bytes())
    sample = golden(name)
    jsonschema_rs.Draft202012Validator(schema, validate_formats=True).validate(sample.data)
    personal = [f for f, part in schema["properties"].items() if "x-personal" in part]
    assert all(re.match(SEALED_PATTERN, sample.data[field]) for field in personal)


@pytest.mark.parametrize("name", NEWEST)
def test_event_is_stored_today_as_in_its_golden_file(codec: Codec, name: str) -> None:
    sample = golden(name)
    today = orjson.loads(codec.encode(sample.expected(), sample.slot))
    sealed = {field.name for field in personal_fields(CATALOGUE[name])}
    plain = {field: value for field, value in sample.data.items() if field not in sealed}
    assert {field: value for field, value in today.items() if field not in sealed} == plain
    assert list(today) == list(sample.data)


@pytest.mark.parametrize("name", NAMES)
def test_golden_envelope_survives_the_wire(name: str) -> None:
    envelope = golden(name).envelope
    assert envelope.type == name
    assert envelope.partition == partition_of(envelope.aggregate_id)
    headers = to_headers(envelope)
    assert dict(headers)["ce_dataschema"].decode() == f"/schemas/{name}.json"
    assert from_headers(headers, envelope.partition, envelope.data) == envelope


def test_published_golden_files_never_change() -> None:
    earlier = published(FOLDER).texts or {}
    for file, texts in earlier.items():
        if "/" not in file:
            assert set(texts) == {(FOLDER / file).read_text()}, f"{file} was changed: take it back"


def test_golden_file_is_never_overwritten() -> None:
    with pytest.raises(FileExistsError):
        put(golden(NAMES[0]).envelope)
