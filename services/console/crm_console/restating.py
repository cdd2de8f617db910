"""What a published report would say today, and the events recorded since that make the difference.

The earlier side is the citation's position, the later one all that is known now; the question is
the citation's in both, its instant too. So whatever differs was recorded since.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from crm_console.reports import Citation
from crm_console.transport import Connection

MOST_EVENTS: Final = 10_000


def restatement(transport: Connection, published: Citation, key: str | None) -> dict[str, Any]:
    """The answer of `/diff` from the citation's position to now, of the whole or of one group.

    Raises ServerSaid.
    """
    query = {name: value for name, value in published.query.items() if name != "known_at"}
    positions = query.pop("at")
    if key is None:
        query.pop("by", None)
    query |= {"at_before": ",".join([positions] if isinstance(positions, str) else positions)}
    query |= {"key": key, "events": True, "limit": MOST_EVENTS}
    found = transport.send("GET", f"/v1/views/{published.view}/diff", query=query)
    return {"published": published.sha256, "as_of": found["as_of"], **_changed(found)}


def _changed(found: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("figures", "derived", "events", "events_in_all", "definition")
    return {
        **{name: found[name] for name in kept},
        "from": found["before"]["known"],
        "to": found["position"],
    }
