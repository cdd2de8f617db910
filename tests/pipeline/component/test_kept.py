"""Copies of one API keep what they wrote, and none ever answers from what is out of date."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from crm_events.clock import utc_now
from crm_events.domain import DomainError
from crm_events.event import Money
from crm_events.ids import new_id
from crm_events.outcomes import StaleVersion
from crm_events.store.mapper import Cause
from crm_events.store.sqlite import SqliteRecorder
from crm_pipeline.application import PipelineApplication
from crm_pipeline.domain.deal_facts import DealFacts
from crm_pipeline.domain.pipeline import StageDraft, StageUnknown, Terminals
from eventsourcing.persistence import StoredEvent

from tests.support.contexts import SECRET, stored

STAGES = ("meet", "need", "offer", "talk", "sign")


class _Asked(SqliteRecorder):
    """Remembers which streams were read."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.asked: list[UUID] = []

    def select_events(self, originator_id: UUID | str, **options: Any) -> Sequence[StoredEvent]:
        self.asked.append(UUID(str(originator_id)))
        return super().select_events(originator_id, **options)


class Alone(PipelineApplication):
    """Keeps nothing: every command reads what it decides on."""

    most_kept = 0


@dataclass
class Copy:
    """One process of the API."""

    app: PipelineApplication
    recorder: _Asked

    def cause(self) -> Cause:
        return Cause(new_id(), new_id(), None, "tester", "live", utc_now())

    def stages(self, *keys: str) -> list[StageDraft]:
        return [StageDraft(key, key.title(), 0.5) for key in keys]

    def deal(self) -> UUID:
        facts = DealFacts(amount=Money(amount=Decimal(9), currency="EUR"))
        return self.app.open_deal(self.cause(), "sales", None, facts).id

    def advance(self, deal: UUID, stage: str, expected: int | None = None) -> int:
        """The version that it came to."""
        return self.app.advance_deal(self.cause(), deal, stage, expected).version

    def read(self, work: Callable[[], object]) -> list[UUID]:
        """Whose events the work read."""
        del self.recorder.asked[:]
        work()
        return list(self.recorder.asked)


Opener = Callable[..., Copy]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opener]:
    copies: list[Copy] = []
    with stored(tmp_path, "pipeline") as storage:

        def open_one(kind: type[PipelineApplication] = PipelineApplication) -> Copy:
            recorder = _Asked(tmp_path / "pipeline.db")
            copies.append(Copy(kind(recorder, storage.codec(), SECRET), recorder))
            return copies[-1]

        first = open_one()
        first.app.define_pipeline(
            first.cause(), "sales", "Sales", first.stages(*STAGES), Terminals()
        )
        yield open_one
        for copy in copies:
            copy.recorder.close()


def test_what_was_written_or_read_is_not_read_again(opened: Opener) -> None:
    copy = opened()
    sales = copy.app.pipeline_id("sales")
    first, second = copy.deal(), copy.deal()
    assert copy.read(lambda: copy.advance(first, "need")) == []
    assert copy.read(copy.deal) == []
    other = opened()
    assert other.read(lambda: other.advance(second, "need")) == [second, sales]
    assert other.read(lambda: other.advance(second, "offer")) == []


def test_copy_that_was_overtaken_reads_again(opened: Opener) -> None:
    here, there = opened(), opened()
    deal = here.deal()
    for n, stage in enumerate(STAGES[1:], 2):
        copy = (there, here)[n % 2]
        assert copy.advance(deal, stage) == n


def test_what_others_work_on_too_is_not_kept(opened: Opener) -> None:
    """A copy that is overtaken has tried in vain: once for each thing, not for each command."""
    here, there = opened(), opened()
    deal = here.deal()
    there.advance(deal, "need")
    sales = here.app.pipeline_id("sales")
    assert here.read(lambda: here.advance(deal, "offer")) == [deal, sales]
    assert here.read(lambda: here.advance(deal, "talk")) == [deal]


def test_refusal_is_never_told_from_what_is_out_of_date(opened: Opener) -> None:
    here, there = opened(), opened()
    deal = here.deal()
    there.app.lose_deal(there.cause(), deal, "price")
    there.app.reopen_deal(there.cause(), deal, "talk", None)
    with pytest.raises(StaleVersion) as stale:
        here.advance(deal, "sign", expected=1)
    assert stale.value.current_version == 3
    assert here.advance(deal, "sign", expected=3) == 4


def test_stages_that_another_copy_changed_count_at_once(opened: Opener) -> None:
    here, there = opened(), opened()
    deal = here.deal()
    there.app.change_stages(
        there.cause(), "sales", there.stages("meet", "need", "close"), Terminals()
    )
    with pytest.raises(StageUnknown):
        here.advance(deal, "offer")
    assert here.advance(deal, "close") == 2


def test_refused_decision_leaves_no_trace_in_what_is_kept(opened: Opener) -> None:
    copy = opened()
    deal = copy.deal()
    for _ in range(2):
        with pytest.raises(StageUnknown):
            copy.advance(deal, "nowhere")
    assert copy.advance(deal, "need") == 2


@pytest.mark.parametrize("seed", range(4))
def test_copies_that_keep_say_what_one_says_that_does_not(opened: Opener, seed: int) -> None:
    """The same random commands to three copies in turns and to one that reads everything."""
    chance = random.Random(seed)  # noqa: S311
    copies, alone = [opened() for _ in range(3)], opened(Alone)
    pairs = [(copies[0].deal(), alone.deal()) for _ in range(3)]
    for _ in range(120):
        nth, command = chance.randrange(3), _any_command(chance)
        told = _told(chance.choice(copies), pairs[nth][0], command)
        assert told == _told(alone, pairs[nth][1], command), command


Command = tuple[str, str, int | None]


def _any_command(chance: random.Random) -> Command:
    kind = chance.choice(["advance", "advance", "back", "win", "lose", "reopen"])
    return kind, chance.choice(STAGES), chance.choice([None, None, chance.randrange(1, 60)])


def _told(copy: Copy, deal: UUID, command: Command) -> object:
    kind, stage, expected = command
    app, cause = copy.app, copy.cause()
    try:
        match kind:
            case "advance":
                done = app.advance_deal(cause, deal, stage, expected)
            case "back":
                done = app.move_deal_back(cause, deal, stage, None, expected)
            case "win":
                done = app.win_deal(cause, deal, None, expected)
            case "lose":
                done = app.lose_deal(cause, deal, "price", expected)
            case _:
                done = app.reopen_deal(cause, deal, stage, None, expected)
    except DomainError as refused:
        return type(refused).__name__, str(refused)
    return done.version
