"""Old shapes of events, lifted one version at a time on the raw dict before the newest class reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

Raw = dict[str, Any]
Upcast = Callable[[Raw], Raw]

UPCASTS: Final[Mapping[str, tuple[str, Upcast]]] = {}
"""Stored name -> (name of the next version, function). Entries are added, never changed."""


def upcast(
    name: str, raw: Raw, upcasts: Mapping[str, tuple[str, Upcast]] = UPCASTS
) -> tuple[str, Raw]:
    """The newest name of a stored event, and its data in the newest shape."""
    while name in upcasts:
        name, lift = upcasts[name]
        raw = lift(raw)
    return name, raw
