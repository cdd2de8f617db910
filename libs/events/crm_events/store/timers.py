"""Durable timers: a due time in the context's own store, fired once whoever picks it up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import structlog

from crm_events.application import ContextApplication
from crm_events.domain import DomainError
from crm_events.store.mapper import Cause
from crm_events.store.port import Beside, StoreUnavailable, Timer

Fire = Callable[[Any, Timer, Cause], None]
Clock = Callable[[], datetime]

_log = structlog.get_logger("crm.timers")
_AT_ONCE: Final = 100
_LONGEST_PAUSE: Final = 1.0


def _cause(timer: Timer) -> Cause:
    return Cause(
        command_id=timer.id,
        correlation_id=timer.id,
        causation_id=None,
        actor=f"timer:{timer.name}",
        origin="live",
        at=timer.due_at,
    )


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Timers:
    """Fires what is due. The timer's id is its command's id, so two replicas fire it once."""

    def __init__(
        self, app: ContextApplication, table: Mapping[str, Fire], clock: Clock = _utc_now
    ) -> None:
        self._app = app
        self._table = table
        self._clock = clock

    def fire_due(self) -> int:
        """Fire every timer that is due now; answers how many there were."""
        due = self._app.recorder.due_timers(self._clock(), _AT_ONCE)
        for timer in due:
            self._fire(timer)
        return len(due)

    def _fire(self, timer: Timer) -> None:
        try:
            self._table[timer.name](self._app, timer, _cause(timer))
        except DomainError as refusal:
            _log.info("timer_without_effect", timer=str(timer.id), reason=refusal.slug)
            self._app.save_all((), _cause(timer), beside=Beside(timers_done=(timer.id,)))

    async def run(self) -> None:
        """Fire timers as they fall due, until cancelled."""
        while True:
            try:
                fired = await asyncio.to_thread(self.fire_due)
            except StoreUnavailable as error:
                _log.warning("timers_wait", reason=str(error))
                fired = 0
            if not fired:
                await asyncio.sleep(_LONGEST_PAUSE)
