"""Which addresses and names mean this very machine, and nobody beyond it."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit


@lru_cache(maxsize=1024)
def is_loopback(host: str) -> bool:
    """True for 127.0.0.0/8, ::1, `localhost` and names below it; names are not looked up."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


@lru_cache(maxsize=1024)
def host_of(authority: str) -> str | None:
    """The host of `host:port` in lower case, without brackets; None when it cannot be read."""
    try:
        return urlsplit(f"//{authority}").hostname
    except ValueError:
        return None
