"""The proxy does to connections what it says; a fault that is none would prove nothing."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from crm_servers.ports import LOOPBACK

from tests.faults.proxy import WEATHERS, Proxy, proxied
from tests.support.waiting import wait_until

SOON = 0.3


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """To a server that says back what it hears."""
    with socket.create_server((LOOPBACK, 0)) as server:
        threading.Thread(target=_echo, args=(server,), daemon=True).start()
        with proxied(server.getsockname()[1]) as ours:
            yield ours


def _echo(server: socket.socket) -> None:
    with suppress(OSError):
        while True:
            threading.Thread(target=_say_back, args=server.accept()[:1], daemon=True).start()


def _say_back(connection: socket.socket) -> None:
    with suppress(OSError), connection:
        while heard := connection.recv(65_536):
            connection.sendall(heard)


def connected(proxy: Proxy) -> socket.socket:
    connection = socket.create_connection((LOOPBACK, proxy.port), timeout=5)
    assert said(connection, b"hello") == b"hello"
    return connection


def said(connection: socket.socket, what: bytes) -> bytes:
    connection.sendall(what)
    return connection.recv(len(what))


def talked_on(connection: socket.socket) -> None:
    while said(connection, b"x"):
        pass


def test_fair_weather_lets_all_pass(proxy: Proxy) -> None:
    with connected(proxy):
        assert proxy.connections == 1
    wait_until(lambda: proxy.connections == 0, "the other end is closed too")


@pytest.mark.parametrize("name", ["black hole", "no way up", "no way down"])
def test_held_back_until_the_weather_is_fair(proxy: Proxy, name: str) -> None:
    with connected(proxy) as connection:
        with proxy.during(WEATHERS[name]):
            connection.settimeout(SOON)
            with pytest.raises(TimeoutError):
                said(connection, b"lost?")
        connection.settimeout(5)
        assert connection.recv(5) == b"lost?"


def test_reset_tears_down_and_refuses(proxy: Proxy) -> None:
    with connected(proxy) as connection:
        with proxy.during(WEATHERS["reset"]), pytest.raises(ConnectionError):
            talked_on(connection)
        connected(proxy).close()


@pytest.mark.parametrize(("name", "size", "least"), [("delay", 10, 0.4), ("slow", 32_000, 0.9)])
def test_takes_its_time(proxy: Proxy, name: str, size: int, least: float) -> None:
    with connected(proxy) as connection, proxy.during(WEATHERS[name]):
        connection.settimeout(10)
        began = time.monotonic()
        connection.sendall(b"x" * size)
        heard = 0
        while heard < size:
            heard += len(connection.recv(65_536))
        assert time.monotonic() - began >= least
