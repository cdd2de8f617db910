"""Asking again while a server says that it will be there soon."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

import httpx

PATIENCE_SECONDS: Final = 10.0
"""How long a question is asked again and again."""
_UNAVAILABLE: Final = 503
_SOON: Final = 2
"""Seconds. Whoever says to come back later than that is not asked again."""


def patiently(
    ask: Callable[[], httpx.Response], waiting: Callable[[httpx.Response], None]
) -> httpx.Response:
    """The first answer that is more than "soon", else the last one in time. Only for what changes
    nothing. `waiting` is told of the first refusal."""
    until = time.monotonic() + PATIENCE_SECONDS
    response = ask()
    if _there_soon(response):
        waiting(response)
    while _there_soon(response) and time.monotonic() < until:
        threading.Event().wait(_come_back(response))
        response = ask()
    return response


def _there_soon(response: httpx.Response) -> bool:
    return response.status_code == _UNAVAILABLE and _come_back(response) <= _SOON


def _come_back(response: httpx.Response) -> int:
    """After how many seconds, as the server says; long where it says nothing."""
    said = response.headers.get("retry-after", "")
    return int(said) if said.isdecimal() else _SOON + 1
