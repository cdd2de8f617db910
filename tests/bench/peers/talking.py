"""A peer's process: told what to do in one line of JSON, answering in one."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tests.bench.measuring import NotDone

_SECONDS: Final = 300.0
_TAIL: Final = 1_500


class Peer:
    """One program of this folder. It is ended where it does not answer within five minutes."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self._process = process
        self._log = log

    def ask(self, **told: Any) -> dict[str, Any]:
        self.tell(**told)
        return self.heard()

    def heard(self) -> dict[str, Any]:
        """Its next answer. Raises NotDone with the end of its log where it has ended instead."""
        assert self._process.stdout is not None
        impatience = threading.Timer(_SECONDS, self._process.kill)
        impatience.start()
        try:
            line = self._process.stdout.readline()
        finally:
            impatience.cancel()
        if not line:
            raise NotDone(f"the peer ended instead of answering:\n{self._last_words()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def tell(self, **told: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(told) + "\n")
        self._process.stdin.flush()

    def check(self) -> None:
        """Raises NotDone where the program has ended."""
        if self._process.poll() is not None:
            raise NotDone(f"the peer has ended:\n{self._last_words()}")

    def _last_words(self) -> str:
        return self._log.read_text(errors="replace")[-_TAIL:]


@contextmanager
def running(python: Path, program: str, folder: Path, *arguments: str) -> Iterator[Peer]:
    """A program of this folder by its module's name, in `folder`, ended when the block is left."""
    log = folder / f"{program}.log"
    command = [str(python), str(Path(__file__).with_name(f"{program}.py")), *arguments]
    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
        )
    try:
        yield Peer(process, log)
    finally:
        process.kill()
        process.communicate()
