"""The door: who may come in at all, before a path is looked up or a byte of the body is read."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from structlog.contextvars import bind_contextvars

from crm_service.exchange import exchange_of
from crm_service.network import host_of, is_loopback
from crm_service.principals import SAFE_METHODS, Principals, demand
from crm_service.problems import RequestRefused

OPEN_PATHS: Final = frozenset({"/livez", "/readyz", "/metrics"})
OPEN_BELOW: Final = "/problems"


class Guard:
    """Pure ASGI middleware. Reading asks for the right `read`, every other method for `write`, but
    for paths that are `reading`: what is asked there stands in a body."""

    def __init__(
        self,
        app: ASGIApp,
        principals: Principals,
        allowed_hosts: Collection[str],
        reading: Sequence[re.Pattern[str]] = (),
    ) -> None:
        self._app = app
        self._reading = reading
        self._principals = principals
        self._allowed_hosts = frozenset(host.lower() for host in allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self._admit(scope, Headers(scope=scope))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": "not served"})
            return
        await self._app(scope, receive, send)

    def _admit(self, scope: Scope, headers: Headers) -> None:
        if "\x00" in scope["path"] or b"%00" in scope["query_string"]:
            raise RequestRefused("malformed-request", "The address contains U+0000; remove it.")
        if self._principals.needs_no_token:
            refuse_other_sites(scope["method"], headers, self._allowed_hosts)
        path: str = scope["path"]
        if path in OPEN_PATHS or path == OPEN_BELOW or path.startswith(OPEN_BELOW + "/"):
            return
        found = self._principals.identify(scope, headers)
        exchange_of(scope).principal = found
        bind_contextvars(principal=found.id)
        demand(found, "read" if self._reads(scope["method"], path) else "write")

    def _reads(self, method: str, path: str) -> bool:
        if method in SAFE_METHODS:
            return True
        return method == "POST" and any(each.match(path) for each in self._reading)


def refuse_other_sites(method: str, headers: Headers, allowed_hosts: Collection[str]) -> None:
    """Keep pages of other sites from acting as the local user through that person's browser.

    A foreign Host is how DNS rebinding reads answers (421); a foreign Origin or Sec-Fetch-Site is
    how a form or script of another site writes (403). Raises RequestRefused.
    """
    authority = headers.get("host", "")
    host = host_of(authority)
    if host is None or not (is_loopback(host) or host in allowed_hosts):
        raise RequestRefused(
            "misdirected", "The Host header names neither this machine nor an allowed host."
        )
    if method in SAFE_METHODS:
        return
    origin = headers.get("origin")
    if origin is not None and origin.partition("://")[2].lower() != authority.lower():
        raise RequestRefused("cross-site", "The Origin is not this server.")
    if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        raise RequestRefused("cross-site", "A browser sent this for a page of another origin.")
