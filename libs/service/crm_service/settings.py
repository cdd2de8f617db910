"""What the environment tells a service, refused with one clear sentence when it is nonsense."""

from __future__ import annotations

import getpass
import os
import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar
from zoneinfo import ZoneInfo

from crm_events.crashing import parsed
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from crm_service.auditing.desk import AuditPlace
from crm_service.principals import Principals, local_user
from crm_service.tokens import TokenFile

PREFIX: Final = "CRM_"
_BROKER: Final = re.compile(r"(?:[\w.-]+|\[[0-9a-fA-F:]+\]):\d{1,5}", re.ASCII)
S = TypeVar("S", bound=BaseSettings)


class SettingsRefused(Exception):
    """The environment makes no sense; the message says which variable, and what it takes."""


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("name a zone of the tz database, such as Europe/Berlin") from None
    return name


def _dsn(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value().startswith(("postgresql://", "postgres://")):
        raise ValueError("give an address such as postgresql://user:password@host:5432/crm")
    return secret


def _brokers(text: str) -> str:
    if not all(_BROKER.fullmatch(part.strip()) for part in text.split(",")):
        raise ValueError("give one or more host:port, separated by commas")
    return text


def _crash_point(text: str) -> str:
    parsed(text)
    return text


def _matching(pattern: str, remedy: str) -> AfterValidator:
    def check(text: str) -> str:
        if re.fullmatch(pattern, text, re.ASCII) is None:
            raise ValueError(remedy)
        return text

    return AfterValidator(check)


def _listed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return [part.strip() for part in value.split(",") if part.strip()]


def _user_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid{os.getuid()}"


Namespace = Annotated[
    str,
    _matching(r"[a-z][a-z0-9_]{0,30}", "use up to 31 of a-z, 0-9 and _, beginning with a letter"),
]
Origin = Annotated[
    str,
    _matching(
        r"[a-z0-9][a-z0-9._-]{0,80}(/[a-z0-9][a-z0-9._-]{0,80}){0,5}",
        "name the logs of this deployment as in example.com/crm, in small letters",
    ),
]
Currency = Annotated[str, _matching(r"[A-Z]{3}", "use an ISO 4217 code, such as EUR")]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
Dsn = Annotated[SecretStr, AfterValidator(_dsn)]
Brokers = Annotated[str, AfterValidator(_brokers)]
CrashPoint = Annotated[str, AfterValidator(_crash_point)]
Port = Annotated[int, Field(ge=0, le=65_535)]


class ProcessSettings(BaseSettings):
    """What every process of the CRM is told. Read with `read_settings`. `crash_at` is for trying
    out faults: where this process is to die at once. `audit_key_file` names the key that signs
    checkpoints, `audit_origin` begins the logs' names in them, `audit_checkpoints` is a folder or
    an address that they are brought to, and new events are sealed every `audit_seconds`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="ignore"
    )

    namespace: Namespace = "crm"
    host: Annotated[str, StringConstraints(min_length=1, max_length=255)] = "127.0.0.1"
    health_port: Port | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    timezone: TimeZone = "UTC"
    currency: Currency = "USD"
    postgres: Dsn | None = None
    keys: Dsn | None = None
    master_key_file: Path | None = None
    kafka: Brokers | None = None
    crash_at: CrashPoint | None = None
    audit_key_file: Path | None = None
    audit_origin: Origin | None = None
    audit_checkpoints: Annotated[str, StringConstraints(min_length=1)] | None = None
    audit_seconds: Annotated[float, Field(ge=0.1, le=86_400)] = 10.0

    def audit_place(self) -> AuditPlace:
        """What the audit of every context is told."""
        origin, outside = self.audit_origin or self.namespace, self.audit_checkpoints
        return AuditPlace(self.audit_key_file, origin, outside, self.audit_seconds)


class ServiceSettings(ProcessSettings):
    """What a process that serves HTTP is told besides. `pool` is its number of connections, and of
    requests at work at once; `require_token` asks a token even of this machine, as is right behind
    a gateway."""

    port: Port = 8000
    pool: Annotated[int, Field(ge=1, le=256)] = 8
    tokens_file: Path | None = None
    require_token: bool = False
    allowed_hosts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)] = ()

    def principals(self) -> Principals:
        """Who may come in. Raises Unguarded when that would be nobody anybody knows."""
        tokens = TokenFile(self.tokens_file) if self.tokens_file is not None else None
        local = None if self.require_token else local_user(_user_name())
        return Principals(self.host, tokens=tokens, local=local)


def read_settings(kind: type[S]) -> S:
    """The settings of this process. Raises SettingsRefused."""
    try:
        return kind()
    except ValidationError as error:
        sentences = [_sentence(str(e["loc"][0]), e["msg"]) for e in error.errors()]
        raise SettingsRefused(" ".join(sentences)) from None


def _sentence(name: str, message: str) -> str:
    reason = message.removeprefix("Value error, ")
    return f"{PREFIX}{name.upper()} does not fit: {reason[:1].lower()}{reason[1:].rstrip('.')}."
