import subprocess
import sys

import pytest

from tests.architecture.checks import ROOT
from tests.support.data import data_tests_run

DATA_TESTS = "tests/console/importing/test_reference_files.py"


def outcome(**environment: str) -> tuple[int, str]:
    """Exit code and output of the data tests in an environment of their own."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", DATA_TESTS]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True
    )
    return done.returncode, done.stdout


def test_without_files_one_line_says_what_was_left_out() -> None:
    code, output = outcome()
    assert code == pytest.ExitCode.NO_TESTS_COLLECTED
    told = [line for line in output.splitlines() if "CRM_TEST_DATA" in line]
    assert told == ["tests over reference files left out: CRM_TEST_DATA is not set"]


def test_without_files_they_fail_under_ci() -> None:
    code, output = outcome(CI="true")
    assert code == pytest.ExitCode.TESTS_FAILED
    assert "set CRM_TEST_DATA to the folder" in output


@pytest.mark.parametrize(
    ("environment", "run"),
    [({}, False), ({"CRM_TEST_DATA": "somewhere"}, True), ({"CI": "true"}, True)],
    ids=["neither", "files", "ci"],
)
def test_data_tests_run_with_files_or_under_ci(environment: dict[str, str], run: bool) -> None:
    assert data_tests_run(environment) is run
