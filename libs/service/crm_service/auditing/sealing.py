"""Sealing on demand: all that is stored, in calls that end soon enough to be told of."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import Final

from crm_service.auditing.desk import AuditDesk
from crm_service.auditing.outside import OutsideUnreachable
from crm_service.problems import RequestRefused

PART_SECONDS: Final = 1.0
_PATIENCE_SECONDS: Final = 15.0
_LOOK_SECONDS: Final = 0.05
_paused: Final = threading.Event()


def seal(desk: AuditDesk, upto: int | None, seconds: float = PART_SECONDS) -> int:
    """Seal up to a position, or all that is stored; answers which position it was.

    After so many seconds it ends where it is, if it came on at all. What was drawn before that
    position and is still being written is waited for. Raises RequestRefused (503).
    """
    stored = desk.log.stored()
    wanted = stored if upto is None else min(upto, stored)
    start, began = desk.log.head().position, time.monotonic()
    while (at := desk.log.head().position) < wanted:
        waited = time.monotonic() - began
        if at > start and waited >= seconds:
            break
        if waited > _PATIENCE_SECONDS:
            raise _late(desk, wanted)
        _go_on(desk, wanted, began + seconds)
    with suppress(OutsideUnreachable):  # it stays, and is tried again
        list(desk.bring_out() if desk.signs else ())
    return wanted


def _go_on(desk: AuditDesk, wanted: int, until: float) -> None:
    """Only the process that holds the key signs; another asks for it."""
    if not desk.signs:
        desk.log.ask(wanted)
        _paused.wait(_LOOK_SECONDS)
    elif not _signed(desk, until):
        _paused.wait(_LOOK_SECONDS)


def _signed(desk: AuditDesk, until: float) -> bool:
    """Whether there was anything to sign."""
    taken = False
    for _ in desk.notary().batches():
        taken = True
        if time.monotonic() >= until:
            break
    return taken


def _late(desk: AuditDesk, wanted: int) -> RequestRefused:
    if desk.signs:
        detail = f"{desk.context} up to position {wanted} is still being written; seal it again."
    else:
        detail = f"Nobody sealed {desk.context} in time; look at its relay's /readyz."
    return RequestRefused("unavailable", detail)
