"""The views' own database: one writer at a time on SQLite, a schema of its own on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any, Final

from crm_events.sql.names import is_postgres, schema_name
from crm_events.sql.postgres import Connections, Limits, connection_info
from psycopg import RawCursor
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.errors import LockNotAvailable
from sqlalchemy import Connection, Dialect, Engine, Select, Table, create_engine, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, OperationalError

from crm_projections.engine.prepared import Rows, prepared

Ask = Callable[[str, Sequence[Any]], Rows]
_LOCK: Final = 0x63726D5F76  # "crm_v": the advisory lock under which tables are made
_PATIENT: Final = text("SELECT set_config('lock_timeout', :patience, false)")
_CLAIM: Final = text("SELECT pg_advisory_lock(hashtextextended(:name, 0))")
_LET_GO: Final = text("SELECT pg_advisory_unlock(hashtextextended(:name, 0))")
_DYING: Final = "2s"
"""As long as the server may take to notice that a client was killed."""
_BUSY_SECONDS: Final = 15
_PATIENCE: Final = 0.8
_LIMITS: Final = Limits(lock=10.0, statement=60.0)


class Database:
    """Transactions on the views' tables. Thread-safe; blocking."""

    def __init__(
        self,
        engine: Engine,
        schema: str | None,
        beside: Path | None = None,
        *,
        connections: Connections | None = None,
    ) -> None:
        """`beside` is a folder for what may be lost, where the database is a file; `connections`
        are those that single statements are asked by, where it is a server."""
        self.beside = beside
        self._connections = connections
        self._ask: Ask = partial(_ask_file, engine)
        self._words: Dialect = sqlite.dialect(paramstyle="qmark")
        if connections is not None:
            self._ask = partial(_ask_server, connections)
            words: Any = type(engine.dialect)
            self._words = words(paramstyle="numeric_dollar")
        self._engine = engine
        self._schema = schema
        self._reading = engine.execution_options(**_snapshot(engine))
        self._claiming, self._claimed = Lock(), set[str]()
        self._writing = engine.execution_options(crm_writes=True)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One unchanging state of everything, however many statements ask."""
        with self._reading.begin() as connection:
            yield connection

    @property
    def on_server(self) -> bool:
        return self._schema is not None

    def ask(self, statement: Select[Any], values: Mapping[str, Any]) -> Rows:
        """The rows of one statement that was made once, which sees one state of everything.
        `values` are those that it leaves open. Raises Unreachable and the driver's own errors."""
        ready = prepared(statement, self._words)
        return ready.rows(self._ask(ready.text, ready.values(values)))

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Commits at the end, or leaves no trace."""
        with self._writing.begin() as connection:
            yield connection

    @contextmanager
    def defining(self) -> Iterator[Connection]:
        """A writing transaction in which tables may be made while others start up too."""
        with self.writing() as connection:
            if self._schema is not None:
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
                connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{self._schema}"'))
            yield connection

    def claim(self, name: str) -> Callable[[], None] | None:
        """Hold what one process at a time may hold: answers how to let go of it, None where
        another has it. Who ends, or loses the connection it holds it by, lets go of it too."""
        if self._schema is not None:
            return self._claim_on_server(f"{self._schema}/{name}")
        with self._claiming:
            if name in self._claimed:
                return None
            self._claimed.add(name)
        return partial(self._claimed.discard, name)

    def _claim_on_server(self, name: str) -> Callable[[], None] | None:
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        connection.detach()  # not lent to others: to close it is to let go
        try:
            connection.execute(_PATIENT, {"patience": _DYING})
            connection.execute(_CLAIM, {"name": name})
        except OperationalError as error:
            connection.close()
            if isinstance(error.orig, LockNotAvailable):
                return None
            raise
        return partial(_let_go, connection, name)

    def ping(self) -> None:
        """Raises SQLAlchemy's OperationalError where the database does not answer."""
        with self._engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        self._engine.dispose()
        if self._connections is not None:
            self._connections.close()


def open_database(place: str | Path, namespace: str, *, connections: int = 10) -> Database:
    """The views' database by its address: a file is SQLite, a `postgresql://` URL PostgreSQL."""
    if is_postgres(place):
        return postgres_database(str(place), namespace, connections=connections)
    return sqlite_database(Path(place), readers=connections)


def sqlite_database(path: Path, *, readers: int = 8) -> Database:
    """Views in one file. What the file system forgets in a power cut, the log tells again."""
    engine = create_engine(
        f"sqlite:///{path}",
        hide_parameters=True,
        pool_size=readers,
        connect_args={"timeout": _BUSY_SECONDS, "isolation_level": None},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return Database(engine, None, path.with_name(f"{path.name}.columns"))


def postgres_database(dsn: str, namespace: str, *, connections: int = 10) -> Database:
    """Views in the schema `<namespace>_projections`; `dsn` as libpq reads it."""
    schema = schema_name(namespace, "projections")
    address = connection_info(dsn, _LIMITS, schema)
    engine = create_engine(
        "postgresql+psycopg://",
        hide_parameters=True,
        pool_size=connections,
        pool_pre_ping=True,
        pool_timeout=_PATIENCE,
        connect_args=conninfo_to_dict(address),
    )
    asking = Connections(make_conninfo(address, options=_once(address)), connections, _PATIENCE)
    return Database(engine, schema, connections=asking)


def _once(address: str) -> str:
    """A statement that is made once is planned once."""
    return f"{conninfo_to_dict(address)['options']} -c plan_cache_mode=force_generic_plan"


def _ask_server(connections: Connections, text: str, values: Sequence[Any]) -> Rows:
    """In the server's own words: those of a long statement the driver would read each time."""
    said = text.encode()
    return connections.reading(
        lambda each: RawCursor(each).execute(said, values, prepare=True).fetchall()
    )


def _ask_file(engine: Engine, text: str, values: Sequence[Any]) -> Rows:
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute(text, values)
        found: Rows = list(cursor.fetchall())
        return found
    finally:
        connection.close()


def _let_go(connection: Connection, name: str) -> None:
    """At once: who only closes a connection is not waited for by the server."""
    try:
        connection.execute(_LET_GO, {"name": name})
    except DBAPIError:
        pass  # the connection is lost, and the claim with it
    finally:
        connection.close()


def insert_new(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert what is not there yet; a row whose key is taken changes nothing."""
    if rows:
        connection.execute(_inserting(connection, table).on_conflict_do_nothing(), rows)


def upsert(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows, or replace the other columns of those whose primary key is taken.

    A key may occur only once in `rows`.
    """
    if not rows:
        return
    statement = _inserting(connection, table)
    keys = [column.name for column in table.primary_key]
    given = [name for name in rows[0] if name not in keys]
    changes = {name: statement.excluded[name] for name in given}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changes), rows)


def _inserting(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    on_server = connection.dialect.name == "postgresql"
    return postgresql.insert(table) if on_server else sqlite.insert(table)


def _snapshot(engine: Engine) -> dict[str, Any]:
    if engine.dialect.name == "sqlite":
        return {}
    return {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


def _prepare_sqlite(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    # Names that are blanked, or whose tables are dropped, are overwritten in the file.
    for pragma in (
        "journal_mode=WAL", "synchronous=NORMAL", "cache_size=-16000", "secure_delete=ON",
    ):  # fmt: skip
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """The driver would begin only at the first write, too late for a snapshot or for order."""
    writes = connection.get_execution_options().get("crm_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
