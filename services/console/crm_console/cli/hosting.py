"""Hosts a home for everybody who may connect, after showing what its views say."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from crm_service.serving import listen
from crm_service.serving import serve as serve_app
from crm_service.settings import ServiceSettings

from crm_console.cli.output import say, stdout
from crm_console.cli.sampling import tell
from crm_console.cli.view_tables import print_view
from crm_console.embedded.host import Embedded
from crm_console.embedded.inside import inside, local_settings, logged
from crm_console.embedded.served import served_home
from crm_console.embedded.settings import embedded_settings
from crm_console.home import Home
from crm_console.settling import settle
from crm_console.transport import Transport

VIEWS: Final[tuple[tuple[str, dict[str, str]], ...]] = (
    ("funnel", {"mode": "cohort"}),
    ("satisfaction", {}),
    ("retention", {}),
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line says; None leaves it to the environment."""

    host: str | None = None
    port: int | None = None
    with_sample: bool = False
    log_file: Path | None = None


def host_home(home: Home, wanted: Wanted) -> int:
    """Serve until told to stop; answers the exit code.

    Raises HomeInUse, HomeUnusable, AddressTaken, SettingsRefused, Unguarded.
    """
    settings = settings_for(home, wanted)
    settings.principals()  # refused before a home is made
    with home.held(), logged(home, settings, wanted.log_file):
        listen(settings.host, settings.port).close()  # and before a sample is loaded
        _greet(home, settings, wanted.with_sample)
        return _serve(home, settings)


def settings_for(home: Home, wanted: Wanted) -> ServiceSettings:
    """What the environment says, what the command line says instead, and the home's own tokens."""
    settings = embedded_settings()
    given = {
        "host": wanted.host,
        "port": wanted.port,
        "tokens_file": settings.tokens_file or home.tokens,
    }
    return settings.model_copy(update={k: v for k, v in given.items() if v is not None})


def _greet(home: Home, settings: ServiceSettings, with_sample: bool) -> None:
    """Fill a new home, and show what the views say."""
    new = home.is_new()
    with inside(home, local_settings(settings)) as transport:
        if with_sample and (new or home.sample_is_half_told()):
            tell(transport, home)
        _show_views(transport)


def _show_views(transport: Transport) -> None:
    settle(transport)
    for name, query in VIEWS:
        print_view(transport.send("GET", f"/v1/views/{name}", query=query))


def _serve(home: Home, settings: ServiceSettings) -> int:
    def listening(bound_host: str, bound_port: int) -> None:
        address = reachable(bound_host, bound_port)
        home.say(address)
        say(f"Serving {home.path.resolve()} at {address} (Ctrl-C stops it)")
        for name, _ in VIEWS:
            stdout.print(f"  {address}/v1/views/{name}", highlight=False, soft_wrap=True)
        stdout.print(f"  {address}/openapi/pipeline.json and its siblings", highlight=False)

    return serve_app(served_home(Embedded(home, settings)), settings.host, settings.port, listening)


def reachable(host: str, port: int) -> str:
    """The address at which this machine reaches who listens on it."""
    address = ip_address(host)
    if address.is_unspecified:
        host = "127.0.0.1" if address.version == 4 else "::1"
    return f"http://[{host}]:{port}" if address.version == 6 else f"http://{host}:{port}"
