"""The two servers as tests and tools see them, wherever they live."""

from abc import ABC, abstractmethod
from typing import Self

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from crm_servers.dsn import url_of
from crm_servers.errors import ServerUnavailable
from crm_servers.places import Place, Source
from crm_servers.waiting import kafka_answers, postgres_answers, wait_until

PORT = 5432


class Server(ABC):
    """Start, stop, kill and restart of one server; port and data stay the same throughout."""

    name = "server"

    def __init__(self, place: Place) -> None:
        self._place = place

    @property
    def source(self) -> Source:
        return self._place.source

    def start(self) -> Self:
        """Returns when the server answers; ServerUnavailable says what to do when it does not."""
        try:
            self._place.start()
            wait_until(self.answers, self.name, self._place)
        except ServerUnavailable:
            self._place.close()
            raise
        return self

    def stop(self) -> None:
        self._place.stop()

    def kill(self) -> None:
        """As SIGKILL: no clean shutdown, nothing flushed by the server itself."""
        self._place.kill()

    def restart(self) -> Self:
        """Up again on the same port and data, after `stop`, after `kill`, or from running."""
        if self._place.alive():
            self._place.stop()
        return self.start()

    def close(self) -> None:
        """Stops a server of ours for good; one that the environment names is left alone."""
        self._place.close()

    def alive(self) -> bool:
        return self._place.alive()

    @abstractmethod
    def answers(self) -> bool:
        """Whether it takes requests now."""

    @property
    @abstractmethod
    def address(self) -> str:
        """Host and port without any password, for people to read."""


class KafkaServer(Server):
    name = "Apache Kafka"

    def __init__(self, place: Place, bootstrap: str) -> None:
        super().__init__(place)
        self.bootstrap = bootstrap

    def answers(self) -> bool:
        return kafka_answers(self.bootstrap)

    @property
    def address(self) -> str:
        return self.bootstrap


class PostgresServer(Server):
    name = "PostgreSQL"

    def __init__(self, place: Place, dsn: str) -> None:
        super().__init__(place)
        self.dsn = dsn

    def answers(self) -> bool:
        return postgres_answers(self.dsn)

    @property
    def address(self) -> str:
        parts = conninfo_to_dict(self.dsn)
        return f"{parts.get('host')}:{parts.get('port', PORT)}"

    def create_database(self, name: str) -> str:
        """The DSN of a new, empty database of that name."""
        self._run(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.dsn_of(name)

    def drop_database(self, name: str) -> None:
        """Drops it with whatever connections it still has; a missing one is no error."""
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        self._run(statement.format(sql.Identifier(name)))

    def dsn_of(self, database: str) -> str:
        """This server's address with another database, as a URL."""
        return url_of({**conninfo_to_dict(self.dsn), "dbname": database})

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(statement)
