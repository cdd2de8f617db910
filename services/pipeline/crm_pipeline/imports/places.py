"""What rows leave out, because it goes without saying where they come from."""

from __future__ import annotations

from typing import NamedTuple


class Places(NamedTuple):
    """The currency of amounts that name none, and the zone in which days begin."""

    currency: str = "USD"
    timezone: str = "UTC"
