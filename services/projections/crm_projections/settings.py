"""What the environment tells a process of the views."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from crm_service.settings import ServiceSettings, read_settings
from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode


def _names(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _address(text: str | None) -> str | None:
    if text is not None and not text.startswith(("http://", "https://")):
        raise ValueError("give an address such as http://localhost:8000")
    return text.rstrip("/") if text is not None else None


class ProjectionSettings(ServiceSettings):
    """`views` are those that this process keeps up to date, all of them where it is empty; `lag` is
    the number of events beyond which a view is not ready; `instance` tells replicas apart. `server`
    and `server_token_file` are where the contexts tell of their own logs, for replays from the
    stores, and the token to ask with; `columns_folder` is where whoever answers leaves what it has
    read, for the next process, and `columns_mib` how much of it stays in memory: a quarter of the
    machine's or the container's where it is not given."""

    views: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names)] = ()
    lag: Annotated[int, Field(ge=1)] = 10_000
    instance: str | None = None
    server: Annotated[str | None, AfterValidator(_address)] = None
    server_token_file: Path | None = None
    columns_folder: Path | None = None
    columns_mib: Annotated[int, Field(ge=1)] | None = None

    @property
    def columns_bytes(self) -> int | None:
        return None if self.columns_mib is None else self.columns_mib * 2**20


def projection_settings() -> ProjectionSettings:
    """Raises SettingsRefused."""
    return read_settings(ProjectionSettings)
