"""`python -m tests.bench.hello PORT`: FastAPI at its barest, served as our services are."""

from __future__ import annotations

import asyncio
import sys

from crm_service.serving import listen, served
from fastapi import FastAPI
from uvloop import new_event_loop

app = FastAPI()


@app.get("/hello")
async def hello() -> dict[str, str]:
    return {"hello": "world"}


async def main(port: int) -> None:
    async with served(app, listen("127.0.0.1", port)):
        await asyncio.Event().wait()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main(int(sys.argv[1])))
