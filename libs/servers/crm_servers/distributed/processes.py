"""The distributed form without Docker: processes on loopback over the servers from wheels."""

import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from crm_servers.distributed.folder import Folder
from crm_servers.distributed.readiness import not_ready, wait_for
from crm_servers.distributed.supervising import Supervisor
from crm_servers.distributed.topology import Role, migrations
from crm_servers.distributed.wiring import GATEWAY, Servers, Wiring, command_of, replicas
from crm_servers.errors import ServerUnavailable
from crm_servers.jars import jar_folder
from crm_servers.ports import LOOPBACK, free_port, is_free
from crm_servers.postgres import programs, wheel_postgres
from crm_servers.settings import with_ours
from crm_servers.waiting import kafka_answers, postgres_answers

HOPELESS = 20


class Processes:
    """Everything as processes of this machine. `deploy` is the repository's folder of that name."""

    def __init__(self, folder: Folder, deploy: Path, port: int) -> None:
        self._folder = folder
        self._deploy = deploy
        self._port = port
        self._supervisor = Supervisor(folder.path)
        self._failing: Counter[str] = Counter()

    def running(self) -> bool:
        return self._supervisor.running()

    def up(self, scale: Mapping[str, int]) -> None:
        """Starts everything and returns when all of it is ready. Raises ServerUnavailable."""
        if not is_free(self._port):
            raise ServerUnavailable(
                f"port {self._port} is taken; stop what has it, or set CRM_UP_PORT to a free one"
            )
        jar_folder()
        postgres = wheel_postgres(self._folder.path / "postgres")
        servers = Servers(self._folder.path, free_port(), postgres.dsn)
        wiring = Wiring(self._folder, servers, replicas(scale), self._port)
        self._start(servers, wiring)
        wait_for(lambda: self._pending(wiring), self._remedy)

    def _start(self, servers: Servers, wiring: Wiring) -> None:
        gateway = wiring.gateway(self._deploy)
        print("starting Kafka and PostgreSQL", file=sys.stderr)
        self._supervisor.start([*servers.programs(), *wiring.programs(), gateway])
        wait_for(lambda: self._servers_pending(servers), self._remedy)
        self._make_databases(servers.dsn)
        for role in migrations():
            self._migrate(role, wiring.environment(role))
        self._folder.ensure_tokens(self._new_token)
        print("starting the roles of all services, and the gateway", file=sys.stderr)
        self._supervisor.start_roles()

    def _make_databases(self, dsn: str) -> None:
        password = str(conninfo_to_dict(dsn)["password"])
        script = self._deploy / "postgres" / "databases.sql"
        command = [
            str(programs() / "psql"),
            "--no-psqlrc",
            "--quiet",
            "--set",
            "ON_ERROR_STOP=1",
            "--file",
            str(script),
            dsn.replace(f":{password}@", "@"),
        ]
        told = with_ours({**self._folder.passwords(), "PGPASSWORD": password})
        done = subprocess.run(command, env=told, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ServerUnavailable(f"{script} failed; mend what it says: {done.stderr.strip()}")

    def _migrate(self, role: Role, told: Mapping[str, str]) -> None:
        print(f"migrating {role.service}", file=sys.stderr)
        log = self._folder.logs / f"{role.name}.log"
        with log.open("w") as output:
            done = subprocess.run(
                command_of(role), env=with_ours(told), stdout=output, stderr=output, check=False
            )
        if done.returncode != 0:
            raise ServerUnavailable(f"{role.name} failed; {self._remedy(role.name)}")

    def _new_token(self, words: Sequence[str]) -> str:
        command = [str(Path(sys.executable).with_name("crm")), *words]
        told = with_ours({"CRM_HOME": str(self._folder.path)})
        done = subprocess.run(command, env=told, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ServerUnavailable(f"`crm token create` failed: {done.stderr.strip()}")
        return done.stdout

    def _servers_pending(self, servers: Servers) -> dict[str, str]:
        self._raise_if_hopeless()
        answers = {
            "kafka": kafka_answers(servers.bootstrap),
            "postgres": postgres_answers(servers.dsn),
        }
        return {name: "no answer yet" for name, answered in answers.items() if not answered}

    def _pending(self, wiring: Wiring) -> dict[str, str]:
        self._raise_if_hopeless()
        gateway = f"http://{LOOPBACK}:{self._port}/readyz"
        return not_ready({**wiring.probes(), GATEWAY: gateway})

    def _raise_if_hopeless(self) -> None:
        """One that ends at once may only have come too early; seen often, it will not come up."""
        for name, reason in self._supervisor.failing().items():
            self._failing[name] += 1
            if self._failing[name] >= HOPELESS:
                raise ServerUnavailable(f"{name} does not start ({reason}); {self._remedy(name)}")

    def _remedy(self, name: str) -> str:
        log = self._folder.logs / f"{name}.log"
        return f"read {log}, mend what it says, then `make down` and `make up` again"

    def down(self) -> None:
        """Stops what `up` started here, however far it came; all data stays."""
        if self.running():
            self._supervisor.stop()

    def forget(self) -> None:
        """All data is in the folder, which the caller removes."""
