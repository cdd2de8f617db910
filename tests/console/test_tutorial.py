"""docs/tutorial.md, run as it stands: the page is the test."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.architecture.checks import ROOT

PAGE: Final = (ROOT / "docs/tutorial.md").read_text()
BLOCKS: Final = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
ENOUGH: Final = 600


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which somebody followed the page, from its first line to its last."""
    folder = tmp_path_factory.mktemp("tutorial")
    (folder / ".venv").symlink_to(Path(sys.executable).parent.parent)
    (folder / "page.sh").write_text("set -eu\n" + "\n".join(BLOCKS))
    told = {"HOME": str(folder), "TMPDIR": str(folder), "PATH": os.environ["PATH"]}  # noqa: TID251
    done = subprocess.run(
        ["bash", "page.sh"],
        check=False,
        cwd=folder,
        env=told,
        capture_output=True,
        text=True,
        timeout=ENOUGH,
    )
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-2_000:]
    (folder / "said").write_text(done.stdout)
    return folder


def test_the_page_can_be_followed(followed: Path) -> None:
    said = (followed / "said").read_text()
    won, lines = re.search(r"won: (\d+)", said), (followed / "won.csv").read_text().splitlines()
    assert won is not None
    assert int(won[1]) == len(lines) - 1 > 0


def test_its_events_add_up_and_its_report_stays(followed: Path) -> None:
    assert len((followed / "moved.csv").read_text().splitlines()) > 1
    cited = (followed / "month.report").read_text().splitlines()[1]
    assert (followed / "again.json").read_text()
    assert cited.startswith("{")


def test_it_finds_what_was_changed(followed: Path) -> None:
    assert "the event is not the one that was sealed" in (followed / "said").read_text()
