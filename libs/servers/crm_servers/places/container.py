"""A server as a container, through testcontainers, on a fixed port that survives a restart."""

import socket
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from docker.constants import DEFAULT_UNIX_SOCKET
from docker.errors import DockerException
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient, get_docker_host

from crm_servers.errors import ServerUnavailable
from crm_servers.places.place import Source

TAIL = 30
PATIENCE = 20


def engine_answers() -> bool:
    """Whether a Docker engine answers where DOCKER_HOST, the context or the default socket says."""
    address = urlsplit(get_docker_host() or DEFAULT_UNIX_SOCKET)
    if address.scheme.endswith("unix") and not _accepts(address.path):
        return False
    try:
        with closing(DockerClient(timeout=PATIENCE).client) as engine:
            return bool(engine.ping())
    except (DockerException, OSError):
        return False


def _accepts(path: str) -> bool:
    """Asked before the Docker client is: that one leaks its socket where nobody listens."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(path) == 0


def engine_host() -> str:
    """The host on which published ports of containers are reached."""
    docker = DockerClient()
    with closing(docker.client):
        host = docker.host()
    return "127.0.0.1" if host == "localhost" else host


@dataclass(frozen=True)
class Image:
    name: str
    inside_port: int
    environment: Mapping[str, str]
    command: Sequence[str] = field(default_factory=tuple)


class ContainerPlace:
    source: Source = "docker"

    def __init__(self, image: Image, port: int) -> None:
        self._image = image
        self._port = port
        self._container: DockerContainer | None = None

    def start(self) -> None:
        try:
            if self._container is None:
                self._container = self._new().start()
            else:
                self._container.get_wrapped_container().start()
        except (DockerException, OSError) as error:
            raise ServerUnavailable(
                f"the Docker engine answers but could not run {self._image.name} ({error}); "
                f"make that image available to it, or set CRM_SERVERS=wheel to do without Docker"
            ) from error

    def _new(self) -> DockerContainer:
        container = DockerContainer(self._image.name).with_envs(**self._image.environment)
        if self._image.command:
            container = container.with_command(list(self._image.command))
        return container.with_bind_ports(self._image.inside_port, self._port)

    def stop(self) -> None:
        if self._container is not None:
            self._container.get_wrapped_container().stop(timeout=PATIENCE)

    def kill(self) -> None:
        if self._container is not None:
            self._container.get_wrapped_container().kill()

    def close(self) -> None:
        container, self._container = self._container, None
        if container is not None:
            container.stop()

    def alive(self) -> bool:
        if self._container is None:
            return False
        wrapped = self._container.get_wrapped_container()
        wrapped.reload()
        return bool(wrapped.status == "running")

    def last_words(self) -> str:
        if self._container is None:
            return ""
        logs: bytes = self._container.get_wrapped_container().logs(tail=TAIL)
        return "its log ends with:\n" + logs.decode(errors="replace")
