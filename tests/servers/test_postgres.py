import psycopg
import pytest
from crm_servers import PostgresServer, pick_postgres

from tests.support.servers import scratch_folder


def _asked(dsn: str, question: str) -> object:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(question).fetchone()
    return row[0] if row else None


def _written(dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute("CREATE TABLE kept (number int)")
        connection.execute("INSERT INTO kept VALUES (7)")


def test_committed_rows_outlive_a_kill(own_postgres: PostgresServer) -> None:
    dsn = own_postgres.create_database("killed")
    _written(dsn)
    own_postgres.kill()
    assert not own_postgres.answers()
    own_postgres.restart()
    assert _asked(dsn, "SELECT number FROM kept") == 7


def test_rows_outlive_stop_and_start(own_postgres: PostgresServer) -> None:
    dsn = own_postgres.create_database("stopped")
    _written(dsn)
    own_postgres.stop()
    assert not own_postgres.alive()
    own_postgres.start()
    assert _asked(dsn, "SELECT number FROM kept") == 7


def test_restart_of_a_running_one_ends_its_sessions(own_postgres: PostgresServer) -> None:
    before = _asked(own_postgres.dsn, "SELECT pg_postmaster_start_time()")
    own_postgres.restart()
    assert _asked(own_postgres.dsn, "SELECT pg_postmaster_start_time()") != before


def test_commits_are_synced_unless_told_otherwise(own_postgres: PostgresServer) -> None:
    assert _asked(own_postgres.dsn, "SHOW fsync") == "on"
    assert _asked(own_postgres.dsn, "SHOW synchronous_commit") == "on"


def test_two_stand_side_by_side_with_own_settings(own_postgres: PostgresServer) -> None:
    with scratch_folder("second-postgres") as folder:
        second = pick_postgres(folder, settings={"max_connections": "17"}, own=True)
        try:
            second.start()
            assert _asked(second.dsn, "SHOW max_connections") == "17"
            assert _asked(own_postgres.dsn, "SHOW max_connections") == "200"
        finally:
            second.close()


def test_a_wrong_password_is_refused(own_postgres: PostgresServer) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(own_postgres.dsn, password="guessed")


def test_a_database_goes_with_its_connections(postgres: PostgresServer) -> None:
    dsn = postgres.create_database("dropped_in_use")
    with psycopg.connect(dsn) as connection:
        postgres.drop_database("dropped_in_use")
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")


def test_each_database_fixture_is_empty(postgres_dsn: str, postgres_database: str) -> None:
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
    assert postgres_dsn != postgres_database
    assert _asked(postgres_dsn, tables) == 0
    assert _asked(postgres_database, tables) == 0
