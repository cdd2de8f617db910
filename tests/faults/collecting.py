"""Evidence of a deployment that has come to rest: stores, topics, views, and what is open."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

import psycopg
from aiokafka import AIOKafkaConsumer, TopicPartition
from crm_events.catalogue import events_topic
from crm_events.envelope import WATERMARK
from crm_events.partitions import PARTITIONS
from crm_events.store.port import EventRecorder
from crm_projections.engine.generation import find_live
from crm_projections.engine.position import load_states
from crm_projections.engine.tables import LETTERS
from sqlalchemy import select

from tests.faults.checkpoints import checkpoints
from tests.faults.evidence import Bound, Evidence, LaneRow, Parked, Published, Stored
from tests.faults.hashing import leaf
from tests.faults.rebuilt import table_sums
from tests.faults.settling import Beside

INJECTED: Final = "injected"
"""A header of records that a scenario puts on a topic, where no relay would."""
_PAGE: Final = 5_000
_SECONDS: Final = 60.0
_LONGEST_IDLE: Final = 5.0


def collected(place: Beside, *, rebuilt: Sequence[str] = ("store",)) -> Evidence:
    """Everything but operations and healings. `rebuilt` says what to compute the views anew from;
    where no projection runs there are none."""
    evidence = Evidence(stored=list(stored_of(place.recorders)))
    if place.deployment.publishing:
        evidence.published = asyncio.run(published(place))
    if any(name.startswith("projections-views") for name in place.deployment.roles):
        evidence.lanes, evidence.parked = list(lanes(place)), list(parked(place))
        evidence.sums = table_sums(place, rebuilt)
    evidence.bounds = idle_in_transaction(place)
    evidence.sealed = list(checkpoints(place))
    return evidence


def body_hash(data: bytes) -> str:
    return blake2b(data, digest_size=8).hexdigest()


def stored_of(recorders: Mapping[str, EventRecorder]) -> Iterator[Stored]:
    """Every event of every store."""
    for context, recorder in recorders.items():
        after = 0
        while envelopes := recorder.read_log(after, _PAGE).envelopes:
            after = envelopes[-1].sequence
            for e in envelopes:
                yield Stored(
                    context,
                    e.sequence,
                    e.partition,
                    str(e.id),
                    str(e.aggregate_id),
                    e.aggregate_version,
                    str(e.command_id),
                    e.type.split(".")[2],
                    body_hash(e.data),
                    leaf(e),
                )


async def published(place: Beside) -> list[Published]:
    """Every event on the topics, from their beginning to their present end."""
    namespace = place.deployment.namespace
    contexts = {events_topic(namespace, c): c for c in place.deployment.publishing}
    partitions = [TopicPartition(t, number) for t in contexts for number in range(PARTITIONS)]
    consumer = AIOKafkaConsumer(
        bootstrap_servers=place.deployment.straight_kafka,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    found: list[Published] = []
    async with asyncio.timeout(_SECONDS), consumer:
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        await consumer.seek_to_beginning(*partitions)
        while [p for p, end in ends.items() if await consumer.position(p) < end]:
            for partition, records in (await consumer.getmany(timeout_ms=500)).items():
                place_of = (contexts[partition.topic], partition.partition)
                found += [read for r in records if (read := _published(place_of, r)) is not None]
    return found


def _published(lane: tuple[str, int], record: Any) -> Published | None:
    """None for what is no event of ours: watermarks."""
    told = dict(record.headers)
    if told.get("ce_type") == WATERMARK.encode() or "ce_id" not in told or INJECTED in told:
        return None
    return Published(
        *lane,
        record.offset,
        int(told["ce_sequence"]),
        int(told["ce_prevsequence"]),
        told["ce_id"].decode(),
        told["ce_subject"].decode(),
        int(told["ce_aggregateversion"]),
        body_hash(record.value or b""),
    )


def lanes(place: Beside) -> Iterator[LaneRow]:
    """The live position rows of every view."""
    with place.views.database.reading() as connection:
        for view in place.views.all:
            live = find_live(connection, view)
            states = {} if live is None else load_states(connection, live)
            for lane, state in states.items():
                yield LaneRow(
                    view.definition.id,
                    lane.context,
                    lane.partition,
                    state.sequence,
                    state.digest,
                    state.applied,
                    state.parked,
                    state.skipped,
                )


def parked(place: Beside) -> Iterator[Parked]:
    """The dead letters of live generations that nobody has decided on. Strays, which have no place
    in a lane, are not counted among its events, and are left out."""
    with place.views.database.reading() as connection:
        live = {view.definition.id: find_live(connection, view) for view in place.views.all}
        rows = connection.execute(select(LETTERS).where(LETTERS.c.status == "parked")).all()
    for row in rows:
        generation = live.get(row.view)
        if generation is None or generation.number != row.generation or row.event_id is None:
            continue
        ids = (str(UUID(str(row.event_id))), str(UUID(str(row.aggregate_id))))
        yield Parked(row.view, row.context, *ids, row.kind)


def idle_in_transaction(place: Beside) -> list[Bound]:
    """Sessions that hold a transaction open and do nothing in it. For I9."""
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%%' "
        "AND state_change < clock_timestamp() - make_interval(secs => %s)"
    )
    dsn = place.deployment.straight
    with psycopg.connect(dsn, autocommit=True) as connection:
        row = connection.execute(query, [_LONGEST_IDLE]).fetchone()
    return [Bound("sessions idle in a transaction for 5 s", float(row[0]) if row else 0.0, 0)]
