import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from crm_servers import ServerUnavailable
from crm_servers.jars import KAFKA, Jar, fetch, jar_folder, locked_jars
from jgo.maven import MavenContext

CONTENT = b"not really a jar"
PATH = "org/example/thing/1.0/thing-1.0.jar"


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[MavenContext]:
    """A Maven repository with one jar, served over HTTP."""
    jar = tmp_path / "served" / PATH
    jar.parent.mkdir(parents=True)
    jar.write_bytes(CONTENT)
    answering = partial(SimpleHTTPRequestHandler, directory=tmp_path / "served")
    with ThreadingHTTPServer(("127.0.0.1", 0), answering) as server:
        threading.Thread(target=server.serve_forever).start()
        remote = {"here": f"http://127.0.0.1:{server.server_port}"}
        yield MavenContext(repo_cache=tmp_path / "cache", local_repos=[], remote_repos=remote)
        server.shutdown()


def test_a_jar_with_the_locked_hash_is_taken(repository: MavenContext) -> None:
    jar = Jar("org.example:thing:1.0", hashlib.sha256(CONTENT).hexdigest())
    assert fetch(repository, jar).read_bytes() == CONTENT


def test_a_jar_with_another_hash_is_refused(repository: MavenContext) -> None:
    with pytest.raises(ServerUnavailable, match="do not use that source"):
        fetch(repository, Jar("org.example:thing:1.0", "0" * 64))


def test_a_missing_jar_is_reported_with_the_remedy(repository: MavenContext) -> None:
    with pytest.raises(ServerUnavailable, match="crm_servers warm"):
        fetch(repository, Jar("org.example:other:1.0", "0" * 64))


def test_the_cache_holds_what_the_lock_names() -> None:
    for jar in locked_jars():
        _, name, version = jar.coordinate.split(":")
        content = (jar_folder() / f"{name}-{version}.jar").read_bytes()
        assert hashlib.sha256(content).hexdigest() == jar.sha256


def test_the_lock_is_of_the_version_we_run() -> None:
    assert f"org.apache.kafka:kafka_2.13:{KAFKA}" in {jar.coordinate for jar in locked_jars()}
