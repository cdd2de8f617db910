"""The `crm` command as a person or a script starts it: a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Done:
    """What a command left: its exit code and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Crm:
    """The command against one deployment: a home, or a server with a token."""

    options: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str | Path) -> Done:
        """Run it to its end, whatever its exit code."""
        done = subprocess.run(
            [str(program()), *self.options, *map(str, arguments)],
            env=told(self.environment),
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def view(self, name: str, *arguments: str) -> Any:
        """A view's answer."""
        done = self("view", name, *arguments, "-o", "json")
        if done.code != 0:
            raise AssertionError(f"crm view {name} ended with {done.code}: {done.err}")
        return done.json


def program() -> Path:
    """The command that was installed beside this Python."""
    return Path(sys.executable).with_name("crm")


def told(environment: Mapping[str, str]) -> dict[str, str]:
    """Only what a test says of the CRM, and the path: no variable of the developer's leaks in."""
    path = str(Path(sys.executable).parent)
    return {"PATH": f"{path}:/usr/bin:/bin", "LANG": "C.UTF-8", **environment}
