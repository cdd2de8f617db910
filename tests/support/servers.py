"""A real Kafka and a real PostgreSQL for tests: which ones is said in pytest's header and summary.

Nothing here skips: where a server cannot be had, the tests that need it fail with the remedy.
"""

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from crm_servers import (
    KafkaServer,
    PostgresServer,
    ServerUnavailable,
    choice,
    pick_kafka,
    pick_postgres,
)

STARTED = pytest.StashKey[list[str]]()
UNSAFE = {"fsync": "off", "full_page_writes": "off"}
"""For a server that outlives every test: what it holds is not for after a power cut."""


def pytest_configure(config: pytest.Config) -> None:
    config.stash[STARTED] = []


def pytest_report_header() -> str:
    return f"servers: Kafka from {_source('CRM_KAFKA')}, PostgreSQL from {_source('CRM_POSTGRES')}"


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for line in config.stash[STARTED]:
        terminalreporter.write_line(line)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """One of several workers hands over what it started."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["servers"] = session.config.stash[STARTED]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker that crashed handed over nothing."""
    handed_over = getattr(node, "workeroutput", {})
    node.config.stash[STARTED] += handed_over.get("servers", [])


def _source(variable: str) -> str:
    try:
        return choice(variable)
    except ServerUnavailable as error:
        return f"nowhere: {error}"


@contextmanager
def scratch_folder(name: str) -> Iterator[Path]:
    """Outside pytest's own folders: pytest closes those to the account PostgreSQL runs as."""
    folder = Path(tempfile.mkdtemp(prefix=f"crm-{name}-"))
    yield folder
    shutil.rmtree(folder)


def _started(config: pytest.Config, server: KafkaServer | PostgresServer) -> None:
    server.start()
    config.stash[STARTED].append(f"{server.name} from {server.source} on {server.address}")


@pytest.fixture(scope="session")
def kafka(pytestconfig: pytest.Config) -> Iterator[KafkaServer]:
    """One broker for all tests; take `namespace` into the names of topics and groups."""
    with scratch_folder("kafka") as folder:
        server = pick_kafka(folder)
        _started(pytestconfig, server)
        yield server
        server.close()


@pytest.fixture(scope="session")
def postgres(pytestconfig: pytest.Config) -> Iterator[PostgresServer]:
    """One PostgreSQL for all tests; take `postgres_dsn` or `postgres_database` from it."""
    with scratch_folder("postgres") as folder:
        server = pick_postgres(folder, settings=UNSAFE)
        _started(pytestconfig, server)
        yield server
        server.close()


@contextmanager
def _database(postgres: PostgresServer) -> Iterator[str]:
    name = f"test_{secrets.token_hex(6)}"
    yield postgres.create_database(name)
    postgres.drop_database(name)


@pytest.fixture(scope="module")
def postgres_dsn(postgres: PostgresServer) -> Iterator[str]:
    """A database of the test module's own, empty when the module starts."""
    with _database(postgres) as dsn:
        yield dsn


@pytest.fixture
def postgres_database(postgres: PostgresServer) -> Iterator[str]:
    """The DSN of a database of the test's own, empty."""
    with _database(postgres) as dsn:
        yield dsn


@pytest.fixture
def namespace() -> str:
    """Fits CRM_NAMESPACE: no other test has the topics, groups and schemas that start with it."""
    return f"t{secrets.token_hex(6)}"


@pytest.fixture(scope="module")
def _kafka_to_break() -> Iterator[KafkaServer]:
    with scratch_folder("own-kafka") as folder:
        server = pick_kafka(folder, own=True)
        yield server
        server.close()


@pytest.fixture(scope="module")
def _postgres_to_break() -> Iterator[PostgresServer]:
    with scratch_folder("own-postgres") as folder:
        server = pick_postgres(folder, own=True)
        yield server
        server.close()


@pytest.fixture
def own_kafka(_kafka_to_break: KafkaServer) -> KafkaServer:
    """A running broker that the test may stop and kill; its module shares it."""
    return _kafka_to_break.start()


@pytest.fixture
def own_postgres(_postgres_to_break: PostgresServer) -> PostgresServer:
    """A running PostgreSQL that the test may stop and kill; its module shares it."""
    return _postgres_to_break.start()
