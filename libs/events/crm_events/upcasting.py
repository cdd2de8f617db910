"""Old shapes of events, lifted one version at a time before the newest class reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

Raw = dict[str, Any]
Upcast = Callable[[Raw], Raw]


class Lift(NamedTuple):
    """From one version to the next.

    `change` gets the old data with its `personal` fields opened, each None where its subject was
    erased, and answers the new data. `personal` are those of the old shape, as its schema says.
    """

    to: str
    change: Upcast
    personal: tuple[str, ...] = ()


Upcasts = Mapping[str, Lift]

UPCASTS: Final[Upcasts] = {}
"""Stored name -> the step to the next version. Entries are added, never changed."""


def lifts_from(name: str, upcasts: Upcasts) -> tuple[Lift, ...]:
    """The steps from a stored name to its newest. Raises ValueError for steps in a circle."""
    steps: list[Lift] = []
    seen = {name}
    while name in upcasts:
        steps.append(upcasts[name])
        name = upcasts[name].to
        if name in seen:
            raise ValueError(f"The upcasts go in a circle at {name}.")
        seen.add(name)
    return tuple(steps)
