"""Ctrl-C and kill -9: exit code, one sentence that says how to go on, and going on."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import pytest
import typer
from crm_console.cli.failures import explained
from crm_console.cli.following import worked
from crm_console.cli.output import Output
from crm_console.cli.rebuilding import checked
from crm_console.home import Home
from crm_console.interruption import interruptible
from crm_events.clock import utc_now
from crm_events.crashing import EXIT_CODE
from crm_projections.engine.database import sqlite_database
from crm_projections.jobs.queue import Queue

from tests.console.homes import Crm, opened, tell

JOB = {
    "id": "1",
    "kind": "rebuild",
    "view": "funnel",
    "ahead": 0,
    "events": 7,
    "total": 20,
    "joined": False,
    "continued": None,
    "note": None,
}
VERDICT = {"equal": True, "position": {"pipeline": 7}, "events": 7, "differences": []}
KILLED = (
    "import sys\n"
    "from crm_events.crashing import arm\n"
    "from crm_console.cli.root import app\n"
    "arm(sys.argv.pop(1))\n"
    "app()\n"
)


class FakeTransport:
    """The Transport port to views that work without end; somebody presses Ctrl-C."""

    def __init__(self, kept: bool, done: Sequence[str] = ()) -> None:
        self.job: dict[str, Any] = {**JOB, "kept": kept, "status": "running"}
        self.done = done
        self.posted: list[str] = []
        self.pressed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held."""

    def send(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Mapping[str, Any] | None = None,  # noqa: ARG002
        headers: Mapping[str, str] | None = None,  # noqa: ARG002
    ) -> Any:
        if body is not None and body["view"] in self.done:
            return {**self.job, "view": body["view"], "status": "done", "result": VERDICT}
        if method == "POST":
            self.posted.append(path)
            if path.endswith(":cancel"):
                self.job["status"] = "cancelled"
        elif not self.pressed:
            self.pressed = True
            raise KeyboardInterrupt
        return self.job


def _ended(work: Callable[[], Any], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    with pytest.raises(typer.Exit) as ended, explained():
        work()
    return ended.value.exit_code, capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        (True, "the live view is as it was; crm again goes on where this was."),
        (False, "the live view is as it was; crm again begins anew."),
    ],
)
def test_ctrl_c_has_the_job_end_and_says_how_to_go_on(
    capsys: pytest.CaptureFixture[str], kept: bool, said: str
) -> None:
    transport = FakeTransport(kept)
    code, last = _ended(
        lambda: worked(transport, "crm again", kind="verify", view="funnel"), capsys
    )
    assert (code, last) == (130, f"crm: interrupted; {said}")
    assert transport.posted == ["/v1/views/jobs", "/v1/views/jobs/1:cancel"]


def test_ctrl_c_in_the_second_of_three_checks_tells_of_the_first(
    capsys: pytest.CaptureFixture[str],
) -> None:
    transport = FakeTransport(True, done=["funnel"])
    views = ["funnel", "retention", "names"]
    with pytest.raises(typer.Exit) as ended, explained():
        checked(transport, views, False, Output.JSON)
    shown = capsys.readouterr()
    assert ended.value.exit_code == 130
    assert [(each["view"], each["equal"]) for each in json.loads(shown.out)] == [("funnel", True)]
    assert shown.err.endswith("; crm verify views retention names goes on where this was.\n")


def test_whoever_knows_best_says_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    def press() -> None:
        with interruptible("outside."), interruptible("inside."):
            raise KeyboardInterrupt

    assert _ended(press, capsys) == (130, "crm: interrupted; inside.")


def test_ctrl_c_elsewhere_is_told_too(capsys: pytest.CaptureFixture[str]) -> None:
    def press() -> None:
        raise KeyboardInterrupt

    assert _ended(press, capsys) == (130, "crm: interrupted; what was answered is kept.")


@pytest.mark.parametrize("words", [("rebuild", "funnel"), ("verify", "views", "funnel")])
def test_what_was_killed_is_gone_on_with(tmp_path: Path, words: tuple[str, ...]) -> None:
    """kill -9 of everything in one process, after it had filled a part."""
    home = Home(tmp_path / "home")
    with opened(home) as transport:
        tell(transport)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, "rebuilding:1", "--home", str(home.path), *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert killed.returncode == EXIT_CODE, killed.stderr
    assert Crm.on(home)(*words).code == 0
    database = sqlite_database(home.views)
    done = next(job for job in Queue(database, utc_now).latest(10) if job.status == "done")
    database.close()
    assert 0 < (done.continued or 0) <= done.events
    assert Crm.on(home)("verify", "views", "funnel").code == 0
