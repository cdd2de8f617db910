"""Commands and imports sent to a home, their bodies filled from what the API says of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from crm_console.transport import Transport
from crm_events.catalogue import CONTEXTS
from crm_service.importing.protocol import ImportKind

from tests.support.canary.filling import Filler

_ROUTE_OF_IMPORTS = "/imports/{kind}"


class Teller:
    """Sends commands by their path in the API; fields that are not given are filled.

    `documents` are what the API of each context says of itself.
    """

    def __init__(self, transport: Transport, documents: Mapping[str, Any]) -> None:
        self.filler = Filler()
        self.told: set[str] = set()
        self._transport = transport
        self._parts = {name: d["components"]["schemas"] for name, d in documents.items()}
        self._bodies = {
            path: said["post"]["requestBody"]["content"]["application/json"]["schema"]
            for document in documents.values()
            for path, said in document["paths"].items()
            if "requestBody" in said.get("post", ())
        }

    @property
    def commands(self) -> set[str]:
        """Every path of the API that takes something, and every kind of import."""
        paths = {path for path in self._bodies if not path.endswith(_ROUTE_OF_IMPORTS)}
        return paths | set(kinds())

    def tell(self, path: str, *, at: dict[str, str] | None = None, **given: Any) -> Any:
        """The answer. `at` fills the path's own gaps; a kind of names is part of the place."""
        place = f"{path} {given['kind']}" if "kind" in given else path
        parts = self._parts[path.split("/")[2]]
        body = self.filler.body(self._bodies[path], parts, place, given)
        answer = self._transport.send("POST", path.format(**(at or {})), body=body)
        self.told.add(path)
        return answer

    def bring(self, context: str, kind: str, options: Any = None, **given: Any) -> str:
        """The id of what one imported row made."""
        schema = kinds()[kind].row.model_json_schema()
        values = self.filler.body(schema, schema.get("$defs", {}), f"import {kind}", given)
        hashed = hashlib.sha256(repr(values).encode()).hexdigest()
        row = {"line": 2, "key": kind, "row_hash": hashed, "values": values}
        body = {"source": "file", "rows": [row], "options": options or {}}
        answer = self._transport.send("POST", f"/v1/{context}/imports/{kind}", body=body)
        (result,) = answer["results"]
        assert result["status"] == "accepted", result
        self.told.add(kind)
        return str(result["id"])


def documents_of(transport: Transport) -> dict[str, Any]:
    """Where one process answers for every context."""
    return {name: transport.send("GET", f"/openapi/{name}.json") for name in CONTEXTS}


def kinds() -> dict[str, type[ImportKind[Any, Any]]]:
    """Every kind of import of every context."""
    return {kind.name: kind for kind in _below(ImportKind) if "row" in vars(kind)}


def _below(kind: type[Any]) -> Iterator[type[Any]]:
    for each in kind.__subclasses__():
        yield each
        yield from _below(each)
