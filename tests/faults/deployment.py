"""The roles that a scenario needs, as processes over a namespace of their own; whatever ends is
begun again, as any supervisor would."""

from __future__ import annotations

import getpass
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
import psutil
from crm_events.catalogue import CONTEXTS
from crm_events.keys.open import migrate_keys
from crm_events.store.open import migrate
from crm_servers.places.process import Command, OwnProcess
from crm_servers.ports import LOOPBACK, free_port
from crm_service.principals import Principal, local_user

from tests.faults.ground import Ground
from tests.support.waiting import wait_until

ACTIONS: Final = {"api": "serve", "relay": "relay", "react": "react", "views": "project"}
FOLLOWERS: Final = ("contacts", "pipeline", "ticketing")
"""Contexts whose reactions have an effect on others' events in a flow."""
READY_SECONDS: Final = 60.0
CLIENT_SECONDS: Final = 15.0
_GLANCE: Final = 0.05
_TOO_SOON: Final = 1.0


def usual_roles(contexts: Sequence[str] = CONTEXTS) -> list[str]:
    """Everything between a command and a view."""
    reacting = [f"{context}-react" for context in contexts if context in FOLLOWERS]
    ends = [f"{context}-{part}" for context in contexts for part in ("api", "relay")]
    return [*ends, *reacting, "projections-views", "projections-api"]


@dataclass
class Role:
    """One process: found again at the same port, whoever kills it."""

    name: str
    process: OwnProcess
    port: int
    wanted: bool = True
    begun: float = 0.0
    starts: int = 0

    @property
    def address(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def ready(self) -> bool:
        try:
            return httpx.get(f"{self.address}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False


@dataclass
class Deployment:
    """`told` is what every role is told of its surroundings; `publishing` are the contexts whose
    events come to their topic."""

    namespace: str
    folder: Path
    told: Mapping[str, str]
    roles: dict[str, Role] = field(default_factory=dict)
    publishing: set[str] = field(default_factory=set)
    kills: int = 0
    _clients: dict[str, httpx.Client] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def dsn(self) -> str:
        return self.told["CRM_POSTGRES"]

    @property
    def kafka(self) -> str:
        return self.told["CRM_KAFKA"]

    @property
    def straight(self) -> str:
        """PostgreSQL's own address, whatever proxy the roles are told of."""
        return self.told.get("CRM_TEST_STRAIGHT", self.dsn)

    @property
    def straight_kafka(self) -> str:
        return self.told.get("CRM_TEST_KAFKA", self.kafka)

    @property
    def by(self) -> Principal:
        """Who a request without a token comes from."""
        return local_user(getpass.getuser())

    def door(self, path: str) -> httpx.Client:
        """The client for a path's service."""
        name = path.split("/")[2]
        with self._lock:
            if name not in self._clients:
                role = "projections-api" if name == "views" else f"{name}-api"
                address = self.roles[role].address
                self._clients[name] = httpx.Client(
                    base_url=address,
                    timeout=CLIENT_SECONDS,
                    limits=httpx.Limits(keepalive_expiry=2),
                )
            return self._clients[name]

    def add(
        self,
        name: str,
        more: Mapping[str, str] | None = None,
        port: int | None = None,
        prefix: Sequence[str] = (),
    ) -> Role:
        """Begin a role; `contacts-relay`, or `contacts-relay-2` for another copy. `prefix` comes
        before its command."""
        service, action = name.split("-")[:2]
        port = port or self._free_port()
        told = {**self.told, "CRM_PORT": str(port), "CRM_HEALTH_PORT": str(port), **(more or {})}
        command = Command(
            [*prefix, sys.executable, "-m", f"crm_{service}", ACTIONS[action]],
            self.folder / f"{name}.log",
            environment=told,
        )
        role = Role(name, OwnProcess(command), port)
        with self._lock:
            self._begin(role)
            self.roles[name] = role
        if action == "relay":
            self.publishing.add(service)
        return role

    def _free_port(self) -> int:
        """One that no role of ours has: who has just been killed, or has not begun to listen yet,
        leaves its port free for a moment."""
        while (port := free_port()) in {role.port for role in self.roles.values()}:
            continue
        return port

    def pid(self, name: str) -> int:
        return self.roles[name].process.pid

    def kill(self, name: str) -> None:
        """SIGKILL. The watch begins it again."""
        with self._lock:
            role = self.roles[name]
            if role.process.alive():
                role.process.kill()
                self.kills += 1

    def halt(self, name: str) -> None:
        """SIGTERM, and it stays away until `begin`."""
        with self._lock:
            self.roles[name].wanted = False
        self.roles[name].process.stop()

    def begin(self, name: str) -> None:
        with self._lock:
            self.roles[name].wanted = True
            self._begin(self.roles[name])

    def replace(self, name: str, more: Mapping[str, str]) -> None:
        """The same role, told something more from now on."""
        self.halt(name)
        self.add(name, more, self.roles[name].port)

    def signal(self, name: str, number: signal.Signals) -> None:
        os.kill(self.pid(name), number)

    def wait_ready(self, *names: str, seconds: float = READY_SECONDS) -> None:
        chosen = [self.roles[name] for name in names or list(self.roles)]
        for role in chosen:
            wait_until(role.ready, f"{role.name} is ready, see {self.folder}", seconds)

    def measured(self) -> dict[str, psutil.Process]:
        return {name: psutil.Process(role.process.pid) for name, role in self.roles.items()}

    def look(self) -> None:
        """Begin what has ended by itself."""
        with self._lock:
            for role in self.roles.values():
                late = time.monotonic() - role.begun > _TOO_SOON
                if role.wanted and late and not role.process.alive():
                    self._begin(role)

    def _begin(self, role: Role) -> None:
        role.process.stop()  # lets go of what watched over the one before
        role.begun = time.monotonic()
        role.starts += 1
        role.process.start()

    def close(self) -> None:
        with self._lock:
            every = list(self.roles.values())
            for role in every:
                role.wanted = False
        for client in self._clients.values():
            client.close()
        with ThreadPoolExecutor(len(every) or 1) as pool:
            list(pool.map(lambda role: role.process.stop(), every))


@contextmanager
def deployed(
    place: Ground, namespace: str, roles: Sequence[str], more: Mapping[str, str] | None = None
) -> Iterator[Deployment]:
    """These roles, begun and ready, over a fresh namespace; all ended with the block."""
    folder = place.runs / namespace
    folder.mkdir()
    dsn = place.postgres.dsn
    told = {
        "CRM_KAFKA": place.kafka.bootstrap,
        "CRM_POSTGRES": dsn,
        "CRM_KEYS": dsn,
        "CRM_NAMESPACE": namespace,
        "CRM_MASTER_KEY_FILE": str(place.master_key),
        "CRM_LOG_LEVEL": "WARNING",
        "CRM_AUDIT_KEY_FILE": str(place.audit_key),
        "CRM_AUDIT_CHECKPOINTS": str(folder / "checkpoints"),
        "CRM_AUDIT_SECONDS": "1",
        **(more or {}),
    }
    migrate_keys(told["CRM_KEYS"], namespace)
    for context in CONTEXTS:
        migrate(told["CRM_POSTGRES"], namespace, context)
    deployment = Deployment(namespace, folder, told)
    stop = threading.Event()
    watching = threading.Thread(target=_watch, args=(deployment, stop), daemon=True)
    try:
        for name in roles:
            deployment.add(name)
        watching.start()
        deployment.wait_ready()
        yield deployment
    finally:
        stop.set()
        deployment.close()


def _watch(deployment: Deployment, stop: threading.Event) -> None:
    while not stop.wait(_GLANCE):
        deployment.look()
