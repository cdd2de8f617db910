"""How much memory columns may take where nobody has said so."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_CAPS: Final = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
"""Of the control group that a container is, in both versions of them."""


def quarter_of_memory(caps: Iterable[Path] = _CAPS) -> int:
    """Bytes: a quarter of the machine's memory, or of the container's where that has less.

    The rest is for what grows while columns are read, and for the neighbours.
    """
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min(machine, *(_cap(path, machine) for path in caps)) // 4


def _cap(path: Path, otherwise: int) -> int:
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # no such group, or "max"
        return otherwise
