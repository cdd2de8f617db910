"""An event as one line of JSON: the attributes it has on Kafka, and its data exactly as stored."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any, Final

import orjson

from crm_events.envelope import Envelope, from_headers, to_headers

MEDIA_TYPE: Final = "application/x-ndjson"
_DATA: Final = b',"data":'
_LEFT_OUT: Final = frozenset(("prevsequence", "specversion", "dataschema"))
_NUMBERS: Final = frozenset(("sequence", "aggregateversion"))


def to_line(envelope: Envelope) -> bytes:
    """One line without its end. `data` stands last, byte for byte as it is stored; bytes that are
    no JSON stand as `data_base64`, as CloudEvents has it."""
    head = orjson.dumps(_attributes(envelope))[:-1]
    if _is_json(envelope.data):
        return b"%b%b%b}" % (head, _DATA, envelope.data)
    return b'%b,"data_base64":"%b"}' % (head, b64encode(envelope.data))


def from_line(line: bytes) -> Envelope:
    """The reverse of `to_line`. Raises MalformedEnvelope, and ValueError where it is no JSON."""
    found = orjson.loads(line)
    partition = int(found.pop("partition"))
    data = _data(line, found)
    headers = [(f"ce_{name}", str(value).encode()) for name, value in found.items()]
    return from_headers([*headers, ("ce_prevsequence", b"0")], partition, data)


def _attributes(envelope: Envelope) -> dict[str, Any]:
    """Under their names on Kafka without `ce_`; one spelling everywhere."""
    named = (
        (name.removeprefix("ce_"), value.decode())
        for name, value in to_headers(envelope)
        if name.startswith("ce_")
    )
    found: dict[str, Any] = {
        name: int(value) if name in _NUMBERS else value
        for name, value in named
        if name not in _LEFT_OUT
    }
    return {**found, "partition": envelope.partition}


def _data(line: bytes, found: dict[str, Any]) -> bytes:
    if "data_base64" in found:
        return b64decode(found.pop("data_base64"))
    found.pop("data", None)
    start = line.index(_DATA) + len(_DATA)  # a quote inside a value would be escaped
    return line.rstrip()[start:-1]


def _is_json(data: bytes) -> bool:
    try:
        orjson.loads(data)
    except ValueError:
        return False
    return b"\n" not in data
