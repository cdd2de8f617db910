"""What has to hold of every answer, whatever was asked."""

from __future__ import annotations

from typing import Any, Final, cast

from schemathesis import Case, CheckContext, Response
from schemathesis.checks import CHECKS, CheckFunction, load_all_checks, not_a_server_error

MEDIA_TYPE: Final = "application/problem+json"
_REJECTION: Final = "negative_data_rejection"
_CONFORMANCE: Final = (
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    _REJECTION,
)


def described_refusal(_: CheckContext, response: Response, case: Case[Any]) -> None:
    """A refusal is a problem whose slug the description lists under its status."""
    if response.status_code < 400:
        return
    document: dict[str, Any] = case.operation.schema.raw_schema
    assert response.headers["content-type"] == [MEDIA_TYPE], response.headers
    problem = response.json()
    slug = problem["type"].removeprefix("/problems/")
    described = document["components"]["responses"][f"Problem{response.status_code}"]
    assert f"`{slug}`" in described["description"], f"{slug} is not described"
    assert problem["detail"], "it says nothing"
    assert "Traceback" not in response.text


def no_failure_of_ours(context: CheckContext, response: Response, case: Case[Any]) -> None:
    """No 5xx, but for a view that is honest about being behind what somebody waits for."""
    behind = response.status_code == 503 and "retry-after" in response.headers
    if not (behind and "after" in (case.query or {}) and "/views/" in case.path):
        not_a_server_error(context, response, case)


def checks(case: Case[Any]) -> list[CheckFunction]:
    """Those that fit an operation: a row that does not fit is refused inside of the answer."""
    load_all_checks()
    names = [name for name in _CONFORMANCE if name != _REJECTION or "/imports/" not in case.path]
    found = cast("list[CheckFunction]", CHECKS.get_by_names(names))
    return [no_failure_of_ours, described_refusal, *found]
