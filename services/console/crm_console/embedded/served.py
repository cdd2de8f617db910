"""The application of a home as something to be served: it lives as long as the server does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.routing import Mount

from crm_console.embedded.host import Embedded


def served_home(embedded: Embedded) -> Starlette:
    """An ASGI application that enters the embedded one when served and leaves it at the end."""

    @asynccontextmanager
    async def living(_: Starlette) -> AsyncIterator[None]:
        async with embedded, embedded.views.warming().beside():
            yield

    return Starlette(routes=[Mount("/", app=embedded)], lifespan=living)
