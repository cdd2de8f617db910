"""AsyncAPI 3 of each context's topic: its messages, their headers, and the schemas of their data.

Payloads are references to the committed schemas: a reference inside one of them is meant from its
own beginning, which it would not have inside this document.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import orjson
from pydantic import TypeAdapter

from crm_events.catalogue import CATALOGUE, CONTEXTS, context_of, events_topic
from crm_events.envelope import Envelope, to_headers
from crm_events.event import Event
from crm_events.partitions import PARTITIONS
from crm_events.schemas.generated import Schema, as_text

FOLDER: Final = Path(__file__).parents[4] / "docs" / "asyncapi"
"""In a checkout; an installed package has no documents."""
EXAMPLES: Final = Path(__file__).parents[4] / "tests" / "events" / "golden"
"""A stored event of each type, as it is and stays recorded."""
_NAMESPACE: Final = "crm"
_SCHEMAS: Final = "../../libs/events/crm_events/schemas/events"
_FORMAT: Final = "application/schema+json;version=draft-2020-12"
_UUID: Final[Schema] = {"type": "string", "format": "uuid"}
_NUMBER: Final[Schema] = {"type": "string", "pattern": r"^\d+$"}
_INSTANT: Final[Schema] = {"type": "string", "format": "date-time"}
_OPTIONAL: Final = ("ce_causationid", "ce_supersedes", "ce_traceparent")


def headers_schema(context: str) -> Schema:
    """What stands in the headers of every event of a context: CloudEvents 1.0, binary mode."""
    properties: dict[str, Schema] = {
        "ce_specversion": {"const": "1.0"},
        "ce_id": _UUID,
        "ce_source": {"const": f"/crm/{context}"},
        "ce_type": {"type": "string", "enum": sorted(_names_of(context))},
        "ce_subject": _UUID | {"description": "The thing it is about; also the record's key"},
        "ce_time": _INSTANT | {"description": "When it was recorded"},
        "ce_dataschema": {
            "type": "string",
            "pattern": rf"^/schemas/crm\.{context}\.\w+\.v\d+\.json$",
        },
        "ce_occurredat": _INSTANT | {"description": "When it took effect"},
        "ce_sequence": _NUMBER | {"description": "Its position in the context's log"},
        "ce_prevsequence": _NUMBER | {"description": "That of the event before in its partition"},
        "ce_aggregateversion": _NUMBER,
        "ce_correlationid": _UUID,
        "ce_causationid": _UUID,
        "ce_commandid": _UUID,
        "ce_actor": {"type": "string", "minLength": 1},
        "ce_origin": {"enum": ["live", "import"]},
        "ce_supersedes": _UUID,
        "ce_traceparent": {"type": "string"},
        "content-type": {"const": "application/json"},
    }
    required = [name for name in properties if name not in _OPTIONAL]
    return {"type": "object", "properties": properties, "required": required}


def document_of(context: str) -> Schema:
    """The document of one context. Addresses are those of the usual namespace."""
    names = sorted(_names_of(context))
    topic = events_topic(_NAMESPACE, context)
    messages = {name: {"$ref": f"#/components/messages/{name}"} for name in names}
    channel = {
        "address": topic,
        "description": "Every event of the context, in order for each thing, kept for ever.",
        "messages": messages,
        "bindings": {
            "kafka": {"topic": topic, "partitions": PARTITIONS, "bindingVersion": "0.5.0"}
        },
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": f"CRM {context}",
            "version": "1.0.0",
            "description": (
                "What happened in this context. Watermarks, records without data of the type "
                "crm.watermark.v1, say up to where everything of their partition has been "
                "published. A deployment with another CRM_NAMESPACE has it in the place of `crm`."
            ),
        },
        "defaultContentType": "application/json",
        "channels": {"events": channel},
        "operations": {
            "publish": {"action": "send", "channel": {"$ref": "#/channels/events"}},
        },
        "components": {
            "messages": {name: _message(name, CATALOGUE[name]) for name in names},
            "schemas": {"Headers": headers_schema(context)},
        },
    }


def _names_of(context: str) -> Iterable[str]:
    return (name for name in CATALOGUE if context_of(name) == context)


def _message(name: str, event: type[Event]) -> Schema:
    told = inspect.getdoc(event) if event.__doc__ else None
    message: dict[str, Any] = {
        "name": name,
        "title": event.__name__,
        "contentType": "application/json",
        "headers": {"$ref": "#/components/schemas/Headers"},
        "payload": {"schemaFormat": _FORMAT, "schema": {"$ref": f"{_SCHEMAS}/{name}.json"}},
        "bindings": {"kafka": {"key": _UUID, "bindingVersion": "0.5.0"}},
    }
    if (EXAMPLES / f"{name}.json").is_file():
        message["examples"] = [_example(name)]
    return message | ({"summary": " ".join(told.split())} if told else {})


def _example(name: str) -> Schema:
    """A recorded message, taken from the events that every version has to read for ever."""
    recorded = orjson.loads((EXAMPLES / f"{name}.json").read_bytes())
    told = TypeAdapter(Envelope).validate_python({**recorded["envelope"], "data": b""})
    headers = {key: value.decode() for key, value in to_headers(told)}
    return {"name": "recorded", "headers": headers, "payload": recorded["data"]}


def documents() -> Mapping[str, str]:
    """The text of every context's document."""
    return {context: as_text(document_of(context)) for context in CONTEXTS}


def out_of_step(folder: Path = FOLDER) -> list[str]:
    """Committed documents that say something else, one sentence each; none where there is no
    checkout."""
    if not folder.parent.is_dir():
        return []
    committed = {path.stem: path.read_text() for path in folder.glob("*.json")}
    return [
        f"docs/asyncapi/{context}.json is out of step; run python -m crm_events.schemas write."
        for context, text in documents().items()
        if committed.get(context) != text
    ]


def write(folder: Path = FOLDER) -> None:
    """Nothing where there is no checkout."""
    if folder.parent.is_dir():
        folder.mkdir(exist_ok=True)
        for context, text in documents().items():
            (folder / f"{context}.json").write_text(text)
