"""A place for checkpoints outside: a real HTTP server that takes PUT, as object stores do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

_DRIP_SECONDS: Final = 0.1


@dataclass
class Shelf:
    """An object store: what was put stays as it is; `mood` is how it answers a PUT."""

    folder: Path
    mood: str = "well"
    put: list[str] = field(default_factory=list)
    go_on: threading.Event = field(default_factory=threading.Event)


class _Answering(BaseHTTPRequestHandler):
    server: _Server

    def do_PUT(self) -> None:
        shelf, path = self.server.shelf, self._path
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if shelf.mood == "refusing":
            self._say(500)
        elif path.exists() and self.headers["If-None-Match"] == "*":
            self._say(412)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
            shelf.put.append(path.name)
            self._taken()

    @property
    def _path(self) -> Path:
        return self.server.shelf.folder / self.path.lstrip("/")

    def _taken(self) -> None:
        shelf = self.server.shelf
        if shelf.mood == "dripping":
            self._drip()
            return
        if shelf.mood == "slow":
            shelf.go_on.wait(10)
        with suppress(OSError):
            self._say(201)

    def _drip(self) -> None:
        """A byte of what is answered at a time, without an end."""
        self.send_response(201)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        while not self.server.shelf.go_on.wait(_DRIP_SECONDS):
            try:
                self.wfile.write(b".")
            except OSError:
                return

    def do_GET(self) -> None:
        if self.server.shelf.mood == "hiding":
            self._say(403)
        else:
            self._say(200, self._path.read_bytes())

    def _say(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: a test tells by what it finds."""


class _Server(ThreadingHTTPServer):
    def __init__(self, shelf: Shelf, port: int) -> None:
        self.shelf = shelf
        super().__init__(("127.0.0.1", port), _Answering)


@contextmanager
def served(shelf: Shelf, port: int = 0) -> Iterator[int]:
    server = _Server(shelf, port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_port
    finally:
        shelf.go_on.set()
        server.shutdown()
        thread.join()
        server.server_close()
