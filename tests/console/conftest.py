from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog


def _silent() -> None:
    """The default of structlog draws every traceback in colours, which takes seconds."""
    nothing = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(wrapper_class=nothing, cache_logger_on_first_use=False)


@pytest.fixture(scope="package", autouse=True)
def silent_logs() -> Iterator[None]:
    _silent()
    yield
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """A command sends the logs to a file of its home, and is gone before the next test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    _silent()
