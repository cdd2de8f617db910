"""HTTP at its barest over one kept connection: a client that costs as little as it can."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, Self

from tests.bench.measuring import NotDone

_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length: "
_MOST: Final = 65_536
_SECONDS: Final = 30.0


class Wire:
    """Sends requests one after another and reads their answers."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def post(self, path: str, body: Mapping[str, Any], key: str) -> bytes:
        """The answer's body. `key` is the Idempotency-Key. Raises NotDone where it is refused."""
        said = json.dumps(body).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
            f"idempotency-key: {key}\r\ncontent-length: {len(said)}\r\n\r\n"
        )
        return self._answered(f"POST {path}", head.encode() + said)

    def get(self, path: str) -> bytes:
        """The answer's body. Raises NotDone where it is refused."""
        return self._answered(
            f"GET {path}", f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".encode()
        )

    def _answered(self, request: str, sent: bytes) -> bytes:
        self._socket.sendall(sent)
        head, answer = self._read()
        if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201")):
            raise NotDone(f"{request} was answered {head[:40]!r}: {answer[:300]!r}")
        return answer

    def _read(self) -> tuple[bytes, bytes]:
        received = self._more(b"")
        while _END not in received:
            received = self._more(received)
        head, _, body = received.partition(_END)
        length = int(head.lower().partition(_LENGTH)[2].split(b"\r\n", 1)[0])
        while len(body) < length:
            body = self._more(body)
        return head, body

    def _more(self, received: bytes) -> bytes:
        more = self._socket.recv(_MOST)
        if not more:
            raise NotDone("the server closed the connection")
        return received + more

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()
