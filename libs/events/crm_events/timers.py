"""Durable timers: a due time in the context's own store, fired once whoever picks it up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog

from crm_events.application import ContextApplication, LostRace, StaleVersion
from crm_events.clock import utc_now
from crm_events.domain import DomainError
from crm_events.keys.port import KeysUnavailable
from crm_events.store.mapper import Cause
from crm_events.store.port import Beside, StoreUnavailable, Timer

Fire = Callable[[Any, Timer, Cause], None]
Clock = Callable[[], datetime]

_log = structlog.get_logger("crm.timers")
_AT_ONCE: Final = 100
_LONGEST_PAUSE: Final = 1.0
_SHORTEST_PAUSE: Final = 0.01
_FIRST_DELAY: Final = timedelta(seconds=1)
_LAST_DELAY: Final = timedelta(seconds=60)


def _cause(timer: Timer) -> Cause:
    return Cause(
        command_id=timer.id,
        correlation_id=timer.id,
        causation_id=None,
        actor=f"timer:{timer.name}",
        origin="live",
        at=timer.due_at,
    )


@dataclass(frozen=True, slots=True)
class _Held:
    """A timer that failed: tried again at `again_at`, later after each failure."""

    again_at: datetime
    delay: timedelta
    reason: str


class Timers:
    """Fires what is due. The timer's id is its command's id, so two replicas fire it once.

    A timer that fails is tried again for ever, with growing pauses; the others go on.
    """

    def __init__(
        self, app: ContextApplication, table: Mapping[str, Fire], clock: Clock = utc_now
    ) -> None:
        self._app = app
        self._table = table
        self._clock = clock
        self._held: dict[UUID, _Held] = {}
        self._fired: set[UUID] = set()

    @property
    def failing(self) -> str | None:
        """Why a timer that is due has not fired, for readiness; None while all do."""
        return next((held.reason for held in self._held.values()), None)

    def fire_due(self) -> int:
        """Fire every timer that is due now; answers how many there were."""
        now = self._clock()
        due = self._app.recorder.due_timers(now, _AT_ONCE + len(self._held))
        self._held = {t.id: self._held[t.id] for t in due if t.id in self._held}
        ready = [t for t in due if t.id not in self._held or self._held[t.id].again_at <= now]
        fired_before, self._fired = self._fired, set()
        for timer in ready:
            self._fire(timer, fired_before, now)
        return len(ready)

    def _fire(self, timer: Timer, fired_before: set[UUID], now: datetime) -> None:
        try:
            self._fire_once(timer, again=timer.id in fired_before)
        except (StoreUnavailable, KeysUnavailable):
            raise
        except Exception as error:  # noqa: BLE001 (told, held, and tried again)
            self._hold(timer, error, now)
        else:
            self._held.pop(timer.id, None)
            self._fired.add(timer.id)

    def _fire_once(self, timer: Timer, *, again: bool) -> None:
        """A timer that is still due after its command was done is only put away: it was set anew
        under the id of a command that has been given."""
        if again:
            self._put_away(timer)
            return
        try:
            self._table[timer.name](self._app, timer, _cause(timer))
        except (LostRace, StaleVersion):
            raise
        except DomainError as refusal:
            _log.info("timer_without_effect", command_id=str(timer.id), reason=refusal.slug)
            self._put_away(timer)

    def _put_away(self, timer: Timer) -> None:
        self._app.save_all((), _cause(timer), beside=Beside(timers_done=(timer.id,)))

    def _hold(self, timer: Timer, error: Exception, now: datetime) -> None:
        known = self._held.get(timer.id)
        delay = min(known.delay * 2, _LAST_DELAY) if known else _FIRST_DELAY
        reason = f"timer {timer.id} ({timer.name}): {type(error).__name__}"
        self._held[timer.id] = _Held(now + delay, delay, reason)
        _log.error("timer_failed", command_id=str(timer.id), type=timer.name, exc_info=error)

    async def run(self) -> None:
        """Fire timers as they fall due, until cancelled."""
        while True:
            try:
                fired = await asyncio.to_thread(self.fire_due)
                pause = 0.0 if fired else await asyncio.to_thread(self._pause)
            except (StoreUnavailable, KeysUnavailable) as error:
                _log.warning("timers_wait", reason=type(error).__name__)
                pause = _LONGEST_PAUSE
            await asyncio.sleep(pause)

    def _pause(self) -> float:
        """Seconds until a timer may be due; somebody else may set one meanwhile."""
        due_at = self._app.recorder.next_due()
        if due_at is None or self._held:
            return _LONGEST_PAUSE
        seconds = (due_at - self._clock()).total_seconds()
        return min(max(seconds, _SHORTEST_PAUSE), _LONGEST_PAUSE)
