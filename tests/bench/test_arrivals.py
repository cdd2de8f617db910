"""What arrives at a fixed rate does so, and one refusal spoils the figure."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.bench.arrivals import Arrivals, waited
from tests.bench.measuring import NotDone


@contextmanager
def answering(status: bytes) -> Iterator[int]:
    """A server that answers every request alike; answers its port."""

    class Answers(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while line := self.rfile.readline():
                length = 0
                while line.strip():
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                    line = self.rfile.readline()
                self.rfile.read(length)
                self.wfile.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 2\r\n\r\n{}")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Answers) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            serving.join()


def test_no_more_arrive_than_their_rate() -> None:
    with answering(b"201 Created") as port:
        arrivals = Arrivals(port, rate=200)
        with arrivals.arriving():
            waited(lambda: arrivals.answered >= 20, "twenty to arrive", 10)
            least = arrivals.seconds
    assert least >= 20 / 200 - 0.01


def test_a_refused_command_spoils_the_figure() -> None:
    with answering(b"503 Down") as port:
        arrivals = Arrivals(port, rate=200)
        with pytest.raises(NotDone, match="503"), arrivals.arriving():
            waited(lambda: arrivals.failed, "one to be refused", 10)


def test_waiting_in_vain_says_for_what() -> None:
    with pytest.raises(NotDone, match="the moon"):
        waited(lambda: False, "the moon", 0.01, 0.005)
