"""Which partition an aggregate lies in: the same on every client, fixed for ever."""

from __future__ import annotations

from functools import lru_cache
from typing import Final
from uuid import UUID

from aiokafka.partitioner import murmur2

PARTITIONS: Final = 12


@lru_cache(maxsize=65_536)
def partition_of(aggregate_id: UUID) -> int:
    """Kafka's default partitioner over the record key, which is the id's canonical text."""
    return int((murmur2(str(aggregate_id).encode()) & 0x7FFFFFFF) % PARTITIONS)
