"""Bounds hold, or a scenario under them would prove nothing; where none can be set, it is said."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence

import pytest

from tests.faults.cgroups import Group, cannot_bound, group

_HOARD = "kept = [bytearray(1 << 20) for _ in range(100)]; print(len(kept))"
_SPIN = """
import time
ends, worked = time.monotonic() + 1.5, time.process_time()
while time.monotonic() < ends: pass
print(time.process_time() - worked)
"""


def run(made: Group, program: str) -> subprocess.CompletedProcess[str]:
    command: Sequence[str] = [*made.prefix, sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def needed(controller: str) -> None:
    if (why := cannot_bound(controller)) is not None:
        assert why.strip()
        pytest.skip(why)


def test_who_takes_more_than_its_cap_is_killed_and_counted() -> None:
    needed("memory")
    with group("memory", "test") as made:
        made.cap(256)
        assert run(made, _HOARD).stdout == "100\n"
        assert made.killed() == 0
        made.cap(48)
        assert run(made, _HOARD).returncode == -signal.SIGKILL
        assert made.killed() == 1
    assert not made.folder.exists()


def test_share_of_processor_time_is_not_exceeded() -> None:
    needed("cpu")
    with group("cpu", "test") as made:
        made.share(20)
        assert float(run(made, _SPIN).stdout) < 0.6
        assert made.throttled() > 3
        made.share(0)
        throttled = made.throttled()
        run(made, _SPIN)
        assert made.throttled() == throttled
