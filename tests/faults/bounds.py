"""What may not grow however often things are killed: memory, open files, connections. For I9."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import psycopg

from tests.faults.deployment import Deployment
from tests.faults.evidence import Bound

_MIB: Final = 1024 * 1024
_GROWS: Final = 1.5
_FILES_MORE: Final = 24
_CONNECTIONS_MORE: Final = 24


@dataclass(frozen=True, slots=True)
class Standing:
    """What a deployment at rest has open."""

    memory: Mapping[str, float]
    files: Mapping[str, int]
    connections: int


def standing(deployment: Deployment) -> Standing:
    """Memory in MiB, and open files, of every role; connections of all to PostgreSQL."""
    processes = deployment.measured()
    with psycopg.connect(deployment.straight, autocommit=True) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
        ).fetchone()
    return Standing(
        {name: each.memory_info().rss / _MIB for name, each in processes.items()},
        {name: each.num_fds() for name, each in processes.items()},
        row[0] if row else 0,
    )


def bounds(before: Standing, after: Standing) -> list[Bound]:
    """Against what was open when everything had been at work once."""
    memory = [
        Bound(f"MiB of {name}", round(found), round(before.memory[name] * _GROWS))
        for name, found in after.memory.items()
        if name in before.memory
    ]
    files = [
        Bound(f"files of {name}", found, before.files[name] + _FILES_MORE)
        for name, found in after.files.items()
        if name in before.files
    ]
    limit = before.connections + _CONNECTIONS_MORE
    return [*memory, *files, Bound("connections to PostgreSQL", after.connections, limit)]
