"""Listens, answers, and on SIGTERM stops taking requests, finishes those begun, and ends."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp

from crm_service.process import GRACE_SECONDS, OK, run

log = structlog.get_logger(__name__)
Listening = Callable[[str, int], None]
_BACKLOG: Final = 2048


class AddressTaken(Exception):
    """The port cannot be listened on; says which and what to do."""


class _Server(uvicorn.Server):
    """Leaves signals to the process: uvicorn would raise them again after its drain, and a drained
    process would look like a killed one."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


def serve(app: Starlette, host: str, port: int, listening: Listening | None = None) -> int:
    """Serve until told to stop; answers the exit code. Port 0 takes any free one.

    `listening` is told the address once requests are answered. Raises AddressTaken.
    """
    listener = listen(host, port)

    async def main(stop: asyncio.Event) -> int:
        async with served(app, listener):
            bound: tuple[str, int] = listener.getsockname()[:2]
            log.info("listening", host=bound[0], port=bound[1])
            if listening is not None:
                listening(*bound)
            await stop.wait()
        return OK

    return run(main)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises AddressTaken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host.strip("[]"), port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise AddressTaken(
            f"Cannot listen on {host}, port {port} ({error.strerror or error}): stop what does, or "
            "set CRM_PORT to a free one (CRM_HEALTH_PORT for a worker)."
        ) from error


@asynccontextmanager
async def served(app: Starlette, listener: socket.socket) -> AsyncIterator[None]:
    """Serve on a socket while the block runs, inside the application's lifespan; then drain."""
    async with app.router.lifespan_context(app):
        server = _Server(_configured(app))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        ready = asyncio.create_task(server.ready.wait())
        try:
            await asyncio.wait({serving, ready}, return_when=asyncio.FIRST_COMPLETED)
            yield
        finally:
            server.should_exit = True
            ready.cancel()
            await serving


def _configured(app: ASGIApp) -> uvicorn.Config:
    """Peers are who they are: no header may say otherwise, since the peer decides who is local."""
    return uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
