"""What benchmarks stand on: real servers, started when first asked for, and their own folders."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import psutil
from crm_servers import KafkaServer, PostgresServer, pick_kafka, pick_postgres

S = TypeVar("S", KafkaServer, PostgresServer)


class Ground:
    """One run of the benchmarks. `quick` asks for sizes that only show that everything works."""

    def __init__(self, folder: Path, stack: ExitStack, *, quick: bool) -> None:
        self.quick = quick
        self._folder = folder
        self._stack = stack

    def size(self, full: int, quick: int) -> int:
        return quick if self.quick else full

    @cached_property
    def postgres(self) -> PostgresServer:
        return self._started(pick_postgres(self.folder()))

    @cached_property
    def kafka(self) -> KafkaServer:
        return self._started(pick_kafka(self.folder()))

    def _started(self, server: S) -> S:
        print(f"starting {server.name} from {server.source} ...", flush=True)
        self._stack.callback(server.close)
        server.start()
        return server

    def folder(self) -> Path:
        """A new one, removed when the run is over."""
        return Path(tempfile.mkdtemp(dir=self._folder))

    @contextmanager
    def database(self) -> Iterator[str]:
        """The DSN of an empty database of one benchmark's own."""
        name = f"bench_{secrets.token_hex(6)}"
        yield self.postgres.create_database(name)
        self.postgres.drop_database(name)


@contextmanager
def ground(*, quick: bool) -> Iterator[Ground]:
    """Ends the servers and removes everything that was written."""
    with tempfile.TemporaryDirectory(prefix="crm-bench-") as folder, ExitStack() as stack:
        yield Ground(Path(folder), stack, quick=quick)


def fresh_namespace() -> str:
    """Fits CRM_NAMESPACE: nobody else has topics, groups or schemas that begin with it."""
    return f"b{secrets.token_hex(6)}"


def of_postgres() -> float:
    """Seconds of processor time that every PostgreSQL started by this process has taken."""
    every = psutil.Process().children(recursive=True)
    taken = [each.cpu_times() for each in every if each.name().startswith("postgres")]
    return float(sum(each.user + each.system for each in taken))
