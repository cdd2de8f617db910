"""`crm serve` over a home: who may hold it, who may speak to it, and how it ends."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from crm_servers.ports import free_port

from tests.e2e.speaking import Serving, problem_of, serving, speaking
from tests.support.commanding import Crm

EVERYWHERE = "0.0.0.0"  # noqa: S104 (what is tested is that it is guarded)
LEAD = {"name": "Ada", "source": "web"}


def crm_on(home: Path) -> Crm:
    return Crm(("--home", str(home)))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(tmp_path_factory.mktemp("served") / "home") as process:
        process.wait_listening()
        yield process


def sentence(text: str) -> str:
    """What was said, which has to be one line that names its speaker."""
    lines = text.strip().splitlines()
    assert len(lines) == 1, text
    assert lines[0].startswith("crm: "), text
    return lines[0]


def test_second_command_goes_over_http(served: Serving) -> None:
    with speaking(served.wait_listening()) as client:
        before = client.get("/v1/contacts/position").json()["sequence"]
        lead = client.post("/v1/contacts/leads", json=LEAD)
        assert lead.status_code == 201
        shown = crm_on(served.home).view("funnel", "--set", "pipeline=leads")
        assert shown["totals"]["units"] >= 1
        assert shown["position"]["contacts"] > before
    assert served.process.poll() is None


def test_second_command_writes_through_the_server(served: Serving, tmp_path: Path) -> None:
    file = tmp_path / "staff.csv"
    file.write_text("name,team\nGrace,north\n")
    done = crm_on(served.home)("import", "staff", file, "-o", "json")
    assert (done.code, done.json["accepted"]) == (0, 1)
    requests = (served.home / "crm.log").read_text()
    assert "/v1/contacts/imports/" in requests


def test_second_serve_on_a_home_is_refused(served: Serving) -> None:
    done = crm_on(served.home)("serve", "--port", "0")
    assert done.code == 1
    said = sentence(done.err)
    assert f"in use by process {served.process.pid}" in said
    assert "--home" in said


def test_taken_port_is_refused(served: Serving, tmp_path: Path) -> None:
    port = served.wait_listening().rpartition(":")[2]
    done = crm_on(tmp_path / "home")("serve", "--port", port)
    assert done.code == 1
    assert f"port {port}" in sentence(done.err)
    assert not (tmp_path / "home" / "contacts.db").exists()


def test_beyond_loopback_without_token_is_refused(tmp_path: Path) -> None:
    done = crm_on(tmp_path / "home")("serve", "--host", EVERYWHERE, "--port", str(free_port()))
    assert done.code == 2
    assert "crm token create" in sentence(done.err)
    assert not (tmp_path / "home").exists()


def test_beyond_loopback_takes_tokens_and_nobody_else(tmp_path: Path) -> None:
    home, port = tmp_path / "home", free_port()
    token = crm_on(home)("token", "create", "reporting").out.strip()
    with serving(home, "--host", EVERYWHERE, "--port", str(port)) as served:
        served.wait_listening()
        address = f"http://127.0.0.1:{port}"
        with speaking(address) as nobody, speaking(address, "crm_000000000000_wrong") as wrong:
            problem_of(nobody.get("/v1/views/funnel"), 401, "missing-principal")
            problem_of(wrong.post("/v1/contacts/leads", json=LEAD), 401, "missing-principal")
        with speaking(address, token) as known:
            assert known.post("/v1/contacts/leads", json=LEAD).status_code == 201
            assert known.get("/v1/views/funnel").status_code == 200
        through = Crm((), {"CRM_SERVER": address, "CRM_TOKEN": token})
        assert through.view("funnel", "--set", "pipeline=leads")["totals"]["units"] == 1
        refused = Crm((), {"CRM_SERVER": address})("view", "funnel")
        assert (refused.code, refused.out) == (2, "")
        assert "token" in sentence(refused.err)


def test_sigterm_ends_it_well_within_ten_seconds(tmp_path: Path) -> None:
    with serving(tmp_path / "home") as served, speaking(served.wait_listening()) as client:
        assert client.post("/v1/contacts/leads", json=LEAD).status_code == 201
        began = time.monotonic()
        served.process.terminate()
        assert served.process.wait(10) == 0
        assert time.monotonic() - began < 10
        with pytest.raises(httpx.TransportError):
            client.get("/livez")
    shown = crm_on(tmp_path / "home").view("funnel", "--set", "pipeline=leads")
    assert shown["totals"]["units"] == 1


def test_unreachable_server_is_one_sentence() -> None:
    server = f"http://127.0.0.1:{free_port()}"
    done = Crm((), {"CRM_SERVER": server})("view", "funnel")
    assert (done.code, done.out) == (1, "")
    assert server in sentence(done.err)
