"""The distributed form in containers, by deploy/compose.yaml."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from crm_servers.distributed.folder import Folder
from crm_servers.distributed.readiness import not_ready, wait_for
from crm_servers.distributed.topology import migrations
from crm_servers.errors import ServerUnavailable
from crm_servers.ports import LOOPBACK
from crm_servers.settings import with_ours

BUILT = ["gateway", "console", *(role.name for role in migrations())]


class Containers:
    """Everything in containers. `deploy` is the repository's folder of that name."""

    def __init__(self, folder: Folder, deploy: Path, port: int) -> None:
        self._folder = folder
        self._compose_file = deploy / "compose.yaml"
        self._port = port

    def running(self) -> bool:
        return bool(self._states())

    def up(self, scale: Mapping[str, int]) -> None:
        """Builds, starts, and returns when all of it is ready. Raises ServerUnavailable."""
        print("building the images", file=sys.stderr)
        self._must("build", *BUILT)
        self._folder.ensure_tokens(self._new_token)
        copies = [word for name, count in scale.items() for word in ("--scale", f"{name}={count}")]
        self._must("up", "--detach", "--no-build", "--remove-orphans", *copies)
        wait_for(self._pending, self._remedy)

    def down(self) -> None:
        """Stops what `up` started; the volumes with the data stay."""
        self._must("--profile", "tools", "down", "--remove-orphans")

    def forget(self) -> None:
        """Removes the volumes. Raises ServerUnavailable where no engine answers."""
        self._must("--profile", "tools", "down", "--volumes", "--remove-orphans")

    def _pending(self) -> dict[str, str]:
        states = self._states()
        for state in states:
            if state["State"] == "exited" and state["ExitCode"] != 0:
                name = state["Service"]
                raise ServerUnavailable(f"{name} failed; {self._remedy(name)}")
        waiting = {state["Service"]: state["Status"] for state in states if not _settled(state)}
        gateway = f"http://{LOOPBACK}:{self._port}/readyz"
        return waiting or not_ready({"gateway": gateway})

    def _states(self) -> list[dict[str, Any]]:
        """Compose prints a list or one object a line, depending on its version."""
        text = self._compose("ps", "--all", "--format", "json").stdout.strip()
        if text.startswith("["):
            return list(json.loads(text))
        return [json.loads(line) for line in text.splitlines()]

    def _remedy(self, name: str) -> str:
        return f"read `docker logs` of {name}, mend what it says, then call make up again"

    def _new_token(self, command: Sequence[str]) -> str:
        """Made in a container: only there the tokens' volume can be written."""
        done = self._compose("run", "--rm", "--no-deps", "-T", "console", *command)
        if done.returncode != 0:
            raise ServerUnavailable(f"`crm token create` failed: {done.stderr.strip()}")
        return done.stdout

    def _must(self, *words: str) -> None:
        if self._compose(*words, shown=True).returncode != 0:
            raise ServerUnavailable("Docker Compose failed; its reason is above")

    def _compose(self, *words: str, shown: bool = False) -> subprocess.CompletedProcess[str]:
        self._folder.ensure_master_key()
        self._folder.ensure_audit_keys()
        told = {
            **self._folder.passwords(),
            "CRM_UP_SECRETS": str(self._folder.secrets.resolve()),
            "CRM_UP_PORT": str(self._port),
        }
        command = ["docker", "compose", "--file", str(self._compose_file), *words]
        return subprocess.run(
            command, env=with_ours(told), capture_output=not shown, text=True, check=False
        )


def _settled(state: Mapping[str, Any]) -> bool:
    """A job that is done, or something that runs and whose health check, if any, is content."""
    if state["State"] == "exited":
        return True
    return state["State"] == "running" and state.get("Health") in {"", "healthy"}
