"""What may not grow however often things are killed: memory, open files, connections, and tables
by more than what is stored. For I9."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import psutil
import psycopg

from tests.faults.deployment import Deployment
from tests.faults.evidence import Bound

_MIB: Final = 1024 * 1024
_GROWS: Final = 1.5
_FILES_MORE: Final = 24
_CONNECTIONS_MORE: Final = 24
_SMALL: Final = 1.0
"""Mebibytes that any table may have, whatever it had before."""
_CLIENTS: Final = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
_TABLES: Final = """
SELECT schemaname || '.' || relname, pg_total_relation_size(relid) FROM pg_stat_user_tables
WHERE schemaname LIKE %s
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a deployment at rest has open, and in its tables; memory and tables in MiB."""

    memory: Mapping[str, float]
    files: Mapping[str, int]
    connections: int
    tables: Mapping[str, float]

    @property
    def stored(self) -> float:
        """How much events take, which everything else may grow with."""
        return sum(size for name, size in self.tables.items() if name.endswith(".events"))


def standing(deployment: Deployment) -> Standing:
    """Of every role, and of all of them at PostgreSQL."""
    processes = deployment.measured()
    with psycopg.connect(deployment.straight, autocommit=True) as connection:
        row = connection.execute(_CLIENTS).fetchone()
        tables = connection.execute(_TABLES, [f"{deployment.namespace}%"]).fetchall()
    return Standing(
        {name: resident(each) for name, each in processes.items()},
        {name: each.num_fds() for name, each in processes.items()},
        row[0] if row else 0,
        {name: size / _MIB for name, size in tables},
    )


def resident(process: psutil.Process) -> float:
    """MiB."""
    return float(process.memory_info().rss / _MIB)


def bounds(before: Standing, after: Standing, grows: float = _GROWS) -> list[Bound]:
    """Against what was open when everything had been at work once; memory may be `grows` times what
    it was."""
    memory = [
        Bound(f"MiB of {name}", round(found), round(before.memory[name] * grows))
        for name, found in after.memory.items()
        if name in before.memory
    ]
    files = [
        Bound(f"files of {name}", found, before.files[name] + _FILES_MORE)
        for name, found in after.files.items()
        if name in before.files
    ]
    limit = before.connections + _CONNECTIONS_MORE
    connections = Bound("connections to PostgreSQL", after.connections, limit)
    return [*memory, *files, connections, *_tables(before, after)]


def _tables(before: Standing, after: Standing) -> Iterator[Bound]:
    """What a rebuild has replaced is gone; whatever there is grows no faster than the events."""
    yield Bound("tables", len(after.tables), len(before.tables))
    more = max(after.stored / before.stored, 1.0) if before.stored else 1.0
    for name, found in after.tables.items():
        allowed = max(before.tables.get(name, 0.0), _SMALL) * more * _GROWS
        yield Bound(f"MiB of table {name}", round(found, 2), round(allowed, 2))
