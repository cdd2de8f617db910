"""Which source a server comes from: the environment, else Docker, else wheels."""

from collections.abc import Mapping
from pathlib import Path
from typing import get_args

from crm_servers.errors import ServerUnavailable
from crm_servers.kafka import docker_kafka, named_kafka, wheel_kafka
from crm_servers.places import Source
from crm_servers.places.container import engine_answers
from crm_servers.postgres import NO_SETTINGS, docker_postgres, named_postgres, wheel_postgres
from crm_servers.servers import KafkaServer, PostgresServer
from crm_servers.settings import forced_source, named

SOURCES: Mapping[str, Source] = {source: source for source in get_args(Source)}


def choice(variable: str, *, own: bool = False) -> Source:
    """Where the server of CRM_KAFKA or CRM_POSTGRES comes from; CRM_SERVERS forces one source.

    With `own` never from the environment: for tests that kill it.
    """
    forced = forced_source()
    if forced is not None:
        return _checked(forced, variable, own)
    if named(variable) and not own:
        return "environment"
    return "docker" if engine_answers() else "wheel"


def _checked(forced: str, variable: str, own: bool) -> Source:
    source = SOURCES.get(forced)
    if source is None:
        raise ServerUnavailable(
            f"CRM_SERVERS={forced} is not a source; set it to environment, docker or wheel"
        )
    if source == "docker" and not engine_answers():
        raise ServerUnavailable(
            "CRM_SERVERS=docker but no Docker engine answers; start one, point DOCKER_HOST at it, "
            "or unset CRM_SERVERS"
        )
    if source == "environment" and (own or not named(variable)):
        raise ServerUnavailable(
            f"CRM_SERVERS=environment but {variable} is not set or a server of one's own is "
            f"needed; set {variable} or unset CRM_SERVERS"
        )
    return source


def pick_kafka(folder: Path, port: int | None = None, *, own: bool = False) -> KafkaServer:
    """A Kafka not yet started; `folder` is its alone and keeps its data where it is from wheels."""
    source, address = choice("CRM_KAFKA", own=own), named("CRM_KAFKA")
    if source == "environment" and address:
        return named_kafka(address)
    return docker_kafka(port) if source == "docker" else wheel_kafka(folder, port)


def pick_postgres(
    folder: Path,
    port: int | None = None,
    settings: Mapping[str, str] = NO_SETTINGS,
    *,
    own: bool = False,
) -> PostgresServer:
    """A PostgreSQL not yet started; `folder` is its alone, `settings` are added to our own."""
    source, address = choice("CRM_POSTGRES", own=own), named("CRM_POSTGRES")
    if source == "environment" and address:
        return named_postgres(address)
    if source == "docker":
        return docker_postgres(port, settings)
    return wheel_postgres(folder, port, settings)
