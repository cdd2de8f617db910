"""A pipeline is read along with its deal; what is decided rests on what is stored all the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from crm_events.clock import utc_now
from crm_events.event import Money
from crm_events.ids import new_id
from crm_events.store.mapper import Cause
from crm_events.store.sqlite import SqliteRecorder
from crm_pipeline.application import PipelineApplication
from crm_pipeline.domain.deal_facts import DealFacts
from crm_pipeline.domain.pipeline import StageDraft, StageUnknown, Terminals
from eventsourcing.persistence import StoredEvent

from tests.support.contexts import SECRET, stored


class _Asked(SqliteRecorder):
    """Remembers which streams were asked for, each question by itself."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.asked: list[set[UUID]] = []

    def select_events(self, originator_id: UUID | str, **options: Any) -> Sequence[StoredEvent]:
        self.asked.append({UUID(str(originator_id))})
        return super().select_events(originator_id, **options)

    def select_streams(self, ids: Iterable[UUID]) -> Mapping[UUID, Sequence[StoredEvent]]:
        self.asked.append(set(ids := list(ids)))
        return super().select_streams(ids)


@dataclass
class _Desk:
    """An application with a pipeline `sales` and deals in it."""

    app: PipelineApplication
    recorder: _Asked
    pipelines: list[str] = field(default_factory=list)

    def cause(self) -> Cause:
        return Cause(new_id(), new_id(), None, "tester", "live", utc_now())

    def define(self, key: str, *stages: str) -> None:
        drafts = [StageDraft(stage, stage.title(), 0.5) for stage in stages]
        self.app.define_pipeline(self.cause(), key, key, drafts, Terminals())

    def deal(self, pipeline: str = "sales") -> UUID:
        facts = DealFacts(amount=Money(amount=Decimal(9), currency="EUR"))
        return self.app.open_deal(self.cause(), pipeline, None, facts).id

    def advance(self, deal: UUID, stage: str) -> list[set[UUID]]:
        """The questions that it took."""
        del self.recorder.asked[:]
        self.app.advance_deal(self.cause(), deal, stage)
        return list(self.recorder.asked)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[_Desk]:
    with stored(tmp_path, "pipeline") as storage:
        recorder = _Asked(tmp_path / "pipeline.db")
        made = _Desk(PipelineApplication(recorder, storage.codec(), SECRET), recorder)
        made.define("sales", "meet", "offer", "sign")
        yield made
        recorder.close()


def test_deal_and_pipeline_are_one_question_once_it_is_habit(desk: _Desk) -> None:
    first, second, sales = desk.deal(), desk.deal(), desk.app.pipeline_id("sales")
    assert desk.advance(first, "offer") == [{first}, {sales}]
    assert desk.advance(second, "offer") == [{second, sales}]
    assert desk.advance(first, "sign") == [{first, sales}]


def test_what_others_changed_meanwhile_is_seen(desk: _Desk, tmp_path: Path) -> None:
    deal = desk.deal()
    desk.advance(deal, "offer")
    with stored(tmp_path, "pipeline") as storage:
        other = PipelineApplication(storage.recorder, storage.codec(), SECRET)
        drafts = [StageDraft(stage, stage, 0.5) for stage in ("meet", "offer", "close")]
        other.change_stages(desk.cause(), "sales", drafts, Terminals())
    with pytest.raises(StageUnknown):
        desk.advance(deal, "sign")
    assert len(desk.advance(deal, "close")) == 1


def test_another_pipeline_than_the_usual_is_asked_for(desk: _Desk) -> None:
    desk.define("big", "meet", "wait")
    usual, other = desk.deal(), desk.deal("big")
    sales, big = desk.app.pipeline_id("sales"), desk.app.pipeline_id("big")
    desk.advance(usual, "offer")
    assert desk.advance(other, "wait") == [{other, sales}, {big}]


def test_what_was_read_for_nothing_is_not_read_again(desk: _Desk) -> None:
    moved, won = desk.deal(), desk.deal()
    desk.advance(moved, "offer")
    desk.app.win_deal(desk.cause(), won, None)
    assert desk.advance(moved, "sign") == [{moved}, {desk.app.pipeline_id("sales")}]
