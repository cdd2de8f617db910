from __future__ import annotations

from pathlib import Path

import pytest
from crm_service.settings import ProcessSettings, ServiceSettings, SettingsRefused, read_settings


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*ServiceSettings.model_fields,):
        monkeypatch.delenv(f"CRM_{name.upper()}", raising=False)


def test_defaults_are_a_local_service() -> None:
    settings = read_settings(ServiceSettings)
    assert (settings.host, settings.namespace, settings.timezone) == ("127.0.0.1", "crm", "UTC")
    assert settings.principals().needs_no_token


def test_environment_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given = {
        "PORT": "8123",
        "NAMESPACE": "acme_2",
        "POSTGRES": "postgresql://crm:geheim@db:5432/crm",
        "KAFKA": "one:9092,two:9092",
        "TIMEZONE": "Asia/Shanghai",
        "CURRENCY": "EUR",
        "ALLOWED_HOSTS": "crm.internal, crm",
        "TOKENS_FILE": str(tmp_path / "tokens.json"),
        "HEALTH_PORT": "",
    }
    for name, value in given.items():
        monkeypatch.setenv(f"CRM_{name}", value)
    settings = read_settings(ServiceSettings)
    assert (settings.port, settings.namespace, settings.currency) == (8123, "acme_2", "EUR")
    assert settings.allowed_hosts == ("crm.internal", "crm")
    assert settings.health_port is None
    assert settings.postgres is not None
    assert settings.postgres.get_secret_value().endswith("@db:5432/crm")
    assert "geheim" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("PORT", "70000", "less than or equal to 65535"),
        ("PORT", "http", "valid integer"),
        ("NAMESPACE", "My-Shop", "beginning with a letter"),
        ("POSTGRES", "mysql://root:geheim@db/crm", "postgresql://"),
        ("KAFKA", "broker", "host:port"),
        ("TIMEZONE", "Mars/Olympus", "Europe/Berlin"),
        ("TIMEZONE", "../../etc/passwd", "Europe/Berlin"),
        ("CURRENCY", "Euro", "ISO 4217"),
        ("LOG_LEVEL", "LOUD", "'DEBUG'"),
        ("CRASH_AT", "somewhere", "published"),
        ("CRASH_AT", "saved:0", "1 or more"),
        ("POOL", "0", "greater than or equal to 1"),
    ],
)
def test_nonsense_is_refused_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, reason: str
) -> None:
    monkeypatch.setenv(f"CRM_{name}", value)
    with pytest.raises(SettingsRefused) as refused:
        read_settings(ServiceSettings)
    message = str(refused.value)
    assert message.startswith(f"CRM_{name} does not fit: ")
    assert reason in message
    assert message.endswith(".")
    assert "geheim" not in message


def test_workers_need_no_port() -> None:
    assert "port" not in ProcessSettings.model_fields
