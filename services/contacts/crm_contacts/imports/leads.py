"""Rows of leads, each with the state it has come to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Final
from uuid import UUID

from crm_events.event import Key, Staff, Text
from crm_events.ids import derived_id
from crm_events.names import folded
from crm_events.store.port import DirectoryEntry
from crm_service.context import CLOCK_SKEW
from crm_service.importing.options import Options, options_of
from crm_service.importing.protocol import ImportIn, ImportKind, RowRefused
from crm_service.schemas import Body, Happened

from crm_contacts.application import ContactsApplication
from crm_contacts.domain.lead import Lead, LeadFacts, Status

_STATES: Final[dict[Status, str]] = {
    "captured": "captured|new|open|contacted|working|nurturing|新线索|新建|未处理|跟进中",
    "qualified": "qualified|accepted|mql|sql|合格|已确认|有效",
    "disqualified": "disqualified|unqualified|rejected|junk|dead|lost|不合格|无效|已关闭",
    "converted": "converted|opportunity|customer|已转化|已转换",
}
_STATE_OF: Final = {
    folded(label): state for state, labels in _STATES.items() for label in labels.split("|")
}
_OF_THE_CAPTURE: Final = (
    "name",
    "email",
    "phone",
    "company",
    "source",
    "campaign_id",
    "region",
)


class LeadRow(Body):
    """One lead. Ids come from resolving names first; without a time it is captured now."""

    name: Text | None = None
    email: Text | None = None
    phone: Text | None = None
    company: Text | None = None
    source: Key | None = None
    campaign_id: UUID | None = None
    owner_id: UUID | None = None
    captured_at: Happened | None = None
    status: Text | None = None
    region: Text | None = None
    tags: tuple[Key, ...] = ()


class LeadImport(ImportKind[Lead, LeadRow]):
    """A state is reached when the lead was captured, the only time a file gives. Tags are only ever
    added: a file cannot tell those that somebody put on here."""

    name = "leads"
    aggregate = Lead
    row = LeadRow

    def __init__(self, app: ContactsApplication, request: ImportIn) -> None:
        options_of(Options, request)
        self.app = app
        self.request = request

    def look_up(self, rows: Sequence[LeadRow]) -> None:
        owners = {row.owner_id for row in rows if row.owner_id is not None}
        self._staff = self.app.staff_among(owners)

    def decide(self, thing: Lead, row: LeadRow, *, at: datetime) -> Iterable[DirectoryEntry]:
        state, owner = _state(row), self._owner(row.owner_id)
        if thing.begun:
            _refuse_another_capture(thing, row)
            self._update(thing, row, owner, at)
        else:
            at = _captured_at(row, at)
            self._capture(thing, row, owner, at)
        _reach(thing, state, row, at)
        return ()

    def _capture(self, lead: Lead, row: LeadRow, owner: Staff | None, at: datetime) -> None:
        facts = LeadFacts(
            name=row.name,
            email=row.email,
            phone=row.phone,
            company=row.company,
            source=row.source or "unknown",
            campaign_id=row.campaign_id,
            region=row.region or (owner.region if owner else None),
            tags=row.tags,
        )
        person_id = derived_id(self.app.secret, "lead", "person", str(lead.id))
        lead.capture(person_id, facts, owner, at=at)

    def _update(self, lead: Lead, row: LeadRow, owner: Staff | None, at: datetime) -> None:
        if owner is not None and (lead.owner is None or owner.id != lead.owner.id):
            lead.assign(owner, at=at)
        for tag in row.tags:
            lead.tag(tag, at=at)

    def _owner(self, id: UUID | None) -> Staff | None:
        """A dry run made no stubs, so that whoever is missing then is none."""
        if id is None:
            return None
        if id not in self._staff and not self.request.dry_run:
            remedy = f"there is no member of staff {id}; resolve the name first"
            raise RowRefused("owner", remedy)
        return self._staff.get(id, Staff(id=id))


def _captured_at(row: LeadRow, now: datetime) -> datetime:
    if row.captured_at is None:
        return now
    if row.captured_at > now + CLOCK_SKEW:
        raise RowRefused("captured_at", "this is in the future; correct the date or its format")
    return row.captured_at


def _state(row: LeadRow) -> Status | None:
    if row.status is None:
        return None
    found = _STATE_OF.get(folded(row.status))
    if found is None:
        known = "captured, qualified or disqualified"
        raise RowRefused("status", f"{row.status!r} is no state of a lead; use {known}")
    return found


def _refuse_another_capture(lead: Lead, row: LeadRow) -> None:
    known = asdict(lead.facts)
    for column in _OF_THE_CAPTURE:
        value = getattr(row, column)
        if value is not None and value != known[column]:
            remedy = "it was said when the lead was captured and stays; correct the person instead"
            raise RowRefused(column.removesuffix("_id"), remedy)


def _reach(lead: Lead, state: Status | None, row: LeadRow, at: datetime) -> None:
    """Nothing happens to a lead that is converted here, or that is in this state."""
    if lead.status in ("converted", state):
        return
    if state == "converted":
        remedy = "a lead is converted here, where its deal opens; import it as qualified"
        raise RowRefused("status", remedy)
    if state == "qualified":
        lead.qualify(at=at)
    if state == "disqualified":
        lead.disqualify(row.status or state, at=at)
