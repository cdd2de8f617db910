"""Reference data is real and not ours to publish, so tests find it by CRM_TEST_DATA."""

import os
from pathlib import Path

import pytest


def reference_data(*parts: str) -> Path:
    """A file or folder of the reference data; without it the test fails in CI, else skips aloud."""
    folder = os.environ.get("CRM_TEST_DATA")  # noqa: TID251  the owner of this variable
    if folder and (path := Path(folder, *parts)).exists():
        return path
    reason = f"set CRM_TEST_DATA to the folder that holds {'/'.join(parts)} (now: {folder})"
    if os.environ.get("CI"):  # noqa: TID251  set by the programs that run .ci/run
        pytest.fail(reason)
    pytest.skip(reason)
