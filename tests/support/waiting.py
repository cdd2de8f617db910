"""Waiting in tests: for a condition, with a deadline, never for a time."""

import time
from collections.abc import Callable

PAUSE = 0.02


def wait_until(
    holds: Callable[[], bool], what: str, seconds: float = 20, pause: float = PAUSE
) -> None:
    """Returns as soon as `holds`; after `seconds` the test fails and says `what` did not come."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:.0f} s in vain: {what}")
        time.sleep(pause)  # noqa: TID251 (this is the waiter)
