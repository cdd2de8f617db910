"""Waits, over the API, until reactions and views have seen everything that was written."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from crm_console.transport import Transport

_CONTEXTS: Final = ("contacts", "pipeline", "ticketing", "campaigns")
_QUICKEST: Final = 0.005
_SLOWEST: Final = 0.2
PATIENCE_SECONDS: Final = 60.0
_ROUNDS: Final = 5
"""What reactions made of it, what others made of that: no chain of reactions is longer."""
_paused: Final = threading.Event()


class StillBehind(Exception):
    """Reactions or views have not moved for as long as one waits."""


@dataclass(frozen=True, slots=True)
class _Standing:
    """Heads of the logs, and up to where reactions and views have seen them."""

    heads: Mapping[str, int]
    reacted: Mapping[tuple[str, str], int]
    viewed: Mapping[str, int]

    def behind(self, heads: Mapping[str, int]) -> str | None:
        """What has yet to see something up to these heads, or None."""
        for (who, source), sequence in self.reacted.items():
            if sequence < heads[source]:
                return f"the reactions of {who}"
        late = [name for name, head in heads.items() if self.viewed.get(name, head) < head]
        return f"the views of {late[0]}" if late else None


def _standing(transport: Transport) -> _Standing:
    found = {name: transport.send("GET", f"/v1/{name}/position") for name in _CONTEXTS}
    viewed = transport.send("GET", "/v1/views/position")["position"]
    reacted = {
        (name, source): sequence
        for name, position in found.items()
        for source, sequence in position["reacted"].items()
    }
    return _Standing({name: p["sequence"] for name, p in found.items()}, reacted, viewed)


def settle(transport: Transport, patience: float = PATIENCE_SECONDS) -> None:
    """Return when all that was written before, and what it led to, has been seen everywhere.

    What others write meanwhile is not waited for. Raises StillBehind after so many seconds without
    movement.
    """
    now = _standing(transport)
    for _ in range(_ROUNDS):
        heads = now.heads
        now = _seen(transport, heads, patience)
        if now.heads == heads:
            return


def _seen(transport: Transport, heads: Mapping[str, int], patience: float) -> _Standing:
    """How things stand once everything up to these heads has been seen."""
    before, since, pause = None, time.monotonic(), _QUICKEST
    while True:
        now = _standing(transport)
        behind = now.behind(heads)
        if behind is None:
            return now
        if now != before:
            since = time.monotonic()
        elif time.monotonic() - since > patience:
            raise StillBehind(
                f"Waited {patience:g} s for {behind}; see `crm parked list` and the server's log."
            )
        before = now
        _paused.wait(pause)
        pause = min(pause * 1.5, _SLOWEST)
