"""Appends until no more can be written, then lifts the limit and appends once more."""

import resource
import sys

from crm_events.ids import new_id
from crm_events.store.port import StoreUnavailable
from crm_events.store.sqlite import SqliteRecorder

from tests.events.store.building import append, event

recorder = SqliteRecorder(sys.argv[1])
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
positions: list[int] = []
refusal = ""
while not refusal:
    try:
        positions += append(recorder, [event(new_id(), 1, b"x" * 30_000)])
    except StoreUnavailable as unavailable:
        refusal = str(unavailable)
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
positions += append(recorder, [event(new_id(), 1)])
recorder.close()
sys.stdout.write(f"{refusal}\n{positions}")
