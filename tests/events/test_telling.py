"""What a history says: in the order of effect, without what was superseded, field by field."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid5

from crm_events.contracts.contacts import PersonChanged, PersonRegistered
from crm_events.contracts.pipeline import DealAmended, DealOpened, DealWon, Stage, StageAdvanced
from crm_events.event import Event, Money
from crm_events.telling import Change, Told, record_of, seen, steps

from tests.support import envelopes

NAMESPACE = UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")
DEAL = uuid5(NAMESPACE, "deal")
MARCH = datetime(2026, 3, 1, tzinfo=UTC)
MEET = Stage(key="meet", name="Meet", rank=1, probability=0.1)
SIGN = Stage(key="sign", name="Sign", rank=2, probability=0.9)


def told(version: int, event: Event, day: int, supersedes: int | None = None) -> Told:
    """Recorded a month after MARCH, in the order of versions; effective on that day of March."""
    envelope = envelopes.told(
        event.TYPE,
        DEAL,
        version,
        version,
        MARCH + timedelta(days=30 + version),
        id=uuid5(NAMESPACE, str(version)),
        occurred_at=MARCH + timedelta(days=day),
        actor="local:mei",
        supersedes=None if supersedes is None else uuid5(NAMESPACE, str(supersedes)),
    )
    return Told(envelope, event)


def euros(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="EUR")


OPENED = told(1, DealOpened(pipeline="sales", pipeline_version=1, stage=MEET, region="Asia"), 0)
ADVANCED = told(2, StageAdvanced(pipeline_version=1, previous=MEET, stage=SIGN), 5)
WON = told(3, DealWon(stage=SIGN, amount=euros("9")), 8)


def test_first_event_changes_everything_from_nothing() -> None:
    (step,) = steps([OPENED])
    assert Change("stage.key", None, "meet") in step.changes
    assert Change("region", None, "Asia") in step.changes
    assert all(change.before is None for change in step.changes)


def test_later_event_changes_what_differs_and_no_more() -> None:
    _, advanced, won = steps([OPENED, ADVANCED, WON])
    assert {change.field for change in advanced.changes} == {
        *("stage.key", "stage.name", "stage.rank", "stage.probability"),
    }
    assert {change.field for change in won.changes} == {"amount.amount", "amount.currency"}


def test_whole_record_clears_what_it_does_not_name() -> None:
    amended = told(2, DealAmended(region=None, source="fair"), 1)
    _, step = steps([OPENED, amended])
    assert Change("region", "Asia", None) in step.changes
    assert Change("source", None, "fair") in step.changes
    assert "region" not in record_of([OPENED, amended])


def test_what_an_event_does_not_speak_of_stays() -> None:
    record = record_of([OPENED, WON])
    assert (record["region"], record["amount.amount"]) == ("Asia", "9")


def test_effect_comes_before_order_of_recording() -> None:
    late = told(4, DealAmended(source="web"), 2)
    found = seen([OPENED, ADVANCED, WON, late], None, None)
    assert [each.envelope.aggregate_version for each in found] == [1, 4, 2, 3]


def test_as_of_hides_later_effects_and_known_at_later_records() -> None:
    whole = [OPENED, ADVANCED, WON]
    assert seen(whole, MARCH + timedelta(days=6), None) == [OPENED, ADVANCED]
    assert seen(whole, None, MARCH + timedelta(days=31)) == [OPENED]


def test_correction_takes_the_place_of_what_it_supersedes_once_it_is_known() -> None:
    corrected = told(3, StageAdvanced(pipeline_version=1, previous=MEET, stage=SIGN), 7, 2)
    whole = [OPENED, ADVANCED, corrected]
    assert seen(whole, MARCH + timedelta(days=6), None) == [OPENED]
    before = corrected.envelope.recorded_at - timedelta(microseconds=1)
    assert seen(whole, MARCH + timedelta(days=6), before) == [OPENED, ADVANCED]


def test_erased_value_is_none_and_never_a_change_back() -> None:
    registered = told(1, PersonRegistered(name=None, region="Asia"), 0)
    changed = told(2, PersonChanged(name=None, region="Asia"), 1)
    first, second = steps([registered, changed])
    assert Change("region", None, "Asia") in first.changes
    assert second.changes == []
