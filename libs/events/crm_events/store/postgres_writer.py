"""Writing to PostgreSQL: saves that wait at the same moment share one transaction."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from contextvars import Context
from typing import Final
from weakref import WeakKeyDictionary

import psycopg
import structlog

from crm_events.sql.postgres import ConnectionBroke, Connections, Unreachable
from crm_events.store.granted import Overtaken
from crm_events.store.postgres_append import Save, append, positions_if_stored, refused, verdict
from crm_events.store.postgres_words import unavailable
from crm_events.store.turns import Inbox, Turn
from crm_events.waiting import is_on_loop, on_loop

Positions = list[int]
_Turn = Turn[Save, Positions]

_log = structlog.get_logger("crm.store")
_MOST_TURNS: Final = 128
_MOST_EVENTS: Final = 2_000


class PostgresWriter:
    """What waits while one transaction is under way is written together in the next.

    A thread writes for callers that have threads; what comes from a loop is written on that loop.
    Each takes one of two `connections`.
    """

    def __init__(self, connections: Connections, patience: float) -> None:
        self._connections = connections
        self._patience = patience
        self._desk = _Desk(connections)
        self._on_loops = WeakKeyDictionary[asyncio.AbstractEventLoop, _DeskOnLoop]()
        self._thread = threading.Thread(
            target=self._desk.serve, name="postgres-writer", daemon=True
        )
        self._thread.start()

    def run(self, save: Save) -> Positions:
        """Raises what the port promises; StoreUnavailable only where the outcome is unknown or
        nothing was written."""
        turn: _Turn = Turn(save)
        (self._desk_on_this_loop() if is_on_loop() else self._desk).put(turn)
        return turn.wait(self._patience)

    def _desk_on_this_loop(self) -> _DeskOnLoop:
        loop = asyncio.get_running_loop()
        desk = self._on_loops.get(loop)
        if desk is None:
            desk = self._on_loops[loop] = _DeskOnLoop(self._connections)
        return desk

    @property
    def waiting(self) -> int:
        return sum(desk.waiting for desk in (self._desk, *self._on_loops.values()))

    def close(self) -> None:
        """Whoever waits on a loop is served by that loop, as long as it runs."""
        for desk in (self._desk, *self._on_loops.values()):
            desk.close()
        self._thread.join()


class _Desk:
    """Takes turns and writes them, for one at a time."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._inbox: Inbox[Save, Positions] = Inbox()

    @property
    def waiting(self) -> int:
        return self._inbox.waiting

    def put(self, turn: _Turn) -> None:
        self._inbox.put(turn)

    def close(self) -> None:
        self._inbox.close()

    def serve(self) -> None:
        """Until it is closed."""
        while (first := self._inbox.take()) is not None:
            self._write(first)

    def serve_now(self) -> None:
        """Until nobody waits."""
        while (first := self._inbox.take_now()) is not None:
            self._write(first)

    def _write(self, first: _Turn) -> None:
        together, apart = self._gather(first)
        self._write_together(together)
        self._write_each(apart)

    def _gather(self, first: _Turn) -> tuple[list[_Turn], list[_Turn]]:
        """Who waits now; those that contend with one of them for a version come after."""
        together, apart = [first], list[_Turn]()
        taken = set(first.work.versions)
        while len(together) < _MOST_TURNS and len(taken) < _MOST_EVENTS:
            turn = self._inbox.take_now()
            if turn is None:
                break
            versions = turn.work.versions
            (apart if versions & taken else together).append(turn)
            taken |= versions
        return together, apart

    def _write_together(self, turns: Sequence[_Turn]) -> None:
        """All in one call; where one is refused, each by itself for a verdict of its own."""
        in_doubt = False
        if len(turns) > 1:
            try:
                self._append_all(turns)
                return
            except ConnectionBroke:
                in_doubt = True
            except Exception as error:  # noqa: BLE001 (each meets its own error below)
                _log.debug("group_refused", saves=len(turns), reason=str(error))
        self._write_each(turns, in_doubt=in_doubt)

    def _append_all(self, turns: Sequence[_Turn]) -> None:
        with self._connections.borrow() as connection:
            every = append(connection, [turn.work for turn in turns])
        Turn.succeed_all(turns, every)

    def _write_each(self, turns: Sequence[_Turn], *, in_doubt: bool = False) -> None:
        for nth, turn in enumerate(turns):
            if turn.given_up:
                continue
            try:
                turn.succeed(self._settled(turn.work, in_doubt))
            except Unreachable as error:
                self._nobody_answers(turns[nth:], error)
                return
            except Exception as error:  # noqa: BLE001 (raised in the thread that waits)
                turn.fail(unavailable(error) or error)

    def _nobody_answers(self, turns: Sequence[_Turn], error: Unreachable) -> None:
        """Whoever waits behind would only wait as long to hear the same."""
        for turn in turns:
            turn.fail(unavailable(error) or error)
        while (waiting := self._inbox.take_now()) is not None:
            waiting.fail(unavailable(error) or error)

    def _settled(self, save: Save, in_doubt: bool) -> Positions:
        """Tried once more after a lost connection or a deadlock: a save that is there cannot be
        written twice, and is recognised by the ids of its events."""
        try:
            return self._attempt(save, in_doubt)
        except ConnectionBroke:
            return self._attempt(save, in_doubt=True)
        except psycopg.errors.DeadlockDetected:
            return self._attempt(save, in_doubt)

    def _attempt(self, save: Save, in_doubt: bool) -> Positions:
        with self._connections.borrow() as connection:
            try:
                return append(connection, [save])[0]
            except (psycopg.Error, Overtaken) as error:
                if connection.closed or not refused(error):
                    raise
                stored = positions_if_stored(connection, save) if in_doubt else None
                if stored is None:
                    raise verdict(connection, save, error) from error
                return stored


class _DeskOnLoop(_Desk):
    """Is served as long as anybody waits, in nobody's context. All of it happens on the loop's
    thread."""

    _served: asyncio.Task[None] | None = None

    def put(self, turn: _Turn) -> None:
        super().put(turn)
        if self._served is None:
            loop = asyncio.get_running_loop()
            self._served = loop.create_task(on_loop(self.serve_now), context=Context())

    def serve_now(self) -> None:
        try:
            super().serve_now()
        finally:
            self._served = None
