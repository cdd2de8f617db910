"""Durable timers: each fires once, whoever is there to fire it and whatever went wrong before."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from crm_events.application import LostRace, Saving
from crm_events.codec import Codec
from crm_events.ids import new_id
from crm_events.store.mapper import Cause
from crm_events.store.port import Beside, Timer
from crm_events.store.sqlite import SqliteRecorder
from crm_events.timers import Fire, Timers

from tests.events.reactor.tiny import Buyer, TinyApplication, TooDear
from tests.events.store.building import at_once, whole_log
from tests.events.writing import thing
from tests.support.decisions import NOW
from tests.support.keys import KeysInMemory
from tests.support.until import until

LATER = NOW + timedelta(hours=1)


def remind(app: TinyApplication, timer: Timer, cause: Cause) -> None:
    """What a timer does: a command, which puts its timer away."""

    def decide() -> Saving:
        buyer = Buyer(timer.aggregate_id)
        buyer.tag("reminded", at=cause.at)
        return Saving((buyer,), beside=Beside(timers_done=(timer.id,)))

    app.execute(cause, decide)


@pytest.fixture
def app(own: SqliteRecorder) -> TinyApplication:
    return TinyApplication(own, Codec(KeysInMemory()))


class At:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def timers(
    app: TinyApplication, table: Mapping[str, Fire] | None = None, clock: At | None = None
) -> Timers:
    return Timers(app, table or {"remind": remind}, clock or At())


def schedule(app: TinyApplication, *due: Timer) -> None:
    cause = Cause(new_id(), new_id(), None, "test", "live", NOW)
    app.save_all((), cause, beside=Beside(timers=due))


def timer(number: int = 1, name: str = "remind", id: UUID | None = None) -> Timer:
    return Timer(id or new_id(), name, thing(number), NOW)


def reminded(app: TinyApplication) -> list[UUID]:
    return [envelope.aggregate_id for envelope in whole_log(app.recorder)]


def test_timer_fires_when_it_is_due(app: TinyApplication) -> None:
    early, late = timer(1), Timer(new_id(), "remind", thing(2), LATER)
    schedule(app, early, late)
    clock = At()
    firing = timers(app, clock=clock)
    assert firing.fire_due() == 1
    assert firing.fire_due() == 0
    assert reminded(app) == [thing(1)]
    clock.now = LATER
    firing.fire_due()
    assert reminded(app) == [thing(1), thing(2)]


def test_effect_says_that_a_timer_was_its_cause(app: TinyApplication) -> None:
    due = timer()
    schedule(app, due)
    timers(app).fire_due()
    (effect,) = whole_log(app.recorder)
    assert effect.command_id == effect.correlation_id == due.id
    assert (effect.actor, effect.occurred_at) == ("timer:remind", NOW)


def test_two_runners_fire_it_once(app: TinyApplication) -> None:
    for round_ in range(20):
        schedule(app, *(timer(round_ * 5 + n) for n in range(5)))
        outcomes = at_once(*[timers(app).fire_due] * 4)
        assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert sorted(reminded(app)) == sorted(thing(n) for n in range(100))
    assert app.recorder.next_due() is None


def test_it_outlives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "again.db"
    first = SqliteRecorder(path)
    schedule(TinyApplication(first, Codec(KeysInMemory())), timer())
    first.close()
    again = SqliteRecorder(path)
    late = TinyApplication(again, Codec(KeysInMemory()))
    timers(late).fire_due()
    assert reminded(late) == [thing(1)]
    again.close()


def test_refusal_puts_it_away(app: TinyApplication) -> None:
    def refuse(*_: object) -> None:
        raise TooDear

    schedule(app, timer())
    firing = timers(app, {"remind": refuse})
    assert firing.fire_due() == 1
    assert app.recorder.next_due() is None
    assert firing.failing is None


def test_lost_race_is_tried_again(app: TinyApplication) -> None:
    tries: list[int] = []

    def race(app: TinyApplication, due: Timer, cause: Cause) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise LostRace(2)
        remind(app, due, cause)

    clock = At()
    schedule(app, timer())
    firing = timers(app, {"remind": race}, clock)
    firing.fire_due()
    assert firing.failing is not None
    assert firing.fire_due() == 0
    clock.now += timedelta(seconds=2)
    assert firing.fire_due() == 1
    assert reminded(app) == [thing(1)]
    assert firing.failing is None


def test_timer_that_fails_holds_up_no_other(app: TinyApplication) -> None:
    """More of them than are taken at once, and an unknown name among them."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    clock = At()
    schedule(app, *(timer(n, "fail") for n in range(150)), timer(500, "unknown"))
    schedule(app, *(Timer(new_id(), "remind", thing(n), LATER) for n in range(600, 605)))
    firing = timers(app, {"fail": fail, "remind": remind}, clock)
    clock.now = LATER
    for _ in range(4):
        firing.fire_due()
    assert sorted(reminded(app)) == sorted(thing(n) for n in range(600, 605))
    assert "ZeroDivisionError" in (firing.failing or "")


def test_timer_set_anew_under_a_command_that_was_given_is_put_away(app: TinyApplication) -> None:
    due = timer()
    schedule(app, due)
    firing = timers(app)
    firing.fire_due()
    schedule(app, due)
    for _ in range(3):
        firing.fire_due()
    assert reminded(app) == [thing(1)]
    assert app.recorder.next_due() is None


async def test_running_fires_soon_after_it_is_due(app: TinyApplication) -> None:
    firing = asyncio.create_task(timers(app).run())
    schedule(app, timer(1))
    await until(lambda: reminded(app) == [thing(1)])
    schedule(app, timer(2))
    await until(lambda: reminded(app) == [thing(1), thing(2)])
    firing.cancel()
    await asyncio.wait({firing})
    assert firing.cancelled()
