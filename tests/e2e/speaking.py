"""HTTP to a deployment as any client speaks it, and homes that are served for it."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.support.commanding import Crm, program, told
from tests.support.waiting import wait_until

_SECONDS = 60


def speaking(address: str, token: str | None = None) -> httpx.Client:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=address, headers=headers, timeout=30.0)


def client_of(crm: Crm) -> httpx.Client:
    """To the server that this command speaks to."""
    return speaking(crm.environment["CRM_SERVER"], crm.environment.get("CRM_TOKEN"))


def problem_of(answer: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    """The problem document of a refusal, which it has to be."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert found["type"] == f"/problems/{slug}", found
    assert found["status"] == status
    return found


@dataclass(frozen=True)
class Serving:
    """`crm serve` over a home, as a process of its own."""

    process: subprocess.Popen[str]
    home: Path

    def wait_listening(self) -> str:
        """The address, once it answers there; fails with what it said when it ends instead."""
        wait_until(lambda: self._ended() or self._said() is not None, "it serves", _SECONDS)
        assert not self._ended(), self.rest()
        return str(self._said())

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(_SECONDS)

    def rest(self) -> str:
        """What it says on standard error until it ends."""
        return self.process.communicate(timeout=_SECONDS)[1]

    def _ended(self) -> bool:
        return self.process.poll() is not None

    def _said(self) -> str | None:
        """The address in the lock, if it was this process that wrote it."""
        try:
            lock = json.loads((self.home / "lock").read_text())
        except (FileNotFoundError, ValueError):
            return None
        return lock["address"] if lock["pid"] == self.process.pid else None


@contextmanager
def serving(home: Path, *options: str, **environment: str) -> Iterator[Serving]:
    """Started, not waited for; killed when the block ends."""
    port = () if "--port" in options else ("--port", "0")
    process = subprocess.Popen(
        [str(program()), "--home", str(home), "serve", *port, *options],
        env=told(environment),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield Serving(process, home)
        finally:
            process.kill()
