"""One address for every service: the path says whose request it is, as behind the gateway."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

_API = "/v1/"
_DOCUMENTS = "/openapi/"


class Dispatch:
    """`/v1/<service>/...` goes to the service, `/openapi/<service>.json` to its description."""

    def __init__(self, services: Mapping[str, ASGIApp], front: ASGIApp) -> None:
        self._services = services
        self._front = front

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if path.startswith(_API):
            service = self._services.get(path.removeprefix(_API).split("/", 1)[0])
            await (service or self._front)(scope, receive, send)
            return
        if path.startswith(_DOCUMENTS) and path.endswith(".json"):
            name = path.removeprefix(_DOCUMENTS).removesuffix(".json")
            if name in self._services:
                described = {**scope, "path": "/openapi.json", "raw_path": b"/openapi.json"}
                await self._services[name](described, receive, send)
                return
        await self._front(scope, receive, send)
