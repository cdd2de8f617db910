"""Who listens where, and what every process is told, when all of them share one machine."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from crm_servers.distributed.folder import Folder
from crm_servers.distributed.supervising import ROLES, SERVERS, Program
from crm_servers.distributed.topology import Role, roles
from crm_servers.dsn import url_of
from crm_servers.ports import LOOPBACK, free_port

GATEWAY = "gateway"


@dataclass(frozen=True)
class Servers:
    """Where Kafka and PostgreSQL are; `dsn` is that of PostgreSQL's owner."""

    folder: Path
    kafka_port: int
    dsn: str

    @property
    def bootstrap(self) -> str:
        return f"{LOOPBACK}:{self.kafka_port}"

    @property
    def postgres_port(self) -> str:
        return str(conninfo_to_dict(self.dsn)["port"])

    def programs(self) -> list[Program]:
        ports = {"kafka": str(self.kafka_port), "postgres": self.postgres_port}
        return [
            Program(
                name,
                SERVERS,
                _python("crm_servers", name, "--folder", str(self.folder / name), "--port", port),
            )
            for name, port in ports.items()
        ]


@dataclass(frozen=True)
class Replica:
    role: Role
    number: int
    port: int

    @property
    def name(self) -> str:
        return self.role.name if self.number == 1 else f"{self.role.name}-{self.number}"


def replicas(scale: Mapping[str, int]) -> list[Replica]:
    """Every process of every role, each with a port of its own."""
    return [
        Replica(role, number, free_port())
        for role in roles()
        for number in range(1, scale.get(role.name, 1) + 1)
    ]


class Wiring:
    """`port` is where the gateway listens."""

    def __init__(
        self, folder: Folder, servers: Servers, copies: Sequence[Replica], port: int
    ) -> None:
        self._folder = folder
        self._servers = servers
        self._copies = copies
        self._port = port

    def environment(self, role: Role, port: int | None = None) -> dict[str, str]:
        """What a process of this role is told; `port` is where it listens, if it does."""
        signing, checking = self._folder.ensure_audit_keys()
        told = {
            "CRM_KAFKA": self._servers.bootstrap,
            "CRM_POSTGRES": self._dsn(role.database),
            "CRM_KEYS": self._dsn("keys"),
            "CRM_MASTER_KEY_FILE": str(self._folder.ensure_master_key()),
            "CRM_AUDIT_KEY_FILE": str(signing if role.action == "relay" else checking),
            "CRM_AUDIT_CHECKPOINTS": str(self._folder.path / "checkpoints"),
            "CRM_COLUMNS_FOLDER": str(self._folder.path / "columns"),
            "CRM_TOKENS_FILE": str(self._folder.tokens),
            "CRM_REQUIRE_TOKEN": "true",
            "CRM_HOST": LOOPBACK,
            **(self._stores() if role.reads_stores else {}),
            **role.environment,
        }
        return (
            told if port is None else {**told, "CRM_PORT": str(port), "CRM_HEALTH_PORT": str(port)}
        )

    def _stores(self) -> dict[str, str]:
        token = self._folder.projections_token
        address = f"http://{LOOPBACK}:{self._port}"
        return {"CRM_SERVER": address, "CRM_SERVER_TOKEN_FILE": str(token)}

    def _dsn(self, database: str) -> str:
        name = f"crm_{database}"
        password = self._folder.passwords()[f"CRM_{database.upper()}_PASSWORD"]
        owner = conninfo_to_dict(self._servers.dsn)
        return url_of({**owner, "user": name, "password": password, "dbname": name})

    def programs(self) -> list[Program]:
        return [
            Program(copy.name, ROLES, command_of(copy.role), self._told(copy))
            for copy in self._copies
        ]

    def _told(self, copy: Replica) -> dict[str, str]:
        """Under a name of its own a copy that comes back has its lanes again at once."""
        return {**self.environment(copy.role, copy.port), "CRM_INSTANCE": copy.name}

    def gateway(self, deploy: Path) -> Program:
        told = {"GATEWAY_LISTEN": f"{LOOPBACK}:{self._port}"}
        for copy in self._copies:
            if copy.role.is_api:
                name = f"GATEWAY_{copy.role.path.upper()}"
                told[name] = ",".join(filter(None, [told.get(name), f"{LOOPBACK}:{copy.port}"]))
        return Program(GATEWAY, ROLES, [sys.executable, str(deploy / "gateway" / "start.py")], told)

    def probes(self) -> dict[str, str]:
        return {copy.name: f"http://{LOOPBACK}:{copy.port}/readyz" for copy in self._copies}


def command_of(role: Role) -> list[str]:
    return _python(f"crm_{role.service}", role.action)


def _python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]
