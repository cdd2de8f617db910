"""From an exception to the problem document it leaves as; nothing else answers errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar
from uuid import UUID

import orjson
from crm_events.catalogue import UnknownEventType
from crm_events.domain import DomainError
from crm_events.store.port import StoreUnavailable
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from crm_service.problems import MEDIA_TYPE, Problem, Registry, RequestRefused
from crm_service.tokens import TokensUnreadable

E = TypeVar("E", bound=Exception)
Translation = Callable[[Any], Problem]
RETRY_AFTER_SECONDS: Final = 1
MOST_ERRORS: Final = 50
_BY_STATUS: Final = {
    404: ("no-such-path", "Nothing is served at this path."),
    405: ("method-not-allowed", "This path takes other methods; Allow names them."),
}


def unavailable(detail: str) -> Problem:
    """A 503 that says when to come back."""
    return Problem("unavailable", detail, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


class Answering:
    """Renders errors by one registry. Translations are looked up by class, nearest ancestor first;
    what nothing translates is an internal error and tells nothing of itself."""

    def __init__(
        self,
        registry: Registry,
        further: Mapping[type[Exception], Translation] | None,
        count: Callable[[str], None],
    ) -> None:
        self.registry = registry
        self._count = count
        self._translations: dict[type, Translation] = {**_KNOWN, **(further or {})}

    def expects(self, error: Exception) -> bool:
        """False for an error that is a fault of ours and belongs in the log with its place."""
        return self._translation(error) is not None

    def problem(self, error: Exception) -> Problem:
        """What an error has to say; always a slug of the registry."""
        translate = self._translation(error)
        found = translate(error) if translate is not None else _INTERNAL
        return found if found.slug in self.registry else _renamed(found)

    def response(self, error: Exception, correlation_id: UUID) -> Response:
        """The `application/problem+json` of an error; its `instance` is the correlation id."""
        problem = self.problem(error)
        kind = self.registry[problem.slug]
        self._count(problem.slug)
        document = {
            **problem.extra,
            "type": f"/problems/{problem.slug}",
            "title": kind.title,
            "status": kind.status,
            "detail": problem.detail,
            "instance": f"urn:uuid:{correlation_id}",
        }
        return Response(_json(document), kind.status, dict(problem.headers), MEDIA_TYPE)

    def _translation(self, error: Exception) -> Translation | None:
        ancestors = type(error).__mro__
        return next((self._translations[a] for a in ancestors if a in self._translations), None)


_INTERNAL: Final = Problem(
    "internal-error",
    "Something failed here, not in your request. Tell whoever runs this the correlation id.",
)


def _renamed(problem: Problem) -> Problem:
    """A slug nobody registered still refuses, under the common name; see `Registry.missing`."""
    return Problem("refused", problem.detail, {**problem.extra, "reason": problem.slug})


def _of_domain(error: DomainError) -> Problem:
    extra = {name: value for name, value in vars(error).items() if not name.startswith("_")}
    return Problem(error.slug, str(error), extra)


def _of_http(error: HTTPException) -> Problem:
    slug, detail = _BY_STATUS.get(
        error.status_code, ("malformed-request", "The request cannot be read.")
    )
    return Problem(slug, detail, headers=error.headers or {})


def _of_validation(error: RequestValidationError) -> Problem:
    found = error.errors()
    if found and found[0]["type"] == "json_invalid":
        at = found[0]["loc"][-1]
        return Problem("malformed-json", f"The body is not JSON (near character {at}).")
    errors = [_field_error(entry) for entry in found[:MOST_ERRORS]]
    names = ", ".join(dict.fromkeys(entry["field"] or entry["in"] for entry in errors[:5]))
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    return Problem("validation", f"Wrong: {names}{more}.", {"errors": errors})


def _field_error(entry: Mapping[str, Any]) -> dict[str, str]:
    place, *path = entry["loc"]
    return {"in": str(place), "field": _dotted(path), "reason": _reason(entry)}


def _dotted(path: Iterable[str | int]) -> str:
    """`("rows", 3, "amount")` is `rows[3].amount`, as a reader of JSON would write it."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")


def _reason(entry: Mapping[str, Any]) -> str:
    if entry["type"] == "extra_forbidden":
        return "unknown field"
    if entry["type"] == "missing":
        return "required"
    return str(entry["msg"]).removeprefix("Value error, ")


def _of_newer(error: UnknownEventType) -> Problem:
    """While an upgrade goes round, another copy may know what this one does not."""
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return Problem("older-program", str(error), headers=headers)


def _json(document: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(document, default=str)
    except TypeError:  # half a surrogate pair, or an integer of more than 64 bits
        return json.dumps(document, default=str).encode()


_KNOWN: Final[Mapping[type[Exception], Translation]] = {
    RequestRefused: lambda error: error.problem,
    DomainError: _of_domain,
    RequestValidationError: _of_validation,
    HTTPException: _of_http,
    UnknownEventType: _of_newer,
    StoreUnavailable: lambda _: unavailable("The store cannot be reached."),
    TokensUnreadable: lambda _: unavailable("Tokens cannot be checked."),
}
