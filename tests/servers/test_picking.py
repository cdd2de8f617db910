from pathlib import Path

import pytest
from crm_servers import (
    KafkaServer,
    PostgresServer,
    ServerUnavailable,
    choice,
    pick_kafka,
    pick_postgres,
)


@pytest.fixture(autouse=True)
def _nothing_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("CRM_KAFKA", "CRM_POSTGRES", "CRM_SERVERS"):
        monkeypatch.delenv(variable, raising=False)


def test_a_named_postgres_is_taken(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRM_POSTGRES", postgres.dsn)
    picked = pick_postgres(tmp_path).start()
    assert (picked.source, picked.dsn) == ("environment", postgres.dsn)
    picked.close()
    assert postgres.answers()


def test_a_named_kafka_is_taken(
    kafka: KafkaServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRM_KAFKA", kafka.bootstrap)
    picked = pick_kafka(tmp_path).start()
    assert (picked.source, picked.bootstrap) == ("environment", kafka.bootstrap)
    picked.close()
    assert kafka.answers()


def test_what_the_environment_names_is_never_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRM_POSTGRES", "postgresql://somebody@db.example/live")
    with pytest.raises(ServerUnavailable, match="own=True"):
        pick_postgres(tmp_path).kill()


def test_own_passes_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_KAFKA", "broker.example:9092")
    assert choice("CRM_KAFKA") == "environment"
    assert choice("CRM_KAFKA", own=True) in {"docker", "wheel"}


def test_a_dead_engine_means_wheels(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    assert choice("CRM_KAFKA") == "wheel"


@pytest.mark.parametrize(
    ("forced", "remedy"),
    [
        ("podman", "environment, docker or wheel"),
        ("environment", "set CRM_KAFKA"),
        ("docker", "point DOCKER_HOST at it"),
    ],
)
def test_a_source_that_cannot_be_is_refused_with_the_remedy(
    forced: str, remedy: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CRM_SERVERS", forced)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    with pytest.raises(ServerUnavailable, match=remedy):
        choice("CRM_KAFKA")


def test_a_server_that_ended_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_SERVERS", "wheel")
    server = pick_postgres(tmp_path, settings={"shared_buffers": "nonsense"})
    with pytest.raises(ServerUnavailable, match='invalid value for parameter "shared_buffers"'):
        server.start()
