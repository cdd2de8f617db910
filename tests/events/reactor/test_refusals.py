"""What reactions refuse has no effect, whole or half done; what they decide says why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

from crm_events.contracts.contacts import LeadCaptured
from crm_events.contracts.pipeline import OrderPlaced
from crm_events.domain import Aggregate, applies
from crm_events.envelope import Envelope
from crm_events.feed.reactor import Session
from crm_events.ids import new_id
from crm_events.store.port import DirectoryEntry, Timer

from tests.events.reactor.conftest import Tiny
from tests.events.reactor.tiny import Buyer, TooDear, order, reactions, tag_buyer
from tests.events.store.building import whole_log
from tests.events.writing import thing
from tests.support.decisions import NOW

LONG_AGO = datetime(2021, 5, 6, tzinfo=UTC)


async def test_refusal_has_no_effect_and_the_position_moves(tiny: Tiny) -> None:
    for amount in (1, 101, 2):
        tiny.upstream.tell(order(thing(1), amount))
    reactor = await tiny.react()
    assert sorted(tiny.app.tags()[thing(1)]) == ["1", "2"]
    assert (reactor.reacted, reactor.without_effect, reactor.failing) == (3, 1, None)


async def test_half_done_refusal_leaves_nothing(tiny: Tiny) -> None:
    """It had tagged two buyers, remembered something and set a timer before it was refused."""
    other = thing(99)

    def react(session: Session, envelope: Envelope, event: OrderPlaced) -> None:
        half_done = event.total.amount > 100
        if half_done:
            neighbour = session.find(Buyer, other) or Buyer(other)
            neighbour.tag("half done", at=session.at)
            session.add(neighbour)
            buyer = session.find(Buyer, event.customer_id) or Buyer(event.customer_id)
            buyer.tag("half done", at=session.at)
            session.add(buyer)
            session.remember(DirectoryEntry("seen", envelope.id, None, {}))
            session.schedule(Timer(envelope.id, "later", other, NOW))
            raise TooDear
        tag_buyer(session, envelope, event)

    told = [tiny.upstream.tell(order(thing(1), amount), of=thing(7)) for amount in (1, 101, 2, 102)]
    assert len(set(told)) == 1
    tiny.upstream.tell(order(thing(2), 103), of=thing(7))
    await tiny.react(reactions(react))
    assert tiny.app.tags() == {thing(1): ["1", "2"]}
    ids = [envelope.id for envelope in whole_log(tiny.upstream.recorder)]
    assert tiny.app.recorder.directory("seen", ids) == {}
    assert tiny.app.recorder.next_due() is None


async def test_many_half_done_refusals_cost_no_more_than_themselves(tiny: Tiny) -> None:
    runs = 0

    def react(session: Session, _: Envelope, event: OrderPlaced) -> None:
        nonlocal runs
        runs += 1
        buyer = session.find(Buyer, event.customer_id) or Buyer(event.customer_id)
        buyer.tag("half done", at=session.at)
        session.add(buyer)
        raise TooDear

    for number in range(200):
        tiny.upstream.tell(order(thing(number % 5)))
    await tiny.react(reactions(react))
    assert runs == 200
    assert tiny.app.tags() == {}


async def test_causes_are_those_of_the_event(tiny: Tiny) -> None:
    tiny.upstream.tell(order(thing(1)), at=LONG_AGO, origin="import")
    await tiny.react()
    (cause,) = whole_log(tiny.upstream.recorder)
    (effect,) = whole_log(tiny.app.recorder)
    assert effect.correlation_id == cause.correlation_id
    assert effect.causation_id == cause.id
    assert effect.command_id == uuid5(NAMESPACE_URL, f"tiny.reactions/{cause.id}")
    assert effect.actor == "reaction:tiny.reactions"
    assert (effect.origin, effect.occurred_at) == ("import", LONG_AGO)
    assert effect.recorded_at - NOW != timedelta(0)


async def test_each_effect_in_a_batch_has_its_own_cause(tiny: Tiny) -> None:
    for _ in range(3):
        tiny.upstream.tell(order(thing(1)))
    await tiny.react()
    causes = {envelope.id for envelope in whole_log(tiny.upstream.recorder)}
    effects = whole_log(tiny.app.recorder)
    assert {effect.causation_id for effect in effects} == causes
    assert len({effect.command_id for effect in effects}) == 3


async def test_origin_and_time_are_told_to_the_reaction(tiny: Tiny) -> None:
    told: list[tuple[str, datetime]] = []

    def react(session: Session, _: Envelope, __: OrderPlaced) -> None:
        told.append((session.origin, session.at))

    tiny.upstream.tell(order(thing(1)), at=LONG_AGO, origin="import")
    await tiny.react(reactions(react))
    assert told == [("import", LONG_AGO)]


async def test_directory_and_timers_are_saved_with_the_position(tiny: Tiny) -> None:
    def react(session: Session, envelope: Envelope, event: OrderPlaced) -> None:
        before = session.remembered("bought", event.customer_id)
        count = 1 if before is None else before.data["count"] + 1
        session.remember(DirectoryEntry("bought", event.customer_id, None, {"count": count}))
        session.schedule(Timer(envelope.id, "thank", event.customer_id, NOW))

    for _ in range(3):
        tiny.upstream.tell(order(thing(1)), of=thing(7))
    reactor = await tiny.react(reactions(react))
    await tiny.redeliver(reactor)
    entry = tiny.app.recorder.directory("bought", [thing(1)])[thing(1)]
    assert entry.data == {"count": 3}
    assert len(tiny.app.recorder.due_timers(NOW, 10)) == 3


class _Lead(Aggregate):
    """Something with personal fields."""

    def capture(self, name: str, *, at: datetime) -> None:
        self.record(LeadCaptured(person_id=self.id, name=name, source="web"), at=at)

    @applies(LeadCaptured)
    def _captured(self, event: LeadCaptured) -> None:
        self.name = event.name


async def test_erased_subject_is_a_refusal(tiny: Tiny) -> None:
    """Only saving finds out, and the rest of the batch is saved all the same."""
    erased = thing(3)
    tiny.keys.erase(erased)

    def react(session: Session, _: Envelope, event: OrderPlaced) -> None:
        lead = _Lead(event.customer_id)
        lead.capture("Ada", at=session.at)
        session.add(lead)

    for number in range(1, 6):
        tiny.upstream.tell(order(thing(number)), of=new_id())
    reactor = await tiny.react(reactions(react))
    saved = {envelope.aggregate_id for envelope in whole_log(tiny.app.recorder)}
    assert saved == {thing(number) for number in (1, 2, 4, 5)}
    assert (reactor.without_effect, reactor.failing) == (1, None)
