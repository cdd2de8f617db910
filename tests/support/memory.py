"""Files of tests lie in memory where there is room for them, so that no test waits for a disk.

A process that is killed loses nothing that it wrote to either; who wants a disk sets TMPDIR.
"""

import os
import shutil
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of ours is made in it, as in any other
ROOM = 6 << 30


def pytest_configure() -> None:
    if "TMPDIR" not in os.environ and _has_room(MEMORY):  # noqa: TID251  the owner of this choice
        tempfile.tempdir = str(MEMORY)


def _has_room(folder: Path) -> bool:
    return os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > ROOM
