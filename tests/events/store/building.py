"""What tests write into a store."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from crm_events.envelope import Envelope
from crm_events.ids import new_id
from crm_events.partitions import partition_of
from crm_events.store.port import Beside, CommandEntry, EventRecorder, NewEvent

LEAD = "crm.contacts.LeadCaptured.v1"
DEAL = "crm.pipeline.DealOpened.v1"
ROOT = Path(__file__).parents[3]
NOON = datetime(2026, 3, 4, 12, 0, 0, 123_457, tzinfo=UTC)


def event(
    aggregate_id: UUID,
    version: int,
    data: bytes = b'{"a":1}',
    *,
    type: str = LEAD,
    occurred_at: datetime | None = NOON,
    supersedes: UUID | None = None,
) -> NewEvent:
    return NewEvent(
        originator_id=aggregate_id,
        originator_version=version,
        topic=type,
        state=data,
        event_id=new_id(),
        occurred_at=occurred_at,
        partition=partition_of(aggregate_id),
        correlation_id=new_id(),
        causation_id=None if version == 1 else new_id(),
        command_id=new_id(),
        actor="staff:7",
        origin="live",
        supersedes=supersedes,
        traceparent=None if version == 1 else "00-aa-bb-01",
    )


def stream(aggregate_id: UUID, versions: int, first: int = 1) -> list[NewEvent]:
    return [event(aggregate_id, first + n) for n in range(versions)]


def command(aggregate_id: UUID, command_id: UUID | None = None, version: int = 1) -> Beside:
    entry = CommandEntry(
        command_id=command_id or new_id(),
        fingerprint=b"f" * 32,
        aggregate_id=aggregate_id,
        version=version,
        partition=partition_of(aggregate_id),
        answer=b'{"id":1}',
    )
    return Beside(command=entry)


def append(
    recorder: EventRecorder, events: Sequence[NewEvent], beside: Beside | None = None
) -> list[int]:
    return list(recorder.insert_events(events, beside=beside or Beside()) or ())


def whole_log(recorder: EventRecorder, page: int = 1_000) -> list[Envelope]:
    """Everything up to the safe position."""
    envelopes: list[Envelope] = []
    after = 0
    while (read := recorder.read_log(after, page)).safe_to > after:
        envelopes += read.envelopes
        after = read.safe_to
    return envelopes


def at_once(*works: Callable[[], object]) -> list[object]:
    """Runs them in threads that start together; answers what each returned or raised."""
    start = threading.Barrier(len(works))

    def run(work: Callable[[], object]) -> object:
        start.wait(10)
        try:
            return work()
        except Exception as error:  # noqa: BLE001 (the outcome is what the test looks at)
            return error

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(run, works))


def program(name: str, *arguments: str | Path) -> subprocess.Popen[str]:
    """One of `programs` in a process of its own."""
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-m", f"tests.events.store.programs.{name}", *arguments],
        cwd=ROOT,
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        text=True,
    )
