"""Waiting until everything that was started says that it is ready, and telling what is not yet."""

import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from crm_servers.errors import ServerUnavailable

DEADLINE = 240.0
PAUSE = 0.5
TOLD_EVERY = 5.0
REASON_BYTES = 500
FEW = 4


def wait_for(waiting: Callable[[], Mapping[str, str]], remedy: Callable[[str], str]) -> None:
    """Returns when `waiting` names nothing more; it answers what is not ready, and why.

    Says on standard error what is waited for. Raises ServerUnavailable with the remedy for the
    first one left when time is up.
    """
    started = told = time.monotonic()
    while left := waiting():
        now = time.monotonic()
        if now - started > DEADLINE:
            name, reason = next(iter(left.items()))
            raise ServerUnavailable(
                f"{name} was not ready after {DEADLINE:.0f} s ({reason}); {remedy(name)}"
            )
        if now - told >= TOLD_EVERY:
            told = now
            print(f"waiting for {_named(left)} ({now - started:.0f} s)", file=sys.stderr)
        time.sleep(PAUSE)  # noqa: TID251 (this is the waiter)


def _named(left: Mapping[str, str]) -> str:
    """A few by name, the others counted: a line that can be read at a glance."""
    names, others = list(left)[:FEW], len(left) - FEW
    return ", ".join(names) + (f" and {others} more" if others > 0 else "")


def not_ready(urls: Mapping[str, str]) -> dict[str, str]:
    """The names whose address does not answer 200, with the reason; all are asked side by side."""
    with ThreadPoolExecutor(len(urls) or 1) as threads:
        reasons = dict(zip(urls, threads.map(_reason, urls.values()), strict=True))
    return {name: reason for name, reason in reasons.items() if reason}


def _reason(url: str) -> str:
    try:
        with urlopen(url, timeout=5) as answer:  # noqa: S310 (loopback addresses of ours)
            return "" if answer.status == HTTPStatus.OK else f"{answer.status}"
    except HTTPError as error:
        with error:
            return f"{error.code} {error.read(REASON_BYTES).decode(errors='replace')}"
    except URLError as error:
        return str(error.reason)
    except OSError as error:
        return str(error)
