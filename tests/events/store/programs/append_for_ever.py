"""Appends to the file it is given and says each position, once it is durable."""

import sys

from crm_events.ids import new_id
from crm_events.store.sqlite import SqliteRecorder

from tests.events.store.building import append, event

recorder = SqliteRecorder(sys.argv[1])
while True:
    (position,) = append(recorder, [event(new_id(), 1)])
    sys.stdout.write(f"{position}\n")
    sys.stdout.flush()
