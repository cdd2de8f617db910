"""Opens, and so migrates, the store it is given, at the moment it is told to."""

import sys

from crm_events.sql.names import is_postgres
from crm_events.store.open import migrate, open_recorder

place, namespace = sys.argv[1:]
sys.stdout.write("ready\n")
sys.stdout.flush()
sys.stdin.readline()
if is_postgres(place):
    migrate(place, namespace, "contacts")
recorder = open_recorder(place, namespace, "contacts")
sys.stdout.write(f"{recorder.schema_current()} {recorder.safe_position()}\n")
recorder.close()
