"""Prepared requests of any shape to an application inside this process, and its bare answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal
from crm_console.embedded.host import Embedded
from crm_console.home import Home
from requests import PreparedRequest, Request
from schemathesis import Case, Response

from tests.console.homes import settings

ADDRESS = "http://127.0.0.1"
Opening = Callable[[], AbstractAsyncContextManager[httpx.AsyncClient]]


@dataclass(frozen=True)
class Speaking:
    """A client whose application lives on another thread's loop."""

    portal: BlockingPortal
    client: httpx.AsyncClient

    def call(self, case: Case[Any]) -> Response:
        """What the application answers to a generated case."""
        prepared = Request(**case.as_transport_kwargs(base_url=ADDRESS)).prepare()
        answer = self.portal.call(self._sent, prepared)
        headers = {name: answer.headers.get_list(name) for name in answer.headers}
        return Response(answer.status_code, headers, answer.content, prepared, 0.0, verify=False)

    async def _sent(self, prepared: PreparedRequest) -> httpx.Response:
        body = prepared.body
        return await self.client.request(
            str(prepared.method),
            str(prepared.url),
            headers=[(_raw(name), _raw(value)) for name, value in prepared.headers.items()],
            content=body.encode() if isinstance(body, str) else body,  # type: ignore[arg-type]
        )

    def said(self, method: str, path: str, content: bytes | None) -> httpx.Response:
        """What the application answers to these bytes."""
        headers = {"content-type": "application/json"} if content is not None else {}
        sending = lambda: self.client.request(  # noqa: E731 - no arguments
            method, path, content=content, headers=headers
        )
        return self.portal.call(sending)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON of an answer that has to succeed."""
        sending = lambda: self.client.request(method, path, json=body)  # noqa: E731 - no arguments
        answer = self.portal.call(sending)
        assert answer.is_success, answer.text
        return answer.json()


def _raw(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("latin-1")


def local(app: Any) -> httpx.AsyncClient:
    """A client of the person at this machine."""
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 50_000))
    return httpx.AsyncClient(transport=transport, base_url=ADDRESS)


@contextmanager
def spoken_to(opening: Opening) -> Iterator[Speaking]:
    """What an opening on a loop of its own gives a client of."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(opening()) as client,
    ):
        yield Speaking(portal, client)


@contextmanager
def home_spoken_to(home: Home) -> Iterator[Speaking]:
    """The whole application of a home."""

    @asynccontextmanager
    async def opening() -> AsyncIterator[httpx.AsyncClient]:
        async with Embedded(home, settings()) as app, local(app) as client:
            yield client

    with home.held(), spoken_to(opening) as speaking:
        yield speaking
