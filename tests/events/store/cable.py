"""A cable to a server that a test can cut or hold: what a network does to a connection."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit

_CHUNK = 65_536


class Cable:
    """Forwards connections on a loopback port to the server that a DSN names."""

    def __init__(self, dsn: str) -> None:
        parts = urlsplit(dsn)
        self._server = (parts.hostname or "127.0.0.1", parts.port or 5432)
        self._listening = socket.create_server(("127.0.0.1", 0))
        port = self._listening.getsockname()[1]
        login = parts.netloc.rpartition("@")[0]
        self.dsn = parts._replace(netloc=f"{login}@127.0.0.1:{port}").geturl()
        self.cuts = 0
        self._cut_answers = threading.Event()
        self._refuse = threading.Event()
        self._flowing = threading.Event()
        self._flowing.set()
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_next_answer(self) -> None:
        """The server gets what it is sent; its answer is lost with the connection."""
        self._cut_answers.set()

    def refuse(self) -> None:
        """No new connection comes through."""
        self._refuse.set()

    def accept_again(self) -> None:
        self._refuse.clear()

    def hold(self) -> None:
        """Answers do not come through, and nothing says so."""
        self._flowing.clear()

    def release(self) -> None:
        self._flowing.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._flowing.set()
        for each in [self._listening, *self._open]:
            _close(each)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            if self._refuse.is_set():
                _close(client)
                continue
            server = socket.create_connection(self._server)
            self._open += (client, server)
            threading.Thread(target=self._requests, args=(client, server), daemon=True).start()
            threading.Thread(target=self._answers, args=(server, client), daemon=True).start()

    def _requests(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while chunk := client.recv(_CHUNK):
                server.sendall(chunk)
        _close(server)

    def _answers(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while chunk := server.recv(_CHUNK):
                if self._cut_answers.is_set():
                    self._cut_answers.clear()
                    self.cuts += 1
                    break
                self._flowing.wait()
                client.sendall(chunk)
        _close(client)


def _close(each: socket.socket) -> None:
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()
