"""A TCP proxy that can be told, while it runs, to treat what passes as a bad network does.

A network loses packets, not bytes: what a black hole swallowed arrives when it is gone, unless
one of the ends has given up by then. So what may not pass is held back.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from crm_servers.ports import LOOPBACK, free_port

_CHUNK: Final = 64 * 1024
_NO_LINGER: Final = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Weather:
    """`delay` is seconds that each piece waits, `rate` bytes a second each way (0: any). Nothing
    passes `up` (to the server) or `down` where that is False; with `reset` every connection is
    torn down as soon as it is made."""

    delay: float = 0.0
    rate: float = 0.0
    up: bool = True
    down: bool = True
    reset: bool = False


FAIR: Final = Weather()
WEATHERS: Final = {
    "black hole": Weather(up=False, down=False),
    "no way up": Weather(up=False),
    "no way down": Weather(down=False),
    "delay": Weather(delay=0.2),
    "slow": Weather(rate=64 * 1024),
    "reset": Weather(reset=True),
}


class Proxy:
    """From a port of its own to a server's, on a thread of its own. Start it with `proxied`."""

    def __init__(
        self, target: int, port: int | None = None, *, host: str = LOOPBACK, to: str = LOOPBACK
    ) -> None:
        self.port = port or free_port()
        self._host = host
        self._target = (to, target)
        self._weather = FAIR
        self._changed = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True, name=f"proxy-{self.port}")
        self._listening = threading.Event()
        self.passed = 0

    @property
    def connections(self) -> int:
        return len(self._writers) // 2

    def become(self, weather: Weather) -> None:
        """From now on. A reset tears down what is open."""
        self._loop.call_soon_threadsafe(self._become, weather)

    @contextmanager
    def during(self, weather: Weather) -> Iterator[None]:
        self.become(weather)
        try:
            yield
        finally:
            self.become(FAIR)

    def start(self) -> None:
        self._thread.start()
        self._listening.wait(10)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _become(self, weather: Weather) -> None:
        self._weather = weather
        self._changed.set()
        self._changed = asyncio.Event()
        if weather.reset:
            for writer in list(self._writers):
                _tear(writer)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._connected, self._host, self.port)
        )
        self._listening.set()
        self._loop.run_forever()
        server.close()
        for writer in list(self._writers):
            _tear(writer)
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._weather.reset:
            _tear(writer)
            return
        try:
            there, back = await asyncio.open_connection(*self._target)
        except OSError:
            _tear(writer)
            return
        ends = {writer, back}
        self._writers |= ends
        try:
            await asyncio.gather(
                self._pump(reader, back, lambda weather: weather.up),
                self._pump(there, writer, lambda weather: weather.down),
            )
        finally:
            self._writers -= ends
            for end in ends:
                end.close()

    async def _pump(
        self,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        open_way: Callable[[Weather], bool],
    ) -> None:
        with suppress(OSError):
            while data := await source.read(_CHUNK):
                await self._through(len(data), open_way)
                sink.write(data)
                await sink.drain()
                self.passed += len(data)
            await self._through(0, open_way)
        sink.close()

    async def _through(self, size: int, open_way: Callable[[Weather], bool]) -> None:
        """Returns when so many bytes may go on."""
        weather = self._weather
        if weather.delay:
            await asyncio.sleep(weather.delay)
        if weather.rate:
            await asyncio.sleep(size / weather.rate)
        while not open_way(self._weather):
            await self._changed.wait()


def _tear(writer: asyncio.StreamWriter) -> None:
    """With a reset instead of a goodbye."""
    found: socket.socket | None = writer.get_extra_info("socket")
    if found is not None:
        with suppress(OSError):
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    writer.transport.abort()


@contextmanager
def proxied(
    target: int, port: int | None = None, *, host: str = LOOPBACK, to: str = LOOPBACK
) -> Iterator[Proxy]:
    """A proxy from `host` to a port of `to`, both of this machine, while the block runs."""
    proxy = Proxy(target, port, host=host, to=to)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.close()
