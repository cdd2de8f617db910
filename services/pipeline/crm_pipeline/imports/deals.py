"""Rows of a file of deals: a state, at best two dates, and no history in between.

A deal that is won or lost was opened in the last open stage, which it must have passed, on its
opening date, and closed on its closing date; no stage is invented in between. What has no date
takes effect at the import and is flagged `history_unknown`. A close before the opening is a fact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from crm_events.event import Key, Money, Staff, Text
from crm_events.store.mapper import Cause
from crm_events.store.port import DirectoryEntry
from crm_service.importing.dates import (
    dates_entry,
    differing_date,
    refuse_future,
    refuse_other_date,
)
from crm_service.importing.options import money, options_of
from crm_service.importing.protocol import ImportIn, ImportKind, RowRefused
from crm_service.schemas import Body, Happened, MoneyAmount
from crm_service.settings import Currency
from crm_service.staff import staff_of
from pydantic import Field

from crm_pipeline.application import PipelineApplication
from crm_pipeline.application.directory import ORGANISATION
from crm_pipeline.domain.deal import Deal
from crm_pipeline.domain.deal_facts import DealFacts, Opening, grouped
from crm_pipeline.imports.places import Places
from crm_pipeline.imports.stages import DealOptions, FileStages, State, file_stages

_SAID: Final = frozenset(
    ("title", "customer_id", "product_id", "sector", "region", "source", "campaign_id")
) | {"expected_close"}


class DealRow(Body):
    """A field that the row does not have stays as it is known; one that is null becomes unknown."""

    title: Text | None = None
    stage: Text | None = None
    customer_id: UUID | None = None
    owner_id: UUID | None = None
    product_id: UUID | None = None
    opened_at: Happened | None = None
    closed_at: Happened | None = None
    amount: Annotated[MoneyAmount, Field(ge=0)] | None = None
    currency: Currency | None = None
    sector: Text | None = None
    region: Text | None = None
    source: Key | None = None
    campaign_id: UUID | None = None
    expected_close: date | None = None
    lost_reason: Text | None = None


class DealImport(ImportKind[Deal, DealRow]):
    """Opens deals where they stand; of a deal that is known, only what the row changes."""

    name: ClassVar = "deals"
    aggregate = Deal
    row = DealRow
    _stages: FileStages

    def __init__(self, app: PipelineApplication, request: ImportIn, places: Places) -> None:
        self._app = app
        self._options = options_of(DealOptions, request)
        self._currency = self._options.currency or places.currency
        self._zone = ZoneInfo(self._options.timezone or places.timezone)
        self._dry_run = request.dry_run
        self._staff: Mapping[UUID, Staff] = {}
        self._organisations: Mapping[UUID, DirectoryEntry] = {}
        self._products: set[UUID] = set()

    def begin(self, cause: Cause) -> None:
        self._stages = file_stages(self._app, self._options, cause, dry_run=self._dry_run)

    def look_up(self, rows: Sequence[DealRow]) -> None:
        recorder = self._app.recorder
        self._staff = staff_of(recorder, {r.owner_id for r in rows if r.owner_id})
        customers = {r.customer_id for r in rows if r.customer_id}
        self._organisations = recorder.directory(ORGANISATION, customers)
        self._products = self._app.products({r.product_id for r in rows if r.product_id})

    def decide(self, thing: Deal, row: DealRow, *, at: datetime) -> Iterable[DirectoryEntry]:
        state = self._stages.state(row.stage)
        row = self._expecting(row) if state.outcome == "open" else row
        self._refuse_unknown_product(row)
        dates = {"opened_at": row.opened_at, "closed_at": row.closed_at}
        for column, moment in dates.items():
            refuse_future(column, moment, at)
        if not thing.begun:
            self._open(thing, row, state, at)
        else:
            self._change(thing, row, state, at)
        return (dates_entry(thing.id, dates),)

    def _expecting(self, row: DealRow) -> DealRow:
        """The closing date of a deal that is open is the day on which it is expected to close."""
        if row.closed_at is None:
            return row
        day = row.expected_close or row.closed_at.astimezone(self._zone).date()
        return row.model_copy(update={"closed_at": None, "expected_close": day})

    # --- a new deal ---

    def _open(self, deal: Deal, row: DealRow, state: State, at: datetime) -> None:
        owner = self._owner(row)
        said = {name: getattr(row, name) for name in _SAID}
        amount = self._amount(row) if state.outcome == "open" else None
        facts = grouped(DealFacts(**said, amount=amount), owner, self._sector(row))
        deal.open(
            self._stages.pipeline,
            state.stage,
            facts,
            owner,
            Opening(history_unknown=row.opened_at is None),
            at=row.opened_at or row.closed_at or at,
        )
        self._close(deal, row, state, at)

    def _close(self, deal: Deal, row: DealRow, state: State, at: datetime) -> None:
        amount, unknown, closed_at = self._amount(row), row.closed_at is None, row.closed_at or at
        if state.outcome == "won":
            deal.win(amount, history_unknown=unknown, at=closed_at)
        elif state.outcome == "lost":
            deal.lose(row.lost_reason, amount, history_unknown=unknown, at=closed_at)

    # --- a deal that is known ---

    def _change(self, deal: Deal, row: DealRow, state: State, at: datetime) -> None:
        if deal.pipeline != self._stages.pipeline.key:
            remedy = f"it is in the pipeline {deal.pipeline!r}; name that one"
            raise RowRefused("stage", remedy)
        closes_again = self._closes_again(deal, row, state)
        owner = self._owner(row)
        if owner is not None and (deal.owner is None or owner.id != deal.owner.id):
            deal.assign(owner, at=at)
        settled = state.outcome == deal.status and not closes_again
        deal.amend(self._amended(deal.facts, row, priced=settled or state.outcome == "open"), at=at)
        if state.outcome == "open":
            self._move(deal, state, at)
        elif not settled:
            if deal.status != "open":
                deal.reopen(self._stages.pipeline, None, at=row.closed_at or at)
            self._close(deal, row, state, at)

    def _move(self, deal: Deal, state: State, at: datetime) -> None:
        """To where the file says it stands today; when it went there is not in the file."""
        pipeline, key = self._stages.pipeline, state.stage.key
        if deal.status != "open":
            deal.reopen(pipeline, key, at=at)
        elif deal.stage is not None and deal.stage.key != key:
            today = pipeline.find(deal.stage.key) or deal.stage
            if state.stage.rank > today.rank:
                deal.advance(pipeline, key, at=at)
            else:
                deal.move_back(pipeline, key, at=at)

    def _closes_again(self, deal: Deal, row: DealRow, state: State) -> bool:
        """Whether a closed deal has another closing date than before, as if closed anew.

        Raises RowRefused when the opening has another date: it is a fact that stays.
        """
        recorder = self._app.recorder
        if differing_date(recorder, deal.id, {"opened_at": row.opened_at}):
            raise refuse_other_date("opened_at")
        moved = differing_date(recorder, deal.id, {"closed_at": row.closed_at})
        return bool(moved) and state.outcome == deal.status

    def _amended(self, known: DealFacts, row: DealRow, *, priced: bool) -> DealFacts:
        said: dict[str, Any] = {name: getattr(row, name) for name in row.model_fields_set & _SAID}
        for name in ("region", "sector"):
            if said.get(name) is None:
                said.pop(name, None)
        if priced and "amount" in row.model_fields_set:
            said["amount"] = self._amount(row)
        facts = replace(known, **said)
        if facts.customer_id != known.customer_id and "sector" not in said:
            facts = replace(facts, sector=self._sector(row))
        return facts

    # --- what a row refers to ---

    def _owner(self, row: DealRow) -> Staff | None:
        """A dry run made no stubs, so that whoever is missing then is none."""
        if row.owner_id is None:
            return None
        if row.owner_id not in self._staff and not self._dry_run:
            remedy = f"there is no member of staff {row.owner_id}; resolve the name first"
            raise RowRefused("owner_id", remedy)
        return self._staff.get(row.owner_id, Staff(id=row.owner_id))

    def _refuse_unknown_product(self, row: DealRow) -> None:
        if row.product_id is None or self._dry_run or row.product_id in self._products:
            return
        remedy = f"there is no product {row.product_id}; resolve the name first"
        raise RowRefused("product_id", remedy)

    def _sector(self, row: DealRow) -> str | None:
        entry = self._organisations.get(row.customer_id) if row.customer_id else None
        return None if entry is None else entry.data.get("sector")

    def _amount(self, row: DealRow) -> Money | None:
        return money(row.amount, row.currency, self._currency)
