"""The processes of a distributed deployment: found, killed, halted and begun by their names."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
from crm_servers.distributed.supervising import Supervisor
from crm_service.principals import Principal
from crm_service.tokens import TokenFile

from tests.support.waiting import wait_until

SERVERS = ("kafka", "postgres")
GATEWAY = "gateway"
READY_SECONDS = 120


@dataclass(frozen=True)
class Roles:
    """What the supervisor of this folder runs."""

    folder: Path

    @property
    def supervisor(self) -> Supervisor:
        return Supervisor(self.folder)

    def pids(self) -> dict[str, int]:
        return self.supervisor.pids()

    def names(self) -> list[str]:
        """Every role in every copy, without the servers and the gateway."""
        return sorted(self.pids().keys() - {*SERVERS, GATEWAY})

    def environment(self, name: str) -> Mapping[str, str]:
        """What a role that runs was told."""
        told: Mapping[str, str] = psutil.Process(self.pids()[name]).environ()
        return told

    def address(self, name: str) -> str:
        """Where a role answers probes, and its API if it has one."""
        told = self.environment(name)
        return (
            f"http://{told['GATEWAY_LISTEN']}" if name == GATEWAY else _loopback(told["CRM_PORT"])
        )

    def kill(self, name: str) -> int:
        """SIGKILL; of a server, for the server itself rather than for what watches over it."""
        pid = self.server(name).pid if name in SERVERS else self.pids()[name]
        os.kill(pid, signal.SIGKILL)
        return pid

    def server(self, name: str) -> psutil.Process:
        """The process of Kafka's or PostgreSQL's own program."""
        watching = psutil.Process(self.pids()[name])
        return next(child for child in watching.children() if child.name() != "sh")

    def wait_running(self, name: str) -> None:
        wait_until(lambda: name in self.pids(), f"{name} runs", READY_SECONDS)

    def wait_ready(self, *names: str) -> None:
        """All of these, and the gateway; every role where none is named."""
        wait_until(lambda: not self.not_ready(names), f"ready: {names}", READY_SECONDS)

    def not_ready(self, names: tuple[str, ...] = ()) -> list[str]:
        running = self.pids()
        wanted = (*(names or self.names()), GATEWAY)
        return [name for name in wanted if name not in running or not self._is_ready(name)]

    def _is_ready(self, name: str) -> bool:
        try:
            return httpx.get(f"{self.address(name)}/readyz", timeout=5).status_code == 200
        except (httpx.TransportError, psutil.NoSuchProcess, KeyError):
            return False


def _loopback(port: str) -> str:
    return f"http://127.0.0.1:{port}"


def caller(folder: Path) -> Principal:
    """Who the first token of a deployment stands for."""
    token = TokenFile(folder / "tokens.json").read()[0]
    return Principal(token.principal, token.name, frozenset(token.rights))
