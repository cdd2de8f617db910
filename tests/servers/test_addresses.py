import pytest
from crm_servers.dsn import url_of
from crm_servers.ports import EPHEMERAL, free_port, is_free
from psycopg.conninfo import conninfo_to_dict


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://crm:p%40ss%2Fw@127.0.0.1:5433/a%20b",
        "host=db dbname=x user=u sslmode=require",
        "postgresql://db/x",
    ],
)
def test_a_dsn_as_a_url_says_the_same(dsn: str) -> None:
    parts = conninfo_to_dict(dsn)
    assert conninfo_to_dict(url_of(parts)) == {key: str(item) for key, item in parts.items()}


def test_a_free_port_lies_outside_what_clients_draw_from() -> None:
    port = free_port()
    assert is_free(port)
    if EPHEMERAL.exists():
        assert port < int(EPHEMERAL.read_text().split()[0])
