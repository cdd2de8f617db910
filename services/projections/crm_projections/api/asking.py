"""What can be asked of every view, as query parameters; each view's model adds its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import Parameter, Signature
from typing import Annotated, Any, Final
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from crm_service.direct_questions import read_at_once
from crm_service.route_table import described
from fastapi import Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from starlette.types import Scope

from crm_projections.engine.parameters import ViewParameters
from crm_projections.engine.waiting import Token, parse_token

LONGEST_WAIT: Final = 30.0
_USUAL_WAIT: Final = 5.0
_MOST_TOKENS: Final = 64
_INSTANTS: Final = frozenset(
    ("start", "end", "as_of", "known_at", "as_of_before", "known_at_before")
)
"""Read by the model, which knows the reporting time zone; text until then."""
_Tokens = Annotated[list[str] | None, Query(max_length=_MOST_TOKENS)]


@dataclass(frozen=True, slots=True)
class Question:
    """A view's own parameters, the cut by position if one was named, and what to wait for."""

    parameters: Any
    at: Mapping[str, int] | None
    after: tuple[Token, ...]
    wait: float


def asked(
    model: type[ViewParameters], contexts: Sequence[str], zone: ZoneInfo
) -> Callable[..., Any]:
    """A dependency that reads a Question for a view with these parameters and contexts.

    Its signature is made from the model, so that the API's description names every parameter.
    """

    names = frozenset(field.alias or name for name, field in model.model_fields.items())

    def at_once(scope: Scope) -> Question | None:
        said = _said_once(scope, names)
        return None if said is None else _plainly_asked(model, said, zone)

    @read_at_once(at_once)
    @described("Crm-After", "Positions to wait for, comma-separated, as in `after`.")
    async def read(request: Request, **given: Any) -> Question:
        at, after, wait = given.pop("at"), given.pop("after"), given.pop("wait")
        header = request.headers.get("crm-after", "")
        named = [*(after or ()), *(text for text in header.split(",") if text.strip())]
        return Question(
            parameters=_validated(model, given, zone),
            at=position_of(at, contexts),
            after=tuple(_tokens("after", named)),
            wait=wait,
        )

    read.__signature__ = Signature(list(_signature(model)))  # type: ignore[attr-defined]
    return read


def _said_once(scope: Scope, names: frozenset[str]) -> dict[str, str] | None:
    """The query, where it names parameters of the view alone, each once; None for all else."""
    if any(name == b"crm-after" for name, _ in scope["headers"]):
        return None
    pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    said = dict(pairs)
    return said if len(said) == len(pairs) and said.keys() <= names else None


def _plainly_asked(
    model: type[ViewParameters], said: Mapping[str, str], zone: ZoneInfo
) -> Question | None:
    """The model reads texts as FastAPI does; what it refuses is refused in FastAPI's words."""
    try:
        parameters = model.model_validate(said, context={"zone": zone})
    except ValidationError:
        return None
    return Question(parameters, at=None, after=(), wait=_USUAL_WAIT)


def _signature(model: type[ViewParameters]) -> Iterator[Parameter]:
    yield Parameter("request", Parameter.KEYWORD_ONLY, annotation=Request)
    for name, field in model.model_fields.items():
        default = Parameter.empty if field.is_required() else field.default
        yield _parameter(name, Annotated[_kind(name, field), _query(field)], default)
    after = "Answer when this has been taken, as a command answered it: pipeline/3/1234"
    yield _parameter("after", Annotated[_Tokens, Query(description=after)], None)
    at = "Answer as at this position, one for each context: pipeline/*/1234"
    yield _parameter("at", Annotated[_Tokens, Query(description=at)], None)
    wait = Query(ge=0, le=LONGEST_WAIT, description="How long to wait for `after`, in seconds")
    yield _parameter("wait", Annotated[float, wait], _USUAL_WAIT)


def _parameter(name: str, annotation: Any, default: Any) -> Parameter:
    return Parameter(name, Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


def _kind(name: str, field: FieldInfo) -> Any:
    return str | None if name in _INSTANTS else field.annotation


def _query(field: FieldInfo) -> Any:
    return Query(alias=field.alias, description=field.description)


def _validated(model: type[ViewParameters], given: Mapping[str, Any], zone: ZoneInfo) -> Any:
    fields = model.model_fields
    present = {fields[name].alias or name: v for name, v in given.items() if v is not None}
    try:
        return model.model_validate(present, context={"zone": zone})
    except ValidationError as error:
        entries = error.errors(include_url=False, include_context=False, include_input=False)
        raise RequestValidationError(
            [{**entry, "loc": ("query", *entry["loc"])} for entry in entries]
        ) from None


def _tokens(name: str, texts: Sequence[str]) -> Iterator[Token]:
    for text in texts:
        try:
            yield parse_token(text)
        except ValueError as error:
            raise _wrong(name, str(error), "query") from None


def position_of(
    texts: Sequence[str] | None, contexts: Sequence[str], place: str = "query", name: str = "at"
) -> Mapping[str, int] | None:
    """A position named as `at`, one for each context; None where there is none."""
    if not texts:
        return None
    try:
        found = {token.context: token for token in map(parse_token, texts)}
    except ValueError:
        found = {}
    if found.keys() != set(contexts) or any(t.partition is not None for t in found.values()):
        wanted = " and ".join(f"{context}/*/N" for context in contexts)
        raise _wrong(name, f"name each context of the view once, such as {wanted}", place)
    return {context: token.sequence for context, token in found.items()}


def _wrong(name: str, message: str, place: str) -> RequestValidationError:
    return RequestValidationError([{"type": "value_error", "loc": (place, name), "msg": message}])
