"""A log whose disk is full loses lines; whoever wanted to say something goes on."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from crm_service.logging import configure

FULL = Path("/dev/full")
"""Every write to it fails as on a disk without space."""


@pytest.fixture
def on_a_full_disk() -> Iterator[None]:
    stream = FULL.open("w")
    configure("INFO", stream)
    yield
    configure("INFO", sys.stdout)
    with pytest.raises(OSError, match="No space"):
        stream.close()


@pytest.mark.usefixtures("on_a_full_disk")
def test_lines_that_cannot_be_written_are_lost() -> None:
    for _ in range(1_000):
        structlog.get_logger("crm.test").warning("relay_restarts", reason="disk")
        logging.getLogger("crm.test").warning("as the standard library says it")
