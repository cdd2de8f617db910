"""What people decide about parked events: try again, or leave one out for a stated reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crm_events.codec import Codec, Slot
from sqlalchemy import Connection

from crm_projections.engine.applying import TRANSIENT
from crm_projections.engine.database import Database
from crm_projections.engine.decoding import reason_of
from crm_projections.engine.generation import find_live, open_generation
from crm_projections.engine.instants import micros
from crm_projections.engine.intake import Clock
from crm_projections.engine.letters import Parked
from crm_projections.engine.parking import failed_again, find_letter, queue_of, settle
from crm_projections.engine.position import recount
from crm_projections.engine.view import Projector, Received


class NoSuchLetter(Exception):
    """No parked event has this number."""

    def __init__(self, id: int) -> None:
        super().__init__(f"There is no parked event {id}; the list shows those there are.")


class LetterSettled(Exception):
    """Somebody decided otherwise before, or the event's tables are no longer the live ones."""

    def __init__(self, id: int, letter: Parked) -> None:
        by = letter.decided_by
        what = f"was {letter.status} by {by}" if by else "lies in tables that were replaced"
        super().__init__(f"Parked event {id} {what}; read the list again.")


class WaitsBehind(Exception):
    """Only the event that failed can be skipped; those behind it are applied after it."""

    def __init__(self, id: int, first: int) -> None:
        super().__init__(f"Parked event {id} waits behind {first}; retry or skip that one first.")
        self.first = first


@dataclass(frozen=True, slots=True)
class Resolution:
    """What came of a decision: how many events of the aggregate were applied, were skipped, and are
    still parked, and why the first of those failed again."""

    applied: int
    skipped: int
    parked: int
    reason: str | None = None


class Resolver:
    """Retries and skips parked events of these views. Thread-safe; blocking."""

    def __init__(
        self, database: Database, views: Sequence[Projector[Any]], codec: Codec, clock: Clock
    ) -> None:
        self._database = database
        self._views = {view.definition.id: view for view in views}
        self._codec = codec
        self._clock = clock

    def retry(self, id: int, by: str) -> Resolution:
        """Decode the bytes again and apply the aggregate's parked events in order, until one fails.

        Once all are applied, repeating it changes nothing. Raises NoSuchLetter, LetterSettled, and
        the TRANSIENT errors with nothing changed.
        """
        with self._database.writing() as connection:
            letter = self._locked(connection, id)
            if letter.status == "skipped":
                raise LetterSettled(id, letter)
            queue = self._queue(connection, letter)
            return self._apply(connection, queue, by, skipped=0, lane_of=letter)

    def skip(self, id: int, reason: str, by: str) -> Resolution:
        """Leave one event out of the view for good, and apply those that wait behind it.

        Repeating it with the same reason changes nothing. Raises NoSuchLetter, LetterSettled,
        WaitsBehind, and the TRANSIENT errors.
        """
        with self._database.writing() as connection:
            letter = self._locked(connection, id)
            if letter.status == "applied" or letter.decision not in (None, reason):
                raise LetterSettled(id, letter)
            queue = self._queue(connection, letter)
            if letter.status == "skipped":
                return Resolution(0, 0, len(queue))
            if queue[0].id != id:
                raise WaitsBehind(id, queue[0].id)
            settle(connection, letter, "skipped", self._now(), by=by, decision=reason)
            return self._apply(connection, queue[1:], by, skipped=1, lane_of=letter)

    def _locked(self, connection: Connection, id: int) -> Parked:
        """The letter, in a lane that nobody else moves until the transaction ends."""
        letter = find_letter(connection, id)
        if letter is None or letter.generation.view not in self._views:
            raise NoSuchLetter(id)
        if find_live(connection, self._views[letter.generation.view]) != letter.generation:
            raise LetterSettled(id, letter)
        recount(connection, letter.generation, letter.lane, {})
        return find_letter(connection, id) or letter

    def _queue(self, connection: Connection, letter: Parked) -> list[Parked]:
        """What is parked of the same thing, in order."""
        if letter.aggregate_id is None:
            return [letter] if letter.status == "parked" else []
        return queue_of(connection, letter.generation, letter.aggregate_id)

    def _apply(
        self,
        connection: Connection,
        queue: Sequence[Parked],
        by: str,
        *,
        skipped: int,
        lane_of: Parked,
    ) -> Resolution:
        applied, reason = 0, None
        for letter in queue:
            reason = self._apply_one(connection, letter)
            if reason is not None:
                failed_again(connection, letter, reason)
                break
            settle(connection, letter, "applied", self._now(), by=by)
            applied += 1
        if lane_of.aggregate_id is not None:
            recount(connection, lane_of.generation, lane_of.lane, _counts(applied, skipped))
        return Resolution(applied, skipped, len(queue) - applied, reason)

    def _apply_one(self, connection: Connection, letter: Parked) -> str | None:
        """Why it cannot be applied; None when it was."""
        view = self._views[letter.generation.view]
        tables = open_generation(view, letter.generation).tables
        try:
            envelope = letter.envelope
            slot = Slot(envelope.type, envelope.aggregate_id, envelope.aggregate_version)
            received = Received(envelope, self._codec.decode(envelope.data, slot))
            with connection.begin_nested():
                view.apply(connection, tables, [received])
        except TRANSIENT:
            raise
        except Exception as error:  # noqa: BLE001 - kept as the reason why it stays parked
            return reason_of(error, letter.type or "")
        return None

    def _now(self) -> int:
        return micros(self._clock())


def _counts(applied: int, skipped: int) -> Mapping[str, int]:
    return {"applied": applied, "skipped": skipped, "parked": -applied - skipped}
