"""The end of a run: faults cease, everything that can be done is done, and evidence is taken."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from functools import partial
from hashlib import sha256
from uuid import NAMESPACE_URL, UUID, uuid5

from crm_events.application import ContextApplication
from crm_events.catalogue import events_topic
from crm_events.codec import Slot
from crm_events.contracts.pipeline import OrderPlaced
from crm_events.envelope import Envelope, from_headers
from crm_events.feed.kafka_records import watermark_of
from crm_events.feed.reactor import TrackedPositions
from crm_events.feed.store import StoreFeed
from crm_events.relay.written import mark_in
from crm_projections.engine.filling import RebuildFailed, Source
from crm_projections.engine.generation import find_live, open_generation
from crm_projections.engine.parking import parked_letters
from crm_projections.engine.position import load_states
from crm_projections.engine.runner import MakeFeed
from crm_projections.engine.verifying import NeverEqual, verify
from sqlalchemy import select

from tests.faults.evidence import (
    Evidence,
    Healing,
    LaneRow,
    Operation,
    Parked,
    Poison,
    Published,
    Stored,
    TableSum,
)
from tests.faults.invariants import Verdict, check, topics_hold_what_stores_hold
from tests.faults.sim.kafka import NAMESPACE
from tests.faults.sim.shop import POISON, REACTIONS, TOO_DEAR, reactions, reminder
from tests.faults.sim.world import World

_LIMIT = 120.0
_STEP = 0.5
_WHOLE = 2**40
VIEW = "orders"


def settle(world: World, limit: float = _LIMIT) -> Healing:
    """Heal everything, send again what nobody has heard of, and wait until all is done."""
    kafka = world.kafka
    kafka.refusals = kafka.lost_acks = kafka.repeats = 0
    kafka.down, world.jump = False, timedelta()
    world.database.fails_in = 0
    world.thaw()
    began = world.loop.time()
    while world.loop.time() - began < limit:
        world.loop.let(_STEP)
        for number in world.customers.unknown():
            world.customers.send(number)
        if not world.customers.unknown() and quiet(world):
            return Healing("everything", world.loop.time() - began, limit)
    return Healing("everything", None, limit)


def quiet(world: World) -> bool:
    """Whether nothing is left to be done: published, viewed, reacted to, reminded of."""
    head = world.store.safe_position()
    reacted = TrackedPositions(world.contacts, reactions()).complete_to("pipeline")
    return (
        world.store.relay_state().position == head
        and all(row.sequence == last for row, last in _reached(world))
        and reacted >= head
        and world.contacts.next_due() is None
        and is_live(world)
        and not world.rebuilding()
    )


def is_live(world: World) -> bool:
    """Whether the view has tables yet."""
    with world.database.reading() as connection:
        return find_live(connection, world.view) is not None


def _reached(world: World) -> list[tuple[LaneRow, int]]:
    lasts = world.store.last_in_partitions(_WHOLE)
    rows = {row.partition: row for row in lane_rows(world)}
    absent = LaneRow(VIEW, "pipeline", -1, 0, 0, 0, 0, 0)
    return [(rows.get(partition, absent), last) for partition, last in lasts.items()]


# --- evidence ---


def judged(world: World, limit: float = _LIMIT) -> dict[str, Verdict]:
    """Settle within `limit` seconds of virtual time, and check every invariant."""
    healing = settle(world, limit)
    evidence = taken(world)
    evidence.healings.append(healing)
    verdicts = check(evidence)
    own = Evidence(
        stored=[event for event in evidence.stored if event.context == "pipeline"],
        published=evidence.published,
    )
    verdicts["I6"] = topics_hold_what_stores_hold(own)
    facts_are_there_once(world, evidence, verdicts["I2"])
    return verdicts


def taken(world: World) -> Evidence:
    log = _log(world.orders)
    return Evidence(
        operations=[*world.customers.operations.values(), *_caused(world, log)],
        stored=[_stored(each) for each in (*log, *_log(world.buyers))],
        published=_published(world),
        lanes=lane_rows(world),
        sums=_sums(world),
        parked=_parked(world),
        poison=_poison(world, log),
        readings=world.readings,
    )


def _log(app: ContextApplication) -> list[Envelope]:
    return list(app.recorder.read_log(0, 1_000_000).envelopes)


def _stored(envelope: Envelope) -> Stored:
    return Stored(
        envelope.context,
        envelope.sequence,
        envelope.partition,
        str(envelope.id),
        str(envelope.aggregate_id),
        envelope.aggregate_version,
        str(envelope.command_id),
        envelope.type,
        sha256(envelope.data).hexdigest(),
    )


def _amount(world: World, envelope: Envelope) -> int:
    slot = Slot(envelope.type, envelope.aggregate_id, envelope.aggregate_version)
    event = world.codec.decode(envelope.data, slot)
    return int(event.total.amount) if isinstance(event, OrderPlaced) else 0


def _caused(world: World, log: list[Envelope]) -> list[Operation]:
    """What is done because of each order, by nobody's hand: it has a command id of its own."""
    cheap = [envelope.id for envelope in log if _amount(world, envelope) < TOO_DEAR]
    reacted = [("reaction", uuid5(NAMESPACE_URL, f"{REACTIONS}/{id}")) for id in cheap]
    reminded = [("timer", reminder(id)) for id in cheap]
    return [
        Operation(str(command), kind, "ok", str(command), ended=0.0, context="contacts")
        for kind, command in (*reacted, *reminded)
    ]


def _published(world: World) -> list[Published]:
    found = []
    for lane in world.kafka.partitions(events_topic(NAMESPACE, "pipeline")):
        for record in world.kafka.lanes[lane]:
            if watermark_of(record) is None:
                envelope = from_headers(record.headers, lane.partition, record.value or b"")
                found.append(_on_topic(envelope, record.offset))
    return found


def _on_topic(envelope: Envelope, offset: int) -> Published:
    return Published(
        envelope.context,
        envelope.partition,
        offset,
        envelope.sequence,
        envelope.prevsequence,
        str(envelope.id),
        str(envelope.aggregate_id),
        envelope.aggregate_version,
        sha256(envelope.data).hexdigest(),
    )


def lane_rows(world: World) -> list[LaneRow]:
    """How far the live view is."""
    with world.database.reading() as connection:
        live = find_live(connection, world.view)
        states = load_states(connection, live) if live is not None else {}
    return [
        LaneRow(VIEW, *lane, s.sequence, s.digest, s.applied, s.parked, s.skipped)
        for lane, s in states.items()
    ]


def _sums(world: World) -> list[TableSum]:
    """The product's own check says of each source how it differs, or nothing."""
    sources: dict[str, MakeFeed] = {
        "store": lambda positions: StoreFeed({"pipeline": world.store}, positions),
        "topic": partial(world.feed, "check"),
    }
    found = [TableSum(VIEW, VIEW, "live", 0, "")]
    for source, make_feed in sources.items():
        differs = world.loop.run_until_complete(_differences(world, make_feed))
        found.append(TableSum(VIEW, VIEW, source, 0, differs))  # type: ignore[arg-type]
    return found


async def _differences(world: World, make_feed: MakeFeed) -> str:
    try:
        verdict = await verify(Source(world.view, world.workplace(), make_feed), patience=20.0)
    except (NeverEqual, RebuildFailed) as failed:
        return f"{type(failed).__name__}: {failed}"
    return "; ".join(map(str, verdict.differences))


def _parked(world: World) -> list[Parked]:
    with world.database.reading() as connection:
        live = find_live(connection, world.view)
        letters = parked_letters(connection, live)
    return [
        Parked(
            VIEW, letter.lane.context, str(letter.event_id), str(letter.aggregate_id), letter.kind
        )
        for letter in letters
    ]


def _poison(world: World, log: list[Envelope]) -> list[Poison]:
    """The first of each account: what comes later waits behind it, poisonous or not."""
    first: dict[UUID, Envelope] = {}
    for envelope in log:
        if _amount(world, envelope) == POISON:
            first.setdefault(envelope.aggregate_id, envelope)
    return [Poison(str(e.id), str(e.aggregate_id), (VIEW,)) for e in first.values()]


def facts_are_there_once(world: World, evidence: Evidence, verdict: Verdict) -> None:
    """The rows themselves, which neither a position's sum nor a rebuilt twin vouches for."""
    parked = {letter.event for letter in evidence.parked}
    wanted = {e.id for e in evidence.stored if e.context == "pipeline"} - parked
    with world.database.reading() as connection:
        live = find_live(connection, world.view)
        assert live is not None
        table = open_generation(world.view, live).tables
        rows = connection.execute(select(table.c.event_id, table.c.account, table.c.version)).all()
    times = Counter(str(row.event_id) for row in rows)
    for id in wanted | times.keys():
        verdict.note(times[id] == (id in wanted), f"the view holds {id} {times[id]} times")


__all__ = ["VIEW", "judged", "lane_rows", "mark_in", "quiet", "settle", "taken"]
