"""From a request to the cause of a command, and from its outcome back to an answer."""

from __future__ import annotations

import hashlib
import re
from typing import Annotated, Final
from uuid import UUID, uuid5

import orjson
from crm_events.application import Outcome
from crm_events.ids import new_id
from crm_events.store.mapper import Cause
from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError

from crm_service.direct import decides_one
from crm_service.exchange import exchange_of, principal, traceparent_of
from crm_service.principals import Principal
from crm_service.problems import RequestRefused
from crm_service.route_table import described

LONGEST_KEY: Final = 200
_KEYS: Final = UUID("4b1d7c8e-3f0a-5e62-9c57-0d2f6a1be9d4")
_ETAG: Final = re.compile(r'"([1-9][0-9]{0,17})"')


def command_id(caller: Principal, key: str | None) -> UUID:
    """The id a key stands for, which differs between principals; without a key, a fresh one."""
    return new_id() if key is None else uuid5(_KEYS, f"{len(caller.id)}:{caller.id}{key}")


def fingerprint(method: str, target: str, body: bytes) -> bytes:
    """Tells a repeated request from another one under the same key; `target` is path and query."""
    return hashlib.sha256(f"{method} {target}\n".encode("utf-8", "replace") + body).digest()


def version_of(if_match: str | None) -> int | None:
    """The version that a strong ETag such as `"7"` names; None when there is none, or for `*`.

    Raises RequestRefused (400) for a weak tag, a list or anything else.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    found = _ETAG.fullmatch(if_match.strip())
    if found is None:
        remedy = (
            'If-Match takes one strong version, such as "7", as the ETag of an answer gives it.'
        )
        raise RequestRefused("malformed-request", remedy)
    return int(found[1])


@described(
    "If-Match",
    'The version you read, such as `"7"`; a stale one is refused with 412.',
    pattern=rf"^(\*|{_ETAG.pattern})$",
)
async def expected_version(request: Request) -> int | None:
    """The version a change expects. As a dependency: `Expected`."""
    return version_of(request.headers.get("if-match"))


@decides_one
@described(
    "Idempotency-Key",
    "A request repeated under its key is answered as the first time.",
    minLength=1,
    maxLength=LONGEST_KEY,
)
async def command_cause(request: Request) -> Cause:
    """The cause of the command this request gives, effective now. As a dependency: `CommandCause`.

    A route whose body names another effective time uses `dataclasses.replace(cause, at=...)`.
    """
    scope, exchange = request.scope, exchange_of(request.scope)
    caller = await principal(request)
    target = f"{scope['path']}?{scope['query_string'].decode('latin-1')}"
    return Cause(
        command_id=command_id(caller, _key(request)),
        correlation_id=exchange.correlation_id,
        causation_id=None,
        actor=caller.id,
        origin="live",
        at=exchange.received_at,
        fingerprint=fingerprint(request.method, target, await request.body()),
        traceparent=traceparent_of(exchange),
    )


def _key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not 1 <= len(key) <= LONGEST_KEY:
        reason = f"send a key of 1 to {LONGEST_KEY} characters"
        wrong = {"type": "key", "loc": ("header", "idempotency-key"), "msg": reason}
        raise RequestValidationError([wrong])
    return key


CommandCause = Annotated[Cause, Depends(command_cause)]
Expected = Annotated[int | None, Depends(expected_version)]


def done(outcome: Outcome, *, status: int = 200, location: str | None = None) -> Response:
    """The answer to a command that was done, the first time or before."""
    position = outcome.position
    body = {
        **outcome.result,
        "id": outcome.id,
        "version": outcome.version,
        "position": {
            "context": position.context,
            "partition": position.partition,
            "sequence": position.sequence,
        },
    }
    headers = {"ETag": f'"{outcome.version}"', "Crm-Position": str(position)}
    if location is not None:
        headers["Location"] = location
    if outcome.repeated:
        headers["Idempotency-Replayed"] = "true"
    return Response(orjson.dumps(body, default=str), status, headers, "application/json")


def created(outcome: Outcome, collection: str) -> Response:
    """201 with the Location of what a command made, below its collection's path."""
    return done(outcome, status=201, location=f"{collection}/{outcome.id}")
