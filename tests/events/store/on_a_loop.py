"""A store over PostgreSQL whose callers are on an event loop, as an API's commands are."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import uvloop
from crm_events.sql.postgres import Connection
from crm_events.store.postgres import PostgresRecorder
from crm_events.waiting import on_loop
from eventsourcing.persistence import StoredEvent

T = TypeVar("T")


class RecorderOnLoop(PostgresRecorder):
    """Whatever a test's thread asks of it, is done on one loop, which runs in a thread beside."""

    def __init__(self, *told: Any, **more: Any) -> None:
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        super().__init__(*told, **more)

    def _there(self, work: Callable[[], T]) -> T:
        if threading.current_thread() is self._thread:
            return work()
        return asyncio.run_coroutine_threadsafe(on_loop(work), self._loop).result()

    def with_connection(self, work: Callable[[Connection], T]) -> T:
        return self._there(partial(super().with_connection, work))

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        return self._there(partial(super().insert_events, stored_events, **kwargs))

    def close(self) -> None:
        super().close()
        if self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
