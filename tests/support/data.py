"""Tests marked `data` need reference files that are not ours to publish.

Without CRM_TEST_DATA they are left out and one line says so; under CI they run, and fail by saying
what to set: a figure that nobody checked must not look checked.
"""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.reference import reference_data

FOLDER = "CRM_TEST_DATA"


@pytest.fixture
def data() -> Path:
    """The folder of the reference files."""
    return reference_data()


def data_tests_run(environment: Mapping[str, str]) -> bool:
    """Where the files are, and always under CI."""
    return bool(environment.get(FOLDER)) or bool(environment.get("CI"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if data_tests_run(os.environ):  # noqa: TID251  the owner of these variables
        return
    left_out = [item for item in items if item.get_closest_marker("data")]
    items[:] = [item for item in items if not item.get_closest_marker("data")]
    config.hook.pytest_deselected(items=left_out)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not data_tests_run(os.environ):  # noqa: TID251  the owner of these variables
        terminalreporter.write_line(f"tests over reference files left out: {FOLDER} is not set")
