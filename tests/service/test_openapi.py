from __future__ import annotations

from typing import Any

import pytest
from crm_service.app import create_app
from crm_service.routing import Router
from fastapi import FastAPI
from httpx import AsyncClient

from tests.service.conftest import local_principals
from tests.service.notes import ERRORS


@pytest.fixture
async def document(client: AsyncClient) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get("/openapi.json")).json()
    return found


def test_document_is_openapi_31(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    assert document["security"] == [{"token": []}]
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"


def test_operations_are_named_as_functions(document: dict[str, Any]) -> None:
    operations = [o for item in document["paths"].values() for o in item.values()]
    assert {"write_note", "change_note", "list_notes"} <= {o["operationId"] for o in operations}


def test_problems_of_each_operation_are_declared(document: dict[str, Any]) -> None:
    responses = document["paths"]["/v1/notes/{note_id}"]["patch"]["responses"]
    assert set(responses) == set("200 400 401 403 404 409 412 413 415 422 500 503".split())  # noqa: SIM905
    assert set(document["paths"]["/v1/notes"]["get"]["responses"]) == {
        *("200", "400", "401", "403", "422", "500", "503")
    }
    assert responses["412"] == {"$ref": "#/components/responses/Problem412"}
    content = document["components"]["responses"]["Problem412"]["content"]
    assert list(content) == ["application/problem+json"]


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for reference in _references(document):
        target: Any = document
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]
        assert target


def test_every_registered_slug_is_described(document: dict[str, Any]) -> None:
    described = str(document["components"]["responses"])
    assert all(f"`{slug}`" in described for slug in ERRORS)


def test_money_is_text_and_bodies_are_closed(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert schemas["WriteNote"]["additionalProperties"] is False
    assert schemas["Money"]["properties"]["amount"]["type"] == "string"
    assert "HTTPValidationError" not in schemas


def test_headers_and_positions_are_described(document: dict[str, Any]) -> None:
    change = document["paths"]["/v1/notes/{note_id}"]["patch"]["parameters"]
    listing = document["paths"]["/v1/notes"]["get"]["parameters"]
    assert {p["name"] for p in change} == {"note_id", "Idempotency-Key", "If-Match"}
    assert {p["name"] for p in listing} == {"limit", "cursor", "after", "crm-after"}


def test_two_routes_of_one_name_are_refused() -> None:
    def router() -> Router:
        made = Router(prefix="/v1/twice")

        @made.get("")
        def read_twice() -> None:
            """Answers nothing."""

        return made

    with pytest.raises(ValueError, match="read_twice"):
        _app([router(), router()])


def _app(routers: list[Router]) -> FastAPI:
    return create_app("T", "t", routers, principals=local_principals(), readiness={})


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [r for child in node.values() for r in _references(child)]
    return [r for child in node for r in _references(child)] if isinstance(node, list) else []
