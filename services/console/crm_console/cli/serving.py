"""`crm serve`: everything in one process over the home, until it is stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer
from crm_service.logging import configure
from crm_service.serving import listen
from crm_service.serving import serve as serve_app
from crm_service.settings import ServiceSettings

from crm_console.cli.failures import WRONG_USE, explained
from crm_console.cli.output import say, stdout
from crm_console.cli.sampling import tell
from crm_console.cli.session import Target
from crm_console.cli.viewing import print_view
from crm_console.embedded.host import Embedded
from crm_console.embedded.served import served_home
from crm_console.embedded.settings import embedded_settings
from crm_console.home import Home
from crm_console.settling import settle
from crm_console.transport import InProcess, Transport

VIEWS: Final[tuple[tuple[str, dict[str, str]], ...]] = (
    ("funnel", {"mode": "cohort"}),
    ("satisfaction", {}),
    ("retention", {}),
)


def serve(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="Else CRM_HOST, else 127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(help="Else CRM_PORT, else 8000")] = None,
    with_sample: Annotated[
        bool, typer.Option("--sample", help="Fill a new home with a made-up company first")
    ] = False,
    log_file: Annotated[
        Path | None, typer.Option(help="Where the log goes; else crm.log in the home")
    ] = None,
) -> None:
    """Serve the whole CRM from one folder: API, reactions and views in one process.

    Example: crm --home ./data serve --sample
    """
    target: Target = context.obj
    if target.server is not None:
        say("crm: serve works on a home; leave out --server and CRM_SERVER.")
        raise typer.Exit(WRONG_USE)
    with explained():
        settings = _settings(target.home, host, port)
        settings.principals()  # refused before a home is made
        with target.home.held():
            listen(settings.host, settings.port).close()  # and before a sample is loaded
            log = log_file or target.home.path / "crm.log"
            with log.open("a", encoding="utf-8") as stream:
                configure(settings.log_level, stream)
                _greet(target.home, settings, with_sample)
                raise typer.Exit(_serve(target.home, settings))


def _settings(home: Home, host: str | None, port: int | None) -> ServiceSettings:
    settings = embedded_settings()
    given = {"host": host, "port": port, "tokens_file": settings.tokens_file or home.tokens}
    return settings.model_copy(update={k: v for k, v in given.items() if v is not None})


def _greet(home: Home, settings: ServiceSettings, with_sample: bool) -> None:
    """Fill a new home, and show what the views say."""
    new = home.is_new()
    local = settings.model_copy(update={"host": "127.0.0.1", "require_token": False})
    with InProcess(Embedded(home, local)) as transport:
        if with_sample and (new or home.sample_is_half_told()):
            tell(transport, home)
        _show_views(transport)


def _show_views(transport: Transport) -> None:
    settle(transport)
    for name, query in VIEWS:
        print_view(transport.send("GET", f"/v1/views/{name}", query=query))


def _serve(home: Home, settings: ServiceSettings) -> int:
    def listening(bound_host: str, bound_port: int) -> None:
        address = f"http://{bound_host}:{bound_port}"
        home.say(address)
        say(f"Serving {home.path.resolve()} at {address} (Ctrl-C stops it)")
        for name in ("funnel", "satisfaction", "retention"):
            stdout.print(f"  {address}/v1/views/{name}", highlight=False)
        stdout.print(f"  {address}/openapi/pipeline.json and its siblings", highlight=False)

    return serve_app(served_home(Embedded(home, settings)), settings.host, settings.port, listening)
