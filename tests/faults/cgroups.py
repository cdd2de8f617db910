"""Control groups of the kernel: a cap on memory, a share of processor time, and what came of them.

Each group lies below the one that this process is in, so that whatever bounds us bounds it too.
Both versions are spoken; a machine that lets us make none says why.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ROOT: Final = Path("/sys/fs/cgroup")
_JOIN: Final = 'echo $$ > "$0/cgroup.procs" && exec "$@"'
_PERIOD: Final = 100_000
"""Microseconds over which the kernel gives out a share."""
_PATIENCE: Final = 10.0
MIB: Final = 1024 * 1024


class NoGroups(Exception):
    """No control group can be made here; the message says why."""


@dataclass(frozen=True, slots=True)
class Group:
    """What begins with `prefix` before its command lives in it, and so does what begins again."""

    folder: Path
    unified: bool

    @property
    def prefix(self) -> Sequence[str]:
        return ("/bin/sh", "-c", _JOIN, str(self.folder))

    def cap(self, mebibytes: int) -> None:
        """Page cache counts too, and is given back before anybody is killed. Raises OSError where
        the version 1 finds more in use than that."""
        name = "memory.max" if self.unified else "memory.limit_in_bytes"
        (self.folder / name).write_text(str(mebibytes * MIB))

    def squeeze(self) -> int:
        """Cap it at what cannot be taken from it now; answers the mebibytes of the cap."""
        size = self._used()
        self.cap(size)
        with suppress(OSError):  # version 1 refuses what it could only keep by killing
            while not self.unified:
                self.cap(size - 1)
                size -= 1
        return size

    def share(self, percent: int) -> None:
        """Of one processor; 0 takes the bound away."""
        quota = _PERIOD * percent // 100
        if self.unified:
            told = f"{quota or 'max'} {_PERIOD}"
            (self.folder / "cpu.max").write_text(told)
            return
        (self.folder / "cpu.cfs_period_us").write_text(str(_PERIOD))
        (self.folder / "cpu.cfs_quota_us").write_text(str(quota or -1))

    def killed(self) -> int:
        """How often the kernel has killed something for want of memory."""
        found = self._numbers("memory.events" if self.unified else "memory.oom_control")
        return found["oom_kill"]

    def throttled(self) -> int:
        """In how many periods the share was used up."""
        return self._numbers("cpu.stat")["nr_throttled"]

    def _used(self) -> int:
        name = "memory.current" if self.unified else "memory.usage_in_bytes"
        return int((self.folder / name).read_text()) // MIB + 1

    def _numbers(self, name: str) -> Mapping[str, int]:
        lines = (self.folder / name).read_text().splitlines()
        return {key: int(value) for key, value in (line.split() for line in lines)}


@contextmanager
def group(controller: str, name: str) -> Iterator[Group]:
    """A group of `memory` or `cpu`, empty; gone with the block, and what runs there has to end
    before it. Raises NoGroups."""
    parent, unified = _ours(controller)
    folder = parent / f"crm-faults-{os.getpid()}-{name}"
    try:
        folder.mkdir()
    except OSError as error:
        raise NoGroups(f"no control group for {controller} can be made here: {error}") from error
    try:
        if not (folder / "cgroup.procs").exists() or not _bounds(folder, controller, unified):
            raise NoGroups(f"the kernel does not let {controller} be bounded in {parent}")
        yield Group(folder, unified)
    finally:
        _remove(folder)


def cannot_bound(controller: str) -> str | None:
    """Why nothing can be bounded here; None where it can: a process is put into a group."""
    try:
        with group(controller, "trial") as made:
            subprocess.run([*made.prefix, "true"], check=True, capture_output=True)
    except (NoGroups, OSError, subprocess.CalledProcessError) as error:
        return str(error)
    return None


def _bounds(folder: Path, controller: str, unified: bool) -> bool:
    files = {
        ("memory", True): "memory.max",
        ("memory", False): "memory.limit_in_bytes",
        ("cpu", True): "cpu.max",
        ("cpu", False): "cpu.cfs_quota_us",
    }
    return (folder / files[controller, unified]).exists()


def _ours(controller: str) -> tuple[Path, bool]:
    """The folder of the group that we are in, and whether it is of version 2."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return _inside(_ROOT / controllers, path), False
    return _inside(_ROOT, _path_of_version_2()), True


def _inside(root: Path, path: str) -> Path:
    """Seen from a container, its own group is often the root."""
    found = root / path.lstrip("/")
    return found if found.is_dir() else root


def _path_of_version_2() -> str:
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    return next((line[3:] for line in lines if line.startswith("0::")), "/")


def _remove(folder: Path) -> None:
    """A group can go when the last of its processes has been buried."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            folder.rmdir()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)  # noqa: TID251 (this is the waiter)
        else:
            return
