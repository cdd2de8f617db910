"""Bugs of what commits together: commands, reactions, timers, several aggregates in one save."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import count, groupby
from operator import attrgetter
from typing import Any

from crm_events.feed import deciding, reactor
from crm_events.ids import new_id
from crm_events.store import mapper, reading, sqlite_append
from crm_events.store.port import Beside

from tests.faults.bugs.bug import Bug, instead, rewritten
from tests.faults.bugs.told import orders_alone


def _not_written(_: Any) -> Any:
    return lambda *_: None


def _any_id(_: Any) -> Any:
    return lambda *_: new_id()


def _timer_stays(real: Any) -> Any:
    return lambda cursor, beside: real(cursor, replace(beside, timers_done=()))


def _scattered(_: Any) -> Any:
    """Every event in the next partition, whatever it is about."""
    numbers = count()
    return lambda _: next(numbers) % 12


def _one_by_one(_: Any) -> Any:
    def append(
        self: Any, changes: Sequence[Any], cause_of: Any, beside: Beside | None = None
    ) -> tuple[Sequence[Any], int]:
        positions: list[int] = []
        stored = self.mapper.to_stored_events(changes, cause_of)
        for _, own in groupby(stored, attrgetter("originator_id")):
            positions += self.recorder.insert_events(list(own), beside=beside or Beside()) or ()
            beside = None
        if not stored:
            self.recorder.insert_events((), beside=beside or Beside())
        return stored, max(positions, default=0)

    return append


def _effects_first(_: Any) -> Any:
    def commit(self: Any, session: Any, reached: Any) -> None:
        aggregates, beside = session.decided()
        moved = self._positions.moved(reached.advances(self._seen))
        if moved.tracking:
            self._app.save_all(aggregates, {}, beside=beside)
            self._app.save_all((), {}, beside=moved)

    return commit


BUGS = (
    Bug(
        "idempotency row dropped",
        "what a command id has done is not kept, so a command sent again is done again",
        "I1",
        instead(sqlite_append, "_log_command", _not_written),
        shows=1,
    ),
    Bug(
        "save of several aggregates not atomic",
        "each aggregate of one command is saved in a transaction of its own",
        "I1",
        instead(mapper.ChangeStore, "append", _one_by_one),
        shows=1,
    ),
    Bug(
        "wrong partition key",
        "the partition of an event does not follow from its aggregate",
        "I3",
        instead(mapper, "partition_of", _scattered),
    ),
    Bug(
        "ordered by the wall clock",
        "the log is read in the order of effective times, not of positions",
        "I3",
        instead(
            reading.LogQueries,
            "log_rows",
            lambda real: lambda *args: sorted(real(*args), key=lambda row: row[7]),
        ),
    ),
    Bug(
        "reaction under a random command id",
        "what a reaction causes cannot be told from what it caused before",
        "I1",
        instead(deciding, "_command_id", _any_id),
    ),
    Bug(
        "reaction's position not compared",
        "a reactor that was replaced while it was frozen saves all the same",
        "I1",
        rewritten(sqlite_append, "_TRACK", "WHERE excluded.position > tracking.position", ""),
        shows=19,
    ),
    Bug(
        "reaction's position saved apart",
        "effects are saved first, the position they were decided at after them",
        "I1",
        instead(reactor.Reactor, "_commit", _effects_first),
        shows=103,
    ),
    Bug(
        "done timer forgotten",
        "a timer that has fired stays due",
        "I8",
        instead(sqlite_append, "_write_beside", _timer_stays),
        scenarios=(orders_alone,),
    ),
)
