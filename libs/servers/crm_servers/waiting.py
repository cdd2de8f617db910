"""Waiting for a server: until it answers, it ends, or the deadline passes."""

import asyncio
import socket
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import psycopg
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from crm_servers.errors import ServerUnavailable
from crm_servers.places import Place

Answer = TypeVar("Answer")
PAUSE = 0.05
DEADLINE = 60.0


def wait_until(answers: Callable[[], bool], name: str, place: Place) -> None:
    """Returns when `answers`; ServerUnavailable when the server ended or a minute went by."""
    deadline = time.monotonic() + DEADLINE
    while not answers():
        if not place.alive():
            raise ServerUnavailable(f"{name} ended while starting; {place.last_words()}")
        if time.monotonic() > deadline:
            raise ServerUnavailable(
                f"{name} did not answer within {DEADLINE:.0f} s; {place.last_words()}"
            )
        time.sleep(PAUSE)  # noqa: TID251 (this is the waiter)


def postgres_answers(dsn: str) -> bool:
    try:
        psycopg.connect(dsn, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def kafka_answers(bootstrap: str) -> bool:
    """Whether a broker has joined its cluster and answers, not only whether the port is open."""
    return any(map(_listens, bootstrap.split(","))) and _outside_any_loop(_has_broker(bootstrap))


def _listens(address: str) -> bool:
    host, _, port = address.strip().rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=2).close()
    except OSError:
        return False
    return True


async def _has_broker(bootstrap: str) -> bool:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=5_000)
    try:
        await admin.start()
        return bool((await admin.describe_cluster())["brokers"])
    except (KafkaError, OSError):
        return False
    finally:
        await admin.close()


def _outside_any_loop(work: Coroutine[None, None, Answer]) -> Answer:
    """Runs `work` to its end also where the caller is itself called from an event loop."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, work).result()
