"""OpenAPI links: what a client can do next with the thing that a command made."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

_PARAMETER: Final = re.compile(r"\{(\w+)\}")
_MADE: Final = "201"

Document = Mapping[str, Any]


def add_links(document: Document) -> None:
    """Lead from each answer that something was made to every operation on that thing alone.

    What is made at `/deals` is meant by `/deals/{id}...`: its `id` is that of the answer, any
    other parameter the field of the body that the client named the thing by.
    """
    for path, item in document["paths"].items():
        making = item.get("post", {})
        if _MADE in making.get("responses", {}):
            links = dict(_links(document["paths"], path))
            if links:
                making["responses"][_MADE]["links"] = links


def _links(paths: Document, collection: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in paths.items():
        names = _PARAMETER.findall(path.removeprefix(collection))
        if path.startswith(f"{collection}/{{") and len(names) == 1:
            for operation in item.values():
                target = operation["operationId"]
                yield target, {"operationId": target, "parameters": {names[0]: _source(names[0])}}


def _source(name: str) -> str:
    return "$response.body#/id" if name == "id" else f"$request.body#/{name}"
