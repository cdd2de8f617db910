"""How much memory this process holds, in MiB."""

from __future__ import annotations

import re
import resource
import sys
from pathlib import Path
from typing import Final

import psutil

_MIB: Final = 1024 * 1024
_PEAK: Final = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)
_STATUS: Final = Path("/proc/self/status")


def resident() -> float:
    return float(psutil.Process().memory_info().rss / _MIB)


def peak() -> float:
    """The most it ever held. Where Linux tells, without what its parent held when it was begun,
    which getrusage counts too."""
    if _STATUS.exists() and (found := _PEAK.search(_STATUS.read_text())):
        return int(found[1]) / 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / _MIB if sys.platform == "darwin" else most / 1024
