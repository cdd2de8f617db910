"""An event as a line of JSON keeps everything, its data byte for byte."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest
from crm_events.codec import Codec, Slot
from crm_events.contracts.contacts import LeadTagged
from crm_events.envelope import Envelope, MalformedEnvelope
from crm_events.ids import new_id
from crm_events.lines import from_line, to_line

from tests.support.fake_feed import FakeLog
from tests.support.keys import KeysInMemory


@pytest.fixture
def envelope() -> Envelope:
    log = FakeLog(Codec(KeysInMemory()))
    found = log.append(new_id(), LeadTagged(tag='"data":{"quoted": "}\n'))[0]
    return replace(found, prevsequence=0, causation_id=new_id(), traceparent="00-a-b-01")


def test_a_line_read_again_is_the_event(envelope: Envelope) -> None:
    line = to_line(envelope)
    assert b"\n" not in line
    assert from_line(line) == envelope


def test_a_line_is_readable_json(envelope: Envelope) -> None:
    found = orjson.loads(to_line(envelope))
    assert (found["type"], found["sequence"]) == (envelope.type, 1)
    assert found["data"] == orjson.loads(envelope.data)


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\x00", b'{"a":\n1}'])
def test_bytes_that_would_break_a_line_are_kept_too(envelope: Envelope, data: bytes) -> None:
    broken = replace(envelope, data=data)
    assert from_line(to_line(broken)) == broken


def test_odd_but_valid_bytes_are_kept_as_they_are(envelope: Envelope) -> None:
    odd = replace(envelope, data=b'{ "tag" : "\\u00e9", "n": 1.50 }')
    assert b'{ "tag" : "\\u00e9", "n": 1.50 }' in to_line(odd)
    assert from_line(to_line(odd)) == odd


def test_a_line_without_an_envelope_is_refused() -> None:
    with pytest.raises(MalformedEnvelope):
        from_line(b'{"partition":0,"id":"x","data":{}}')


def test_codec_decodes_what_a_line_carried(envelope: Envelope) -> None:
    found = from_line(to_line(envelope))
    slot = Slot(found.type, found.aggregate_id, found.aggregate_version)
    assert Codec(KeysInMemory()).decode(found.data, slot) == LeadTagged(
        tag='"data":{"quoted": "}\n'
    )
