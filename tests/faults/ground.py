"""A Kafka and a PostgreSQL of a run's own, which it may kill, and folders for what it leaves."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from crm_events.audit.keyfile import make_key
from crm_servers import KafkaServer, PostgresServer
from crm_servers.kafka import wheel_kafka
from crm_servers.ports import LOOPBACK, free_port
from crm_servers.postgres import wheel_postgres

from tests.support.processes import master_key_in

DOORS: Final = ("RELAY", "VIEWS")
"""Names of further listeners of the broker, to each of which a proxy of ours can be put."""


@dataclass(frozen=True)
class Ground:
    """The servers from wheels. `ports` are those of the broker's listeners; what a client is told
    of a listener of `DOORS` is `doors`, where something has to listen."""

    folder: Path
    kafka: KafkaServer
    postgres: PostgresServer
    ports: Mapping[str, int]
    doors: Mapping[str, int]
    master_key: Path
    audit_key: Path

    @property
    def runs(self) -> Path:
        """Evidence of every run, kept apart from what is killed."""
        return self.folder / "runs"


@contextmanager
def ground(kept: Path | None = None) -> Iterator[Ground]:
    """Both servers running. What is left in `kept` stays; all else goes with the block."""
    scratch = Path(tempfile.mkdtemp(prefix="crm-faults-"))
    try:
        with ExitStack() as stack:
            yield _started(scratch, stack)
            if kept is not None:
                shutil.rmtree(kept, ignore_errors=True)
                shutil.copytree(scratch / "runs", kept)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _started(folder: Path, stack: ExitStack) -> Ground:
    (folder / "runs").mkdir()
    kafka = wheel_kafka(folder / "kafka")
    ports, doors = ({name: free_port() for name in DOORS} for _ in range(2))
    _add_listeners(folder / "kafka" / "server.properties", ports, doors)
    postgres = wheel_postgres(folder / "postgres")
    for server in (kafka, postgres):
        stack.enter_context(closing(server.start()))
        print(f"{server.name} on {server.address}", file=sys.stderr)
    make_key(folder / "audit.key")
    audit_key = folder / "audit.key"
    return Ground(folder, kafka, postgres, ports, doors, master_key_in(folder), audit_key)


def _add_listeners(file: Path, ports: Mapping[str, int], doors: Mapping[str, int]) -> None:
    """A broker tells each client the address that belongs to the listener it came in by."""
    told = dict(line.split("=", 1) for line in file.read_text().splitlines())
    listeners = [f"{name}://{LOOPBACK}:{port}" for name, port in ports.items()]
    advertised = [f"{name}://{LOOPBACK}:{port}" for name, port in doors.items()]
    security = [f"{name}:PLAINTEXT" for name in ("PLAINTEXT", "CONTROLLER", *ports)]
    told["listeners"] = ",".join([told["listeners"], *listeners])
    told["advertised.listeners"] = ",".join([told["advertised.listeners"], *advertised])
    told["listener.security.protocol.map"] = ",".join(security)
    file.write_text("".join(f"{name}={value}\n" for name, value in told.items()))
