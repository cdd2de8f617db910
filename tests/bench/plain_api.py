"""`python -m tests.bench.plain_api`: a FastAPI service that does nothing but insert a row.

What it shares with ours is what serves ours too: uvicorn as configured there, one worker, the pool
of connections, as many threads, the collector spared. What it has not is all the rest: no
middleware, no principals, no Idempotency-Key, no aggregate, no envelope, no log lines.
"""

from __future__ import annotations

import os
import sys
from typing import Final

from anyio.to_thread import current_default_thread_limiter
from crm_events.sql.postgres import Connections, Limits, connection_info
from crm_service.collector import spare_the_collector
from crm_service.serving import serve
from fastapi import FastAPI, Response
from pydantic import BaseModel

THREADS: Final = 8
_INSERT: Final = "INSERT INTO raw (key, value) VALUES (%s, %s) RETURNING id"


class Row(BaseModel):
    key: int
    value: str


class Stored(BaseModel):
    id: int


def app(dsn: str) -> FastAPI:
    limits = Limits()
    connections = Connections(connection_info(dsn, limits), THREADS, limits.connection)
    plain = FastAPI()

    @plain.get("/readyz")
    async def ready() -> Response:
        current_default_thread_limiter().total_tokens = THREADS
        return Response()

    @plain.post("/rows", status_code=201)
    def insert(row: Row) -> Stored:
        with connections.borrow() as connection:
            found = connection.execute(_INSERT, (row.key, row.value)).fetchone()
        return Stored(id=found[0] if found else 0)

    return plain


if __name__ == "__main__":
    spare_the_collector()
    told = os.environ  # noqa: TID251 (a program of its own, told as ours are)
    sys.exit(serve(app(told["CRM_POSTGRES"]), "127.0.0.1", int(told["CRM_PORT"])))
