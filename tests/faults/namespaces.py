"""A network namespace with one link to this machine, which can be taken down.

What runs inside finds the servers at the addresses it is told of on its own loopback: a forwarder
in the namespace and one out here carry each port over the link, and the probes the other way.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from crm_servers.ports import LOOPBACK

from tests.faults.proxy import proxied

_HERE, _THERE = "10.231.77.1", "10.231.77.2"
_NAME: Final = f"crm-{os.getpid()}"
_ENDS: Final = (f"cv{os.getpid()}a", f"cv{os.getpid()}b")


@dataclass(frozen=True)
class Namespace:
    """Commands run inside with `prefix` before them."""

    prefix: Sequence[str]

    @contextmanager
    def down(self) -> Iterator[None]:
        """Nothing passes, and nobody is told: packets are lost as with a pulled cable."""
        _ip("link", "set", _ENDS[0], "down")
        try:
            yield
        finally:
            _ip("link", "set", _ENDS[0], "up")


def cannot_make() -> str | None:
    """Why there can be no namespace here; None where there can."""
    try:
        with _made():
            return None
    except (OSError, subprocess.CalledProcessError) as error:
        return f"network namespaces cannot be made here: {getattr(error, 'stderr', error)!r}"


@contextmanager
def namespace(servers: Mapping[int, int], probes: Sequence[int]) -> Iterator[Namespace]:
    """`servers` are ports inside, each with the one out here that it leads to; `probes` are ports
    that what runs inside will listen on, reached under the same number from out here."""
    with _made() as made, ExitStack() as stack:
        for inside, target in servers.items():
            stack.enter_context(proxied(target, inside, host=_HERE))
        for port in probes:
            stack.enter_context(proxied(port, port, to=_THERE))
        ways = [*((LOOPBACK, port, _HERE) for port in servers)]
        ways += [(_THERE, port, LOOPBACK) for port in probes]
        stack.enter_context(_forwarding(made, ways))
        yield made


@contextmanager
def _made() -> Iterator[Namespace]:
    _ip("netns", "add", _NAME)
    prefix = ("ip", "netns", "exec", _NAME)
    try:
        _ip("link", "add", _ENDS[0], "type", "veth", "peer", "name", _ENDS[1])
        _ip("link", "set", _ENDS[1], "netns", _NAME)
        _ip("addr", "add", f"{_HERE}/30", "dev", _ENDS[0])
        _ip("link", "set", _ENDS[0], "up")
        for words in (
            ("addr", "add", f"{_THERE}/30", "dev", _ENDS[1]),
            ("link", "set", _ENDS[1], "up"),
            ("link", "set", "lo", "up"),
        ):
            _run(*prefix, "ip", *words)
        yield Namespace(prefix)
    finally:
        _ip("netns", "del", _NAME)


@contextmanager
def _forwarding(made: Namespace, ways: Sequence[tuple[str, int, str]]) -> Iterator[None]:
    """The forwarders inside, in a process of their own."""
    command = [*made.prefix, sys.executable, "-m", "tests.faults.namespaces", json.dumps(ways)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE)
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


def _ip(*words: str) -> None:
    _run("ip", *words)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def main() -> None:
    """Carries until it is ended: [listening address, port, address it leads to], as JSON."""
    with ExitStack() as stack:
        for host, port, to in json.loads(sys.argv[1]):
            stack.enter_context(proxied(port, port, host=host, to=to))
        signal.pause()  # its threads do the work


if __name__ == "__main__":
    main()
