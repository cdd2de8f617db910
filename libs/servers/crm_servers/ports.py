"""Loopback ports for servers that have to come back on the port they had."""

import secrets
import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"
EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
LOWEST = 20_000
TRIES = 500


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A free port below the range that outgoing connections draw from.

    While a server with a port of that range is down, a client that keeps trying to reach it can
    be given the very same number as its own and so talk to itself and block the restart.
    """
    highest = _first_ephemeral() - 1
    for _ in range(TRIES):
        port = LOWEST + secrets.randbelow(highest - LOWEST + 1)
        if is_free(port):
            return port
    raise OSError(f"no free port between {LOWEST} and {highest} on {LOOPBACK}")


def _first_ephemeral() -> int:
    try:
        return max(int(EPHEMERAL.read_text().split()[0]), LOWEST + 1_000)
    except (OSError, ValueError):
        return 32_768
