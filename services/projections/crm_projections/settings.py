"""What the environment tells a process of the views."""

from __future__ import annotations

from typing import Annotated, Any

from crm_service.settings import ServiceSettings, read_settings
from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode


def _names(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


class ProjectionSettings(ServiceSettings):
    """`views` are those that this process keeps up to date, all of them where it is empty; `lag` is
    the number of events beyond which a view is not ready; `instance` tells replicas apart."""

    views: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names)] = ()
    lag: Annotated[int, Field(ge=1)] = 10_000
    instance: str | None = None


def projection_settings() -> ProjectionSettings:
    """Raises SettingsRefused."""
    return read_settings(ProjectionSettings)
