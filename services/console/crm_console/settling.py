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
_PATIENCE: Final = 60.0
_paused: Final = threading.Event()


class StillBehind(Exception):
    """Reactions or views have not moved for a minute."""


@dataclass(frozen=True, slots=True)
class _Standing:
    """Heads of the logs, and up to where reactions and views have seen them."""

    heads: Mapping[str, int]
    reacted: Mapping[tuple[str, str], int]
    viewed: Mapping[str, int]

    def behind(self) -> str | None:
        """What has something left to see, or None."""
        for (who, source), sequence in self.reacted.items():
            if sequence < self.heads[source]:
                return f"the reactions of {who}"
        late = [name for name, head in self.heads.items() if self.viewed.get(name, head) < head]
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


def settle(transport: Transport) -> None:
    """Return when nothing is left to see. Raises StillBehind after a minute without movement."""
    before = _standing(transport)
    since, pause = time.monotonic(), _QUICKEST
    while True:
        now = _standing(transport)
        if now.behind() is None and now.heads == before.heads:
            return
        if now != before:
            since = time.monotonic()
        elif time.monotonic() - since > _PATIENCE:
            raise StillBehind(
                f"Waited a minute for {now.behind()}; see `crm parked list` and the server's log."
            )
        before = now
        _paused.wait(pause)
        pause = min(pause * 1.5, _SLOWEST)
