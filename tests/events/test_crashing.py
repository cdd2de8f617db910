from __future__ import annotations

import subprocess
import sys

import pytest
from crm_events.crashing import EXIT_CODE, POINTS, UnknownCrashPoint, crash_point, parsed


def ended(armed: str, *passed: str) -> subprocess.CompletedProcess[str]:
    """A process that is armed, passes some points and says so."""
    program = (
        "import sys; from crm_events.crashing import arm, crash_point\n"
        "arm(sys.argv[1])\n"
        "for name in sys.argv[2:]: crash_point(name); print(name, flush=True)"
    )
    return subprocess.run(
        [sys.executable, "-c", program, armed, *passed],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("point", POINTS)
def test_armed_point_ends_the_process(point: str) -> None:
    assert parsed(point) == (point, 1)
    done = ended(point, point)
    assert (done.returncode, done.stdout) == (EXIT_CODE, "")
    assert POINTS[point] in done.stderr


def test_only_the_named_passage_of_the_named_point() -> None:
    done = ended("published:2", "saved", "published", "saved", "published", "published")
    assert done.returncode == EXIT_CODE
    assert done.stdout.split() == ["saved", "published", "saved"]


@pytest.mark.parametrize("text", ["somewhere", "", "published:0", "published:x", "published:-1"])
def test_nonsense_names_what_there_is(text: str) -> None:
    with pytest.raises(UnknownCrashPoint, match="published"):
        parsed(text)


def test_unarmed_nothing_happens() -> None:
    crash_point("saved")
