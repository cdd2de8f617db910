"""Other people's software on the same work in the same run: the ratio is ours by theirs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg.conninfo import conninfo_to_dict

from tests.bench.appends import Appending, warming
from tests.bench.folding import FOLDING
from tests.bench.ground import Ground
from tests.bench.measuring import Bench, NotDone, Sides
from tests.bench.peers.installing import peers_python
from tests.bench.peers.talking import Peer, running
from tests.bench.stores import order, postgres_store


class PeerAppends:
    """The peer's side: the same order as one event, as many writers, followed as ours is."""

    def __init__(self, peer: Peer, appending: Appending) -> None:
        self._peer = peer
        self._appending = appending

    def baseline(self) -> float:
        appending = self._appending
        done = self._peer.ask(writers=appending.threads, seconds=appending.seconds)
        if done["seen"] != done["times"]:
            raise NotDone(f"the peer appended {done['times']} events, its reader saw other ones")
        return float(done["times"] / done["seconds"])


def _appends(id: str, writers: int) -> Bench:
    @contextmanager
    def opened(place: Ground) -> Iterator[Sides]:
        python, folder = peers_python(), place.folder()
        with (
            postgres_store(place) as store,
            place.database() as dsn,
            running(python, "eventsource_appending", folder, _for_asyncpg(dsn)) as peer,
        ):
            appending = Appending(store, order, writers)
            sides = Sides(
                appending.ours, PeerAppends(peer, appending).baseline, proof=appending.proof
            )
            with warming(appending, place):
                sides.ours()
                sides.baseline()
            yield sides

    name = f"append, {writers} writer{'s' if writers > 1 else ''} / eventsource-py"
    return Bench(id, name, "events/s", opened)


def _for_asyncpg(dsn: str) -> str:
    told = conninfo_to_dict(dsn)
    password = f":{told['password']}" if told.get("password") else ""
    place = f"{told['host']}:{told['port']}/{told['dbname']}"
    return f"postgresql+asyncpg://{told['user']}{password}@{place}"


RIVALS = (_appends("peer-append-1", 1), _appends("peer-append-8", 8), FOLDING)
