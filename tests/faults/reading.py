"""Somebody who asks a view for what was just acknowledged, again and again. For I7."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import httpx

from tests.faults.evidence import Operation, Reading
from tests.faults.trial import Trial

_EVERY: Final = 0.2
_FOLLOWED: Final = ("contacts", "pipeline")
"""Contexts that the funnel lives on."""
_PATH: Final = "/v1/views/funnel"


@contextmanager
def reading(ours: Trial) -> Iterator[None]:
    """While the block runs; what was answered is kept with the trial's readings."""
    stop = threading.Event()
    reader = threading.Thread(target=_read, args=(ours, stop), daemon=True, name="reader")
    reader.start()
    try:
        yield
    finally:
        stop.set()
        reader.join()


def _read(ours: Trial, stop: threading.Event) -> None:
    while not stop.wait(_EVERY):
        latest = _latest(ours)
        if latest is not None:
            ours.readings += _asked(ours, latest)


def _latest(ours: Trial) -> Operation | None:
    """The newest command that was acknowledged, of a context that the view follows."""
    found = [o for o in ours.journal.of("ok") if o.context in _FOLLOWED and o.sequence]
    return max(found, key=lambda o: o.ended or 0.0, default=None)


def _asked(ours: Trial, operation: Operation) -> list[Reading]:
    """What the view shows when it is asked to wait for this command; nothing where nobody says."""
    context, wanted = str(operation.context), int(operation.sequence or 0)
    asked: dict[str, str | float] = {"after": f"{context}/*/{wanted}", "wait": 5}
    try:
        answer = ours.deployment.door(_PATH).get(_PATH, params=asked)
    except httpx.TransportError:
        return []
    shown = answer.json()["position"][context] if answer.status_code == 200 else None
    return [Reading(f"funnel after {context}/{wanted}", answer.status_code, wanted, shown)]
