"""How the command reaches the application: the same HTTP, to a server or inside this process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Protocol, Self, TypeVar

import httpx

from crm_console.patience import PATIENCE_SECONDS, patiently

T = TypeVar("T")
_SECONDS: Final = 120.0
_BROKEN: Final = 500
Json = Any


class ServerSaid(Exception):
    """The server refused; `problem` is its RFC 9457 document."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.problem = problem
        super().__init__(_sentence(status, problem, {}))

    def told(self, called: Mapping[str, str]) -> str:
        """The same, with the API's names as whoever asked calls them."""
        return _sentence(self.status, self.problem, called)


class ServerUnreachable(Exception):
    """Nobody answers at the address."""


def _sentence(status: int, problem: Mapping[str, Any], called: Mapping[str, str]) -> str:
    detail = str(problem.get("detail") or problem.get("title") or f"HTTP status {status}")
    if status == _BROKEN and "instance" in problem:
        return f"{detail} ({problem['instance']})"
    errors = problem.get("errors")
    if not isinstance(errors, list) or not errors:
        return detail
    return "; ".join(f"{_place(e, called)}: {e.get('reason')}" for e in errors)


def _place(error: Mapping[str, Any], called: Mapping[str, str]) -> str:
    place = str(error.get("field") or error.get("in"))
    return called.get(place.partition("[")[0], place)


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer as it came, for what is kept to the byte."""

    content: bytes
    headers: Mapping[str, str]


class Transport(Protocol):
    """Requests with JSON in and out. Raises ServerSaid and ServerUnreachable."""

    def send(
        self,
        method: str,
        path: str,
        *,
        body: Json = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Json: ...

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Connection(Transport, Protocol):
    """A transport that answers bytes as they came, too."""

    def fetch(self, path: str, query: Mapping[str, Any] | None = None) -> Fetched: ...


def _answer(response: httpx.Response) -> Json:
    content = _fetched(response).content
    return response.json() if content else None


def _fetched(response: httpx.Response) -> Fetched:
    if response.is_success:
        return Fetched(response.content, response.headers)
    raise _problem(response)


def _problem(response: httpx.Response) -> ServerSaid:
    try:
        problem = response.json()
    except ValueError:
        problem = {}
    return ServerSaid(response.status_code, problem if isinstance(problem, dict) else {})


def _quiet(_: str) -> None:
    """Nobody listens."""


def _given(query: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (query or {}).items() if value is not None}


class OverHttp:
    """A server somewhere: the one that holds the home, or a distributed deployment's gateway."""

    def __init__(
        self, address: str, token: str | None = None, told: Callable[[str], None] = _quiet
    ) -> None:
        """`told` hears why a question takes longer."""
        self._address = address
        self._told = told
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(
            base_url=address,
            headers=headers,
            timeout=httpx.Timeout(_SECONDS, connect=5.0),
            verify=address.startswith("https:"),  # reading the certificates takes its time
        )

    def send(
        self,
        method: str,
        path: str,
        *,
        body: Json = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Json:
        request = self._client.build_request(
            method, path, json=body, params=_given(query), headers=headers
        )
        return _answer(self._asked(request) if method == "GET" else self._sent(request))

    def fetch(self, path: str, query: Mapping[str, Any] | None = None) -> Fetched:
        return _fetched(self._asked(self._client.build_request("GET", path, params=_given(query))))

    def _asked(self, request: httpx.Request) -> httpx.Response:
        return patiently(lambda: self._sent(request), self._waiting)

    def _waiting(self, refusal: httpx.Response) -> None:
        self._told(f"{_problem(refusal)} Asking again for up to {PATIENCE_SECONDS:.0f} s.")

    def _sent(self, request: httpx.Request) -> httpx.Response:
        with self._reached():
            return self._client.send(request)

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except httpx.HTTPError as error:
            raise ServerUnreachable(
                f"No answer from {self._address} ({type(error).__name__}); is the server running?"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()


class Hosted(Protocol):
    """An application that runs on an event loop of ours."""

    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *error: object) -> None: ...
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...


class InProcess:
    """The whole application in this process, on a thread's event loop, spoken to over ASGI."""

    def __init__(self, hosted: Hosted) -> None:
        self._hosted = hosted
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(hosted, client=("127.0.0.1", 0)),
            base_url="http://localhost",
            timeout=_SECONDS,
        )

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def send(
        self,
        method: str,
        path: str,
        *,
        body: Json = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Json:
        request = self._client.request(
            method, path, json=body, params=_given(query), headers=headers
        )
        return _answer(self._run(request))

    def fetch(self, path: str, query: Mapping[str, Any] | None = None) -> Fetched:
        return _fetched(self._run(self._client.get(path, params=_given(query))))

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self._run(self._hosted.__aenter__())
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._run(self._hosted.__aexit__(kind, error, trace))
        finally:
            self._end()

    def _end(self) -> None:
        self._run(self._client.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
