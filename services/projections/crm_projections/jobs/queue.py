"""Jobs as rows of the views' database: any API tells of them, any projection does them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from crm_events.ids import new_id
from sqlalchemy import Connection, Row, case, delete, func, insert, select, update

from crm_projections.engine.database import Database
from crm_projections.engine.instants import micros
from crm_projections.engine.tables import JOBS
from crm_projections.jobs.job import ENDED, Asked, Job, NoSuchJob, Progress, Status

_KEPT: Final = 200
LOST_AFTER: Final = 30_000_000
"""A running job of which nothing was heard for so many microseconds has lost its process."""


class Queue:
    """Thread-safe; blocking. Every change is one transaction."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    # --- whoever asks ---

    def ask(self, asked: Asked) -> Job:
        """A new job; or the rebuild of the view that is pending, for two would do the same."""
        id = new_id()
        row = {
            "id": id,
            "kind": asked.kind,
            "view": asked.view,
            "definition_version": asked.definition_version,
            "options": json.dumps(dict(asked.options)),
            "status": "waiting",
            "asked_by": asked.by,
            "asked_at": self._now(),
        }
        with self._database.writing() as connection:
            if (pending := _pending(connection, asked)) is None:
                connection.execute(insert(JOBS).values(**row))
                _forget(connection)
        return self.find(id) if pending is None else replace(self.find(pending), joined=True)

    def find(self, id: UUID) -> Job:
        """Raises NoSuchJob."""
        with self._database.reading() as connection:
            row = connection.execute(select(JOBS).where(JOBS.c.id == id)).one_or_none()
            if row is None:
                raise NoSuchJob(id)
            before = (
                select(func.count())
                .select_from(JOBS)
                .where(JOBS.c.number < row.number, JOBS.c.status.in_(("waiting", "running")))
            )
            return _job(row, connection.execute(before).scalar_one())

    def latest(self, limit: int) -> Sequence[Job]:
        """The newest first."""
        with self._database.reading() as connection:
            rows = connection.execute(select(JOBS).order_by(JOBS.c.number.desc()).limit(limit))
            return [_job(row) for row in rows]

    def cancel(self, id: UUID) -> Job:
        """One that waits is cancelled at once, one that runs as soon as its process hears of it;
        one that has ended stays as it is. Raises NoSuchJob."""
        now = self._now()
        with self._database.writing() as connection:
            waiting = JOBS.c.status == "waiting"
            connection.execute(
                update(JOBS)
                .where(JOBS.c.id == id, JOBS.c.status.not_in(ENDED))
                .values(
                    cancelled_at=now,
                    status=case((waiting, "cancelled"), else_=JOBS.c.status),
                    ended_at=case((waiting, now), else_=JOBS.c.ended_at),
                )
            )
        return self.find(id)

    # --- whoever does it ---

    def take(self, views: Sequence[str]) -> Job | None:
        """The oldest that waits for one of these views, marked as running; nobody else gets it."""
        waiting = (
            select(JOBS.c.id)
            .where(JOBS.c.status == "waiting", JOBS.c.view.in_(views))
            .order_by(JOBS.c.number)
            .limit(1)
        )
        with self._database.reading() as connection:
            if connection.execute(waiting).scalar_one_or_none() is None:
                return None
        with self._database.writing() as connection:
            id = connection.execute(waiting).scalar_one_or_none()
            if id is None:
                return None
            now = self._now()
            taken = connection.execute(
                update(JOBS)
                .where(JOBS.c.id == id, JOBS.c.status == "waiting")
                .values(status="running", begun_at=now, beat_at=now)
            ).rowcount
        return self.find(id) if taken else None

    def beat(self, id: UUID, progress: Progress, total: int | None) -> bool:
        """Tell how far it is; answers whether to go on."""
        told = asdict(progress)
        with self._database.writing() as connection:
            connection.execute(
                update(JOBS)
                .where(JOBS.c.id == id, JOBS.c.status == "running")
                .values(beat_at=self._now(), total=total, **told)
            )
        found = self.find(id)
        return found.status == "running" and not found.cancelled

    def end(self, id: UUID, status: Status, result: Any = None, reason: str | None = None) -> None:
        said = None if result is None else json.dumps(result)
        with self._database.writing() as connection:
            connection.execute(
                update(JOBS)
                .where(JOBS.c.id == id, JOBS.c.status == "running")
                .values(status=status, ended_at=self._now(), result=said, reason=reason)
            )

    def put_back(self, id: UUID) -> None:
        """It waits again, and whoever takes it goes on; one that was to be cancelled is."""
        again: dict[str, Any] = {"status": "waiting", "beat_at": None, "continued": JOBS.c.events}
        with self._database.writing() as connection:
            mine = (JOBS.c.id == id, JOBS.c.status == "running")
            connection.execute(
                update(JOBS).where(*mine, JOBS.c.cancelled_at.is_(None)).values(**again)
            )
            ended = {"status": "cancelled", "ended_at": self._now()}
            connection.execute(update(JOBS).where(*mine).values(**ended))

    def lost(self, views: Sequence[str], after: int = LOST_AFTER) -> Sequence[Job]:
        """Running jobs of these views whose process is gone: not heard of for `after`
        microseconds."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(JOBS).where(
                    JOBS.c.status == "running",
                    JOBS.c.view.in_(views),
                    JOBS.c.beat_at <= self._now() - after,
                )
            )
            return [_job(row) for row in rows]

    def rate(self, view: str) -> float | None:
        """Events a second of the last job that read this view's log, else of any view's; what was
        gone on with had been read before."""
        read = JOBS.c.events - func.coalesce(JOBS.c.continued, 0)
        done = select(JOBS, read.label("read")).where(JOBS.c.status == "done", read > 0)
        with self._database.reading() as connection:
            for query in (done.where(JOBS.c.view == view), done):
                row = connection.execute(
                    query.order_by(JOBS.c.number.desc()).limit(1)
                ).one_or_none()
                if row is not None and row.ended_at > row.begun_at:
                    return float(row.read * 1_000_000 / (row.ended_at - row.begun_at))
        return None

    def _now(self) -> int:
        return micros(self._clock())


def _pending(connection: Connection, asked: Asked) -> UUID | None:
    """The rebuild of that view that has not ended and is not about to."""
    if asked.kind != "rebuild":
        return None
    found = (
        JOBS.c.kind == asked.kind,
        JOBS.c.view == asked.view,
        JOBS.c.status.not_in(ENDED),
        JOBS.c.cancelled_at.is_(None),
    )
    query = select(JOBS.c.id).where(*found).order_by(JOBS.c.number).limit(1)
    return connection.execute(query).scalar_one_or_none()


def _forget(connection: Connection) -> None:
    """What ended long ago."""
    newest = connection.execute(select(func.max(JOBS.c.number))).scalar_one()
    connection.execute(
        delete(JOBS).where(JOBS.c.number <= newest - _KEPT, JOBS.c.status.in_(ENDED))
    )


def _job(row: Row[Any], ahead: int = 0) -> Job:
    asked = Asked(row.kind, row.view, row.definition_version, json.loads(row.options), row.asked_by)
    return Job(
        id=row.id,
        asked=asked,
        status=row.status,
        asked_at=row.asked_at,
        begun_at=row.begun_at,
        ended_at=row.ended_at,
        cancelled=row.cancelled_at is not None,
        events=row.events,
        total=row.total,
        result=None if row.result is None else json.loads(row.result),
        reason=row.reason,
        continued=row.continued,
        note=row.note,
        ahead=ahead,
    )
