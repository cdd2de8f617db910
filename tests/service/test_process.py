"""A real process over real sockets: how it starts, refuses to start, drains and ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from crm_events.catalogue import CONTEXTS
from crm_service.tokens import TokenFile

from tests.service.notes import SECRET
from tests.service.test_problems import assert_problem
from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]


def started(role: str, **settings: object) -> subprocess.Popen[str]:
    own = os.environ  # noqa: TID251 (handed to the child explicitly)
    kept = {name: value for name, value in own.items() if not name.startswith("CRM_")}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.service.notes_process", *role.split()],
        cwd=ROOT,
        env={**kept, **{f"CRM_{name.upper()}": str(value) for name, value in settings.items()}},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def line_of(process: subprocess.Popen[str], event: str) -> dict[str, Any]:
    assert process.stdout is not None
    for text in process.stdout:
        line: dict[str, Any] = json.loads(text)
        if line["event"] == event:
            return line
    raise AssertionError(f"no {event}: {process.stderr.read() if process.stderr else ''}")


@contextmanager
def serving(**settings: object) -> Iterator[tuple[subprocess.Popen[str], str]]:
    with started("serve", port=0, **settings) as process:
        try:
            port = line_of(process, "listening")["port"]
            yield process, f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def refused(address: str) -> bool:
    try:
        httpx.get(f"{address}/livez")
    except httpx.TransportError:
        return True
    return False


def in_flight(address: str) -> int:
    text = httpx.get(f"{address}/metrics").text
    found = [line for line in text.splitlines() if line.startswith("crm_http_requests_in_flight ")]
    return int(float(found[0].split()[1])) - 1  # less the request that asks


def test_sigterm_finishes_what_was_begun() -> None:
    with serving() as (process, address), ThreadPoolExecutor(1) as pool:
        slow = pool.submit(httpx.get, f"{address}/v1/failing/slow", timeout=20)
        wait_until(lambda: in_flight(address) == 1, "the slow request runs")
        process.send_signal(signal.SIGTERM)
        wait_until(lambda: refused(address), "new requests are refused")
        assert not slow.done()
        process.send_signal(signal.SIGUSR1)
        assert slow.result().json() == {"released": True}
        assert process.wait(10) == 0


def test_idle_process_ends_at_once() -> None:
    with serving() as (process, address), httpx.Client() as kept_open:
        kept_open.get(f"{address}/livez")
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert time.monotonic() - began < 5


def test_hanging_request_delays_end_ten_seconds_at_most() -> None:
    with serving(pool=1) as (process, address), ThreadPoolExecutor(1) as pool:
        slow = pool.submit(httpx.get, f"{address}/v1/failing/hang", timeout=20)
        wait_until(lambda: in_flight(address) == 1, "the hanging request runs")
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 1
        assert time.monotonic() - began < 13  # three of them for a busy machine
        assert_problem(slow.result(), 503, "unavailable")


def test_public_address_without_tokens_is_refused() -> None:
    with started("serve", host="0.0.0.0", port=0) as process:  # noqa: S104
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (2, "")
    assert err.startswith("notes serve: Refusing to listen on 0.0.0.0 without tokens")
    assert err.count("\n") == 1


def test_public_address_asks_every_request(tmp_path: Path) -> None:
    tokens = TokenFile(tmp_path / "tokens.json")
    _, text = tokens.create("Anna", ["read"], datetime(2026, 3, 1, tzinfo=UTC))
    with serving(host="0.0.0.0", tokens_file=tokens.path) as (_, address):  # noqa: S104
        assert_problem(httpx.get(f"{address}/v1/notes"), 401, "missing-principal")
        found = httpx.get(f"{address}/v1/notes/me", headers={"Authorization": f"Bearer {text}"})
        assert found.json()["name"] == "Anna"


def test_proxy_on_this_machine_speaks_for_no_local_user() -> None:
    with serving() as (_, address):
        headers = {"X-Forwarded-For": "203.0.113.5"}
        answer = httpx.get(f"{address}/v1/notes", headers=headers)
        assert_problem(answer, 401, "missing-principal")
        assert httpx.get(f"{address}/v1/notes").status_code == 200


def test_declared_giant_is_refused_before_it_is_sent() -> None:
    with serving() as (_, address):
        port = int(address.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(
                b"POST /v1/notes HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                b"Content-Length: 99999999\r\n\r\n"
            )
            answer = b"".join(iter(lambda: connection.recv(65_536), b""))
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert b"/problems/too-large" in answer


def test_client_that_leaves_is_no_failure() -> None:
    with serving() as (_, address):
        port = int(address.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(
                b"POST /v1/notes HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                b"Content-Length: 20\r\n\r\n{"
            )
            wait_until(lambda: in_flight(address) == 1, "the request is being read")
        wait_until(lambda: in_flight(address) == 0, "the request is given up")
        assert 'status="499"' in httpx.get(f"{address}/metrics").text
        assert httpx.get(f"{address}/v1/notes").status_code == 200


def test_taken_port_is_told_with_remedy() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        started("serve", port=taken.getsockname()[1]) as process,
    ):
        _, err = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "CRM_PORT" in err
    assert err.count("\n") == 1


def test_nonsense_in_environment_is_told_in_one_line() -> None:
    with started("serve", timezone="Mars") as process:
        _, err = process.communicate(timeout=20)
    assert process.returncode == 2
    assert err == (
        "notes serve: CRM_TIMEZONE does not fit: name a zone of the tz database, such as "
        "Europe/Berlin.\n"
    )


@pytest.mark.parametrize(("arguments", "code"), [("", 2), ("swim", 2), ("--help", 0)])
def test_roles_are_listed(arguments: str, code: int) -> None:
    with started(arguments) as process:
        out, err = process.communicate(timeout=20)
    assert process.returncode == code
    assert "ROLE" in out + err
    if code == 0:
        assert "answer requests about notes" in out


def test_worker_answers_probes_and_flushes_on_sigterm() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with started("follow", health_port=port) as process:
        line_of(process, "following")
        address = f"http://127.0.0.1:{port}"
        wait_until(lambda: not refused(address), "the probes answer")
        assert httpx.get(f"{address}/readyz").json() == {"status": "ok", "checks": {}}
        assert "process_cpu_seconds_total" in httpx.get(f"{address}/metrics").text
        process.send_signal(signal.SIGTERM)
        line_of(process, "flushed")
        assert process.wait(10) == 0


@pytest.mark.parametrize(
    ("role", "told"), [("miss", "the database cannot be reached"), ("break", "KeyError")]
)
def test_failure_is_told_without_its_message(role: str, told: str) -> None:
    with started(role) as process:
        out, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert told in err
    assert err.count("\n") == 1
    assert json.loads(out)["event"] == "role_failed"
    assert SECRET not in out + err


def test_failed_worker_exits_with_failure() -> None:
    with started("fail") as process:
        out, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert json.loads(out.splitlines()[-1])["event"] == "worker_failed"
    assert SECRET not in out + err


def test_who_decides_starts_without_what_only_views_and_migrations_need() -> None:
    """A process that was killed is away until it has imported all it is made of."""
    contexts = ", ".join(f"crm_{context}.__main__" for context in CONTEXTS)
    code = f"import sys, {contexts}; sys.exit(len({{'sqlalchemy', 'alembic'}} & {{*sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
