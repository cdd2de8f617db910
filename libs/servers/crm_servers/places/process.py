"""A server as a process of ours, which ends with us whatever happens to us."""

import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from pwd import struct_passwd
from typing import IO

import psutil

from crm_servers.errors import ServerUnavailable
from crm_servers.places.place import Source
from crm_servers.settings import with_ours

PATIENCE = 20.0
TAIL = 1_500
# Holds the reading end of a pipe whose other end is ours: when we are gone, however we went,
# the pipe closes and the server is told to end. A parent-death signal would follow the thread.
GUARD = 'read _; kill -INT "$1" && sleep 10 && kill -KILL "$1"'


@dataclass(frozen=True)
class Command:
    """What to run: program and arguments, where its log goes, and as whom (None: as we are)."""

    arguments: Sequence[str]
    log: Path
    end: signal.Signals = signal.SIGTERM
    account: struct_passwd | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


class OwnProcess:
    source: Source = "wheel"

    def __init__(self, command: Command) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise ServerUnavailable("the server is not running; call start() first")
        return self._process.pid

    def start(self) -> None:
        if self.alive():
            return
        self._gone()
        with self._command.log.open("ab") as log:
            self._process = self._spawn(log)
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", GUARD, "guard", str(self._process.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _spawn(self, log: IO[bytes]) -> subprocess.Popen[bytes]:
        account = self._command.account
        return subprocess.Popen(
            self._command.arguments,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=with_ours(self._command.environment),
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
        )

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.send_signal(self._command.end)
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
        self._gone()

    def kill(self) -> None:
        """SIGKILL for the server itself; waits until the children it leaves behind are gone too."""
        if self._process is None:
            return
        orphans = _children(self._process.pid)
        self._process.kill()
        self._process.wait()
        for orphan in psutil.wait_procs(orphans, PATIENCE)[1]:
            orphan.kill()
        self._gone()

    def close(self) -> None:
        self.stop()

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def last_words(self) -> str:
        try:
            words = self._command.log.read_bytes()[-TAIL:].decode(errors="replace")
        except OSError:
            words = ""
        return f"its log is {self._command.log} and ends with:\n{words}"

    def _gone(self) -> None:
        guard, self._process, self._guard = self._guard, None, None
        if guard is None:
            return
        guard.kill()
        guard.wait()
        if guard.stdin is not None:
            guard.stdin.close()


def _children(pid: int) -> list[psutil.Process]:
    try:
        return list(psutil.Process(pid).children(recursive=True))
    except psutil.NoSuchProcess:
        return []
