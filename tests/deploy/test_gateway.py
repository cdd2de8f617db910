"""The gateway as it is deployed: Envoy with its own configuration, before real HTTP servers."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from crm_servers.ports import free_port
from crm_servers.settings import with_ours

from tests.support.waiting import wait_until

START = Path(__file__).parents[2] / "deploy" / "gateway" / "start.py"
SERVICES = ("contacts", "pipeline", "ticketing", "campaigns", "views")


class Service(ThreadingHTTPServer):
    """Answers with its own name and what it was asked, and says whether it is ready."""

    daemon_threads = True

    def __init__(self, name: str, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Answering)
        self.name = name
        self.ready = True
        self.slips = 0  # so many times more it is said not to be ready
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    def is_ready(self) -> bool:
        self.slips -= 1
        return self.ready and self.slips < 0

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Service

    def do_GET(self) -> None:
        status = 503 if self.path == "/readyz" and not self.server.is_ready() else 200
        sent = int(self.headers.get("Content-Length", 0))
        said = {
            "by": self.server.name,
            "path": self.path,
            "host": self.headers["Host"],
            "body": self.rfile.read(sent).decode(),
        }
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 (the names http.server looks for)

    def log_message(self, format: str, *_: object) -> None:
        """Nothing to tell."""


@dataclass
class Gateway:
    client: httpx.Client
    services: dict[str, Service] = field(default_factory=dict)

    def ready(self) -> bool:
        try:
            return self.client.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False


@contextmanager
def _gateway(services: dict[str, Service], more: str = "") -> Iterator[Gateway]:
    """`more` is the address of a second replica of contacts."""
    listen = f"127.0.0.1:{free_port()}"
    told = {f"GATEWAY_{name.upper()}": service.address for name, service in services.items()}
    told["GATEWAY_CONTACTS"] += f",{more}" if more else ""
    process = subprocess.Popen(
        [sys.executable, START], env=with_ours({**told, "GATEWAY_LISTEN": listen})
    )
    try:
        with httpx.Client(base_url=f"http://{listen}", trust_env=False) as client:
            gateway = Gateway(client, services)
            wait_until(gateway.ready, "the gateway is ready")
            yield gateway
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    services = {name: Service(name) for name in SERVICES}
    try:
        with _gateway(services) as running:
            yield running
    finally:
        for service in services.values():
            service.close()


@pytest.mark.parametrize("name", SERVICES)
def test_each_prefix_reaches_its_service(gateway: Gateway, name: str) -> None:
    for path in (f"/v1/{name}", f"/v1/{name}/things?after=contacts/3/7"):
        answer = gateway.client.get(path).json()
        assert (answer["by"], answer["path"]) == (name, path)


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_describes_itself(gateway: Gateway, name: str) -> None:
    answer = gateway.client.get(f"/openapi/{name}.json").json()
    assert (answer["by"], answer["path"]) == (name, "/openapi.json")


def test_a_service_sees_the_host_that_was_asked(gateway: Gateway) -> None:
    answer = gateway.client.get("/v1/contacts", headers={"Host": "crm.example:8443"})
    assert answer.json()["host"] == "crm.example:8443"


def test_a_large_body_streams_through(gateway: Gateway) -> None:
    rows = "x" * 5_000_000
    assert gateway.client.post("/v1/pipeline/imports/deals", content=rows).json()["body"] == rows


@pytest.mark.parametrize("path", ["/", "/v1/contactsx", "/v1/other", "/metrics"])
def test_a_path_of_no_service_is_a_404_problem(gateway: Gateway, path: str) -> None:
    answer = gateway.client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 404


def test_a_slash_in_disguise_is_refused(gateway: Gateway) -> None:
    assert gateway.client.get("/v1/views/..%2f..%2fmetrics").status_code == 400


def test_a_service_that_is_not_ready_is_503_at_once(gateway: Gateway) -> None:
    gateway.services["views"].ready = False
    try:
        wait_until(lambda: not gateway.ready(), "the gateway knows that views is not ready")
        answer = gateway.client.get("/v1/views/funnel")
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
        assert answer.headers["content-type"] == "application/problem+json"
        assert "service views is ready" in answer.json()["detail"]
        assert gateway.client.get("/v1/contacts").json()["by"] == "contacts"
    finally:
        gateway.services["views"].ready = True
    wait_until(gateway.ready, "the gateway is ready again")
    assert gateway.client.get("/v1/views/funnel").json()["by"] == "views"


def test_one_slip_cuts_nobody_off(gateway: Gateway) -> None:
    views = gateway.services["views"]
    views.slips = 1
    answers = []
    while views.slips > -2:  # until it was found ready twice
        answers.append(gateway.client.get("/v1/views/funnel").status_code)
    assert set(answers) == {200}


def test_copies_share_the_work_and_one_may_go(gateway: Gateway) -> None:
    first, second = Service("first"), Service("second")
    with _gateway({**gateway.services, "contacts": first}, second.address) as beside:

        def answering() -> set[str]:
            return {beside.client.get("/v1/contacts").json()["by"] for _ in range(20)}

        wait_until(lambda: answering() == {"first", "second"}, "both copies answer")
        first.close()
        assert answering() == {"second"}
    second.close()


def test_without_an_address_it_says_what_to_set() -> None:
    ended = subprocess.run([sys.executable, START], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "GATEWAY_CONTACTS is not set" in ended.stderr
