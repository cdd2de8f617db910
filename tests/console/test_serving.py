"""`crm serve`: where it listens, whom it refuses, and what it says when it begins."""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from crm_console.cli.hosting import Wanted, reachable, settings_for
from crm_console.home import Home

from tests.console.homes import Crm
from tests.support.commanding import program, told
from tests.support.waiting import wait_until

EVERYWHERE = "0.0.0.0"  # noqa: S104 - what is tested is that it is guarded


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_the_command_line_wins_over_the_environment(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("HOST", "127.0.0.2"), ("PORT", "9001"), ("CURRENCY", "CHF")):
        monkeypatch.setenv(f"CRM_{name}", value)
    found = settings_for(home, Wanted())
    assert (found.host, found.port, found.currency) == ("127.0.0.2", 9001, "CHF")
    found = settings_for(home, Wanted(host="::1", port=0))
    assert (found.host, found.port, found.currency) == ("::1", 0, "CHF")


def test_tokens_are_the_homes_unless_named(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CRM_TOKENS_FILE", raising=False)
    assert settings_for(home, Wanted()).tokens_file == home.tokens
    monkeypatch.setenv("CRM_TOKENS_FILE", "/etc/crm/tokens.json")
    assert settings_for(home, Wanted()).tokens_file == Path("/etc/crm/tokens.json")


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("10.0.0.7", "http://10.0.0.7:8000"),
        (EVERYWHERE, "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("::1", "http://[::1]:8000"),
    ],
)
def test_this_machine_is_told_an_address_it_can_reach(host: str, address: str) -> None:
    assert reachable(host, 8000) == address


def test_serving_a_server_makes_no_sense(home: Home) -> None:
    done = Crm.on(home, CRM_SERVER="http://127.0.0.1:1")("serve")
    assert (done.code, done.out) == (2, "")
    assert done.err == "crm: serve works on a home; leave out --server and CRM_SERVER.\n"


def test_a_taken_port_is_told_before_a_sample_is_loaded(home: Home, taken: int) -> None:
    done = Crm.on(home)("serve", "--sample", "--port", str(taken))
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"crm: Cannot listen on 127.0.0.1, port {taken} (")
    assert done.err.count("\n") == 1
    assert home.is_new()
    assert not home.sample_is_half_told()


def test_beyond_this_machine_it_asks_for_tokens_first(home: Home) -> None:
    done = Crm.on(home)("serve", "--sample", "--host", EVERYWHERE)
    assert (done.code, done.out) == (2, "")
    assert "make one with `crm token create NAME`" in done.err
    assert not home.path.exists()


def test_it_shows_the_views_and_serves_until_it_is_told_to_stop(home: Home) -> None:
    log = home.path.with_suffix(".log")
    words = ("--home", str(home.path), "serve", "--port", "0", "--log-file", str(log))
    process = subprocess.Popen(
        [str(program()), *words],
        env=told({}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )

    def address() -> str | None:
        holder = home.holder()
        return holder.address if holder is not None else None

    with process:
        try:
            wait_until(lambda: process.poll() is not None or address() is not None, "serving", 60)
            assert httpx.get(f"{address()}/readyz", timeout=30).status_code == 200
            assert Crm.on(home).view("funnel")["totals"]["units"] == 0
        finally:
            process.terminate()
            out, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    shown = [line.split()[0] for line in out.splitlines() if re.search(r" v\d+ as of ", line)]
    assert shown == ["funnel", "satisfaction", "retention"]
    assert f"Serving {home.path.resolve()} at http://127.0.0.1:" in said
    assert "/openapi/pipeline.json" in out
    assert '"listening"' in log.read_text()
    assert home.holder() is None
