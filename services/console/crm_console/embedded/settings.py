"""What the environment tells the embedded form."""

from __future__ import annotations

from crm_service.settings import ServiceSettings, read_settings


def embedded_settings() -> ServiceSettings:
    """Time zone, currency, address and limits. Raises SettingsRefused."""
    return read_settings(ServiceSettings)
