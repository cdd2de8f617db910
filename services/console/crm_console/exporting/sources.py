"""Where exported rows come from: the logs of the contexts, the facts of a view, its report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

from crm_console.exporting.export import Exported
from crm_console.exporting.writing import Column, Row
from crm_console.reports import run
from crm_console.transport import Connection

CONTEXTS: Final = ("contacts", "pipeline", "ticketing", "campaigns")
_EVENTS: Final = 2_000
_FACTS: Final = 5_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO: Final = timedelta(microseconds=1)
_COMPLETE_TO: Final = "Crm-Complete-To"
_NEXT: Final = "Crm-Next"
_DATA: Final = b',"data":'
_TYPES: Final = {
    "context": "text",
    "sequence": "integer",
    "partition": "integer",
    "id": "uuid",
    "type": "text",
    "subject": "uuid",
    "aggregateversion": "integer",
    "time": "instant",
    "occurredat": "instant",
    "correlationid": "uuid",
    "causationid": "uuid",
    "commandid": "uuid",
    "supersedes": "uuid",
    "actor": "text",
    "origin": "text",
    "traceparent": "text",
    "data": "json",
}
_INSTANTS: Final = tuple(name for name, type in _TYPES.items() if type == "instant")
Asked = Mapping[str, Any]


def events(connection: Connection, asked: Asked) -> Exported:
    """All events of all contexts up to a position, those whose effect lies in the period."""
    cut = connection.send("GET", "/v1/views/cut", query=asked)
    heads = {name: connection.send("GET", f"/v1/{name}/position")["sequence"] for name in CONTEXTS}
    known = cut["position"] or heads
    position = {name: min(known[name], heads[name]) for name in CONTEXTS}
    bounds = {name: _micros(cut[name]) for name in ("start", "end", "as_of")}
    return Exported(
        [Column(name, type) for name, type in _TYPES.items()],
        _events(connection, position, bounds),
        position,
        {
            "what": "events",
            "asked": _given(asked),
            "settled": cut["settled"],
            "personal": "sealed under a key for each subject, as stored",
        },
    )


def _events(
    connection: Connection, position: Mapping[str, int], bounds: Mapping[str, int | None]
) -> Iterator[Sequence[Row]]:
    for context, end in position.items():
        after = 0
        while after < end:
            query = {"after": after, "limit": _EVENTS}
            page = connection.fetch(f"/v1/{context}/events", query)
            rows = (_event(context, line) for line in page.content.splitlines())
            yield [row for row in rows if row["sequence"] <= end and _within(row, bounds)]
            after = max(int(page.headers[_COMPLETE_TO]), after + 1)


def _event(context: str, line: bytes) -> dict[str, Any]:
    row: dict[str, Any] = orjson.loads(line)
    for name in _INSTANTS:
        row[name] = _micros(row[name])
    row["context"] = context
    if "data_base64" in row:
        row["data"] = orjson.dumps({"data_base64": row.pop("data_base64")}).decode()
    else:
        row["data"] = line[line.index(_DATA) + len(_DATA) : -1].decode()
    return row


def _within(row: Row, bounds: Mapping[str, int | None]) -> bool:
    at, start, end, as_of = row["occurredat"], *(bounds[n] for n in ("start", "end", "as_of"))
    if start is not None and at < start:
        return False
    return (end is None or at < end) and (as_of is None or at <= as_of)


def _micros(text: str | None) -> int | None:
    return None if text is None else (datetime.fromisoformat(text) - _EPOCH) // _MICRO


def facts(
    connection: Connection, view: str, known_at: str | None
) -> Iterator[tuple[str, Exported]]:
    """Every table of facts of a view at one position: what is known now, or was known by a time."""
    found = connection.send("GET", f"/v1/views/facts/{view}")
    position = found["position"]
    if known_at is not None:
        cut = connection.send("GET", "/v1/views/cut", query={"known_at": known_at})["position"]
        position = {name: min(cut[name], upto) for name, upto in position.items()}
    for table in found["tables"]:
        columns = [Column(c["name"], c["type"]) for c in table["columns"]]
        about = {
            "what": f"facts of {view}",
            "table": table["name"],
            "definition": found["definition"],
            "asked": _given({"known_at": known_at}),
        }
        path = f"/v1/views/facts/{view}/{table['name']}"
        query = {"generation": found["generation"], "at": _at(position), "limit": _FACTS}
        yield table["name"], Exported(columns, _pages(connection, path, query), position, about)


def _pages(connection: Connection, path: str, query: Asked) -> Iterator[Sequence[Row]]:
    after: str | None = ""
    while after is not None:
        page = connection.fetch(path, {**query, "after": after or None})
        yield [orjson.loads(line) for line in page.content.splitlines()]
        after = page.headers.get(_NEXT)


def _at(position: Mapping[str, int]) -> list[str]:
    return [f"{context}/*/{sequence}" for context, sequence in position.items()]


def answer(connection: Connection, view: str, asked: Asked) -> Exported:
    """A view's rows, or its groups' totals, at a position, with the citation that gives them."""
    found = run(connection, view, asked)
    content = found.content
    groups = content["groups"]
    rows = [_flat(row) for row in content["rows"]] if groups is None else _grouped(groups)
    columns = [
        Column(name, _kind(name, rows)) for name in dict.fromkeys(n for r in rows for n in r)
    ]
    about = {
        "what": view,
        "definition": content["definition"],
        "parameters": content["parameters"],
        "totals": content["totals"],
        "excluded": content["excluded"],
        "citation": found.text if found.head["citable"] else None,
        "not_citable": found.head["not_citable"],
    }
    return Exported(columns, [rows], content["position"], about)


def _grouped(groups: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{"key": group["key"], **_flat(group["totals"])} for group in groups]


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """Money as its amount and its currency; what is nested stays JSON."""
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict) and set(value) == {"amount", "currency"}:
            flat |= {name: value["amount"], f"{name}_currency": value["currency"]}
        elif isinstance(value, dict | list):
            flat[name] = orjson.dumps(value).decode()
        else:
            flat[name] = value
    return flat


def _kind(name: str, rows: Sequence[Row]) -> str:
    values = [row[name] for row in rows if row.get(name) is not None]
    if values and all(isinstance(value, bool) for value in values):
        return "boolean"
    if values and all(isinstance(value, int) for value in values):
        return "integer"
    return "number" if values and all(isinstance(v, int | float) for v in values) else "text"


def _given(asked: Asked) -> dict[str, Any]:
    return {name: value for name, value in asked.items() if value is not None}
