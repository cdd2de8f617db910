"""`python -m tests.bench.auditing [EVENTS]`: how fast a log is sealed and checked.

On a SQLite file and on PostgreSQL, whose own processor time is told beside ours.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from crm_events.audit.finding import Reached
from crm_events.audit.keyfile import make_key, read_keys
from crm_events.audit.notary import Notary
from crm_events.audit.open import audit_log
from crm_events.audit.verifying import Trust, check_part
from crm_events.ids import new_id
from crm_events.store.open import migrate, open_recorder
from crm_events.store.port import EventRecorder
from crm_servers import pick_postgres
from crm_service.collector import spare_the_collector

from tests.bench.ground import of_postgres
from tests.events.store.building import append, event
from tests.support.servers import scratch_folder

_ORIGIN: Final = "bench/contacts"
_EVENTS: Final = 200_000
_PART: Final = 50_000
_DATA_BYTES: Final = 330


def _write(recorder: EventRecorder, count: int) -> None:
    for _ in range(0, count, 500):
        append(recorder, [event(new_id(), 1, os.urandom(_DATA_BYTES)) for _ in range(500)])


def _timed(count: int, work: Callable[[], object]) -> str:
    began, own, servers = time.monotonic(), time.process_time(), of_postgres()
    work()
    servers, own, wall = (
        of_postgres() - servers,
        time.process_time() - own,
        time.monotonic() - began,
    )
    return (
        f"{own / count * 1e6:.1f} us of processor time an event here, "
        f"{servers / count * 1e6:.1f} of PostgreSQL's; {count / wall:,.0f} events/s by the clock"
    )


def _measure(name: str, place: str | Path, folder: Path, count: int) -> None:
    with closing(open_recorder(place, "bench", "contacts")) as recorder:
        _write(recorder, count)
        keys, log = read_keys(folder / "audit.key"), audit_log(recorder)
        trusted = keys.verifiers(_ORIGIN)
        assert keys.signer is not None
        notary = Notary(log, recorder.safe_position, _ORIGIN, keys.signer, trusted)
        print(f"{name}, sealed:  {_timed(count, notary.take_in)}")
        trust = Trust(_ORIGIN, trusted)

        def check() -> None:
            reached, done = Reached(), False
            while not done:
                part = check_part(log, trust, reached, _PART)
                assert part.wrong is None
                reached, done = part.reached, part.done

        for _ in range(3):
            print(f"{name}, checked: {_timed(count, check)}")


def main(count: int) -> None:
    spare_the_collector()  # as every process of ours does
    with TemporaryDirectory(prefix="crm-bench-") as made, ExitStack() as stack:
        folder = Path(made)
        make_key(folder / "audit.key")
        _measure("SQLite", folder / "contacts.db", folder, count)
        server = pick_postgres(stack.enter_context(scratch_folder("bench")))
        stack.enter_context(closing(server.start()))
        migrate(server.dsn, "bench", "contacts")
        _measure("PostgreSQL", server.dsn, folder, count)
    print(f"most memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else _EVENTS)
