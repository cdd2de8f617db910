"""Roles of services as processes of their own, over the servers that a test was given."""

from __future__ import annotations

import secrets
import signal
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
import pytest
from crm_servers import KafkaServer
from crm_servers.ports import free_port
from crm_servers.settings import with_ours

from tests.support.waiting import wait_until


def pytest_configure() -> None:
    """A shell that starts something in the background has it ignore Ctrl-C, and what that starts
    ignores it too: programs that tests interrupt would not hear of it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass
class Processes:
    """Starts roles with one environment and ends them with the test. Logs lie in `folder`."""

    folder: Path
    told: Mapping[str, str]
    _stack: ExitStack = field(default_factory=ExitStack)

    def done(self, service: str, role: str) -> None:
        """Run a role that ends by itself; it must end well."""
        command = [sys.executable, "-m", f"crm_{service}", role]
        told = with_ours(self.told)
        run = subprocess.run(command, env=told, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout + run.stderr

    def up(self, service: str, role: str, seconds: float = 60, *, probe: str = "readyz") -> str:
        """Start a role that stays up; answers its address once its probe says that it does."""
        port = free_port()
        address = f"http://127.0.0.1:{port}"
        ports = {"CRM_PORT": str(port), "CRM_HEALTH_PORT": str(port)}
        log = self.folder / f"{service}-{role}-{port}.log"
        process = self._stack.enter_context(self._running(service, role, ports, log))

        def ready() -> bool:
            assert process.poll() is None, log.read_text()
            return _answers(f"{address}/{probe}")

        wait_until(ready, f"{service} {role} {probe}, see {log}", seconds)
        return address

    def told_last(self, lines: int = 12) -> str:
        """The end of every log, for whoever waited in vain."""
        logs = sorted(self.folder.glob("*.log"))
        ends = ("\n".join(log.read_text().splitlines()[-lines:]) for log in logs)
        return "\n".join(f"--- {log.name}\n{end}" for log, end in zip(logs, ends, strict=True))

    def close(self) -> None:
        self._stack.close()

    @contextmanager
    def _running(
        self, service: str, role: str, ports: Mapping[str, str], log: Path
    ) -> Iterator[subprocess.Popen[bytes]]:
        command = [sys.executable, "-m", f"crm_{service}", role]
        told = with_ours({**self.told, **ports})
        with log.open("wb") as output:
            process = subprocess.Popen(command, env=told, stdout=output, stderr=output)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(15)


@pytest.fixture
def told_to_roles() -> Mapping[str, str]:
    """What a module's roles are told beyond where the servers are; a module may say more."""
    return {}


@pytest.fixture
def processes(
    tmp_path: Path,
    kafka: KafkaServer,
    postgres_database: str,
    namespace: str,
    told_to_roles: Mapping[str, str],
) -> Iterator[Processes]:
    told = {
        "CRM_NAMESPACE": namespace,
        "CRM_KAFKA": kafka.bootstrap,
        "CRM_POSTGRES": postgres_database,
        "CRM_KEYS": postgres_database,
        "CRM_MASTER_KEY_FILE": str(master_key_in(tmp_path)),
        **told_to_roles,
    }
    running = Processes(tmp_path, told)
    yield running
    running.close()


def master_key_in(folder: Path) -> Path:
    """A master key file of the test's own."""
    path = folder / "master-key"
    path.write_bytes(b64encode(secrets.token_bytes(32)))
    return path


@contextmanager
def frozen_process(process: psutil.Process) -> Iterator[None]:
    """It takes connections and says nothing."""
    process.suspend()
    try:
        yield
    finally:
        process.resume()


def _answers(probe: str) -> bool:
    try:
        return httpx.get(probe, timeout=5).status_code == 200
    except httpx.TransportError:
        return False
