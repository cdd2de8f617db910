"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


class WrongPlace(Exception):
    """Nothing can be put there; says why."""


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """A file to write, put in its place when all is written; of one that failed nothing stays.

    What a killed process left beside it is overwritten the next time. Raises WrongPlace.
    """
    if path.exists() and not path.is_file():
        raise WrongPlace(f"{path} is no file; name one that can be written.")
    beside = path.with_name(f".{path.name}.part")
    try:
        file = beside.open("wb")
    except OSError as error:
        raise WrongPlace(f"{path} cannot be written: {error.strerror}.") from error
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
