"""Units as a batch of events finds them: most of what is stored of them need not be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from crm_events.event import Event, Withdrawal
from sqlalchemy import Connection, select

from crm_projections.engine.writing import among
from crm_projections.facts.cut import still_believed
from crm_projections.facts.instants import FOREVER
from crm_projections.facts.timeline import Interval, KnownInterval, Unit, withdrawn_by
from crm_projections.views.funnel.facts import FunnelTables
from crm_projections.views.funnel.grouping import Grouping
from crm_projections.views.funnel.standing import FunnelFact, Standing, fold
from crm_projections.views.funnel.taken import UNITS

STANDING: Final = Standing._fields[:-1]
GROUPING: Final = Grouping._fields
_TYPES: Final[Mapping[str, type[Event]]] = {event.TYPE: event for event in UNITS}
_FACT: Final = FunnelFact._fields[:-1]
_INTERVAL: Final = ("id", "unit", "known_from", "valid_from", "valid_to", "event_id", "from_day")
_BY: Final = len(_INTERVAL) + len(STANDING)
News = Mapping[UUID, Sequence[FunnelFact]]
"""What a batch says of each unit, in order."""


@dataclass(slots=True)
class FunnelUnit(Unit[Standing, FunnelFact]):
    """`standing` is what its events come to one after another, those that were corrected too, those
    that were withdrawn no more;
    `days` are the local dates of instants at which intervals begin or end."""

    standing: Standing | None = None
    days: dict[int, int] = field(default_factory=dict)

    def add(self, fact: FunnelFact) -> None:
        self.take(fact, fold)
        if isinstance(fact.event, Withdrawal):
            self.stand()
        else:
            self.standing = fold(self.standing, fact)
        self.days[fact.effective] = fact.day

    def stand(self) -> None:
        """Find the standing from all facts."""
        withdrawn = {version for fact in self.facts for version in withdrawn_by(fact.event)}
        self.standing = None
        for fact in self.facts:
            if fact.version not in withdrawn:
                self.standing = fold(self.standing, fact)


def load_units(connection: Connection, tables: FunnelTables, news: News) -> dict[UUID, FunnelUnit]:
    """The units that were known before, with as much of each as its news can change."""
    known = {unit: facts for unit, facts in news.items() if facts[0].version > 1}
    if not known:
        return {}
    found = dict(_going_on(connection, tables, known))
    if rest := [unit for unit in known if unit not in found]:
        found |= _whole(connection, tables, rest)
    return found


def _going_on(
    connection: Connection, tables: FunnelTables, news: News
) -> Iterator[tuple[UUID, FunnelUnit]]:
    """Units whose news only follow what is believed of them: that one interval says it all."""
    events, standings = tables.events, tables.standings
    corrected = select(events.c.unit).where(
        events.c.unit == standings.c.unit, events.c.supersedes.is_not(None)
    )
    last = (standings.c.valid_to == FOREVER, ~corrected.exists())
    for unit, known, day in _believed(connection, tables, list(news), *last):
        since = known.interval.valid_from
        if _follow(news[unit], since):
            standing = known.interval.state
            yield unit, FunnelUnit(known=[known], standing=standing, days={since: day})


def _follow(facts: Sequence[FunnelFact], since: int) -> bool:
    for fact in facts:
        if fact.supersedes is not None or fact.effective < since:
            return False
        since = fact.effective
    return True


def _whole(
    connection: Connection, tables: FunnelTables, ids: Sequence[UUID]
) -> dict[UUID, FunnelUnit]:
    found: dict[UUID, FunnelUnit] = {}
    columns = [tables.events.c[name] for name in (*_FACT, "type", "data")]
    for some in among(connection, tables.events.c.unit, ids):
        query = select(*columns).where(some).order_by(tables.events.c.sequence)
        for *told, type, data in connection.execute(query).all():
            event = _TYPES[type].model_validate_json(data)
            fact = FunnelFact._make((*told, event))
            unit = found.setdefault(fact.unit, FunnelUnit())
            unit.facts.append(fact)
            unit.days[fact.effective] = fact.day
    for unit in found.values():
        unit.stand()
    for id, known, _ in _believed(connection, tables, ids):
        found.setdefault(id, FunnelUnit()).known.append(known)
    return found


def _believed(
    connection: Connection, tables: FunnelTables, ids: Sequence[UUID], *conditions: Any
) -> Iterator[tuple[UUID, KnownInterval[Standing], int]]:
    """What is believed of these units and meets the conditions, with the day it begins."""
    standings = tables.standings
    columns = [standings.c[name] for name in (*_INTERVAL, *STANDING, *GROUPING)]
    for some in among(connection, standings.c.unit, ids):
        query = select(*columns).where(some, still_believed(standings), *conditions)
        for row in connection.execute(query).all():
            id, unit, known_from, valid_from, valid_to, event_id, day, *_ = row
            standing = Standing._make((*row[len(_INTERVAL) : _BY], Grouping._make(row[_BY:])))
            interval = Interval(valid_from, valid_to, event_id, standing)
            yield unit, KnownInterval(interval, known_from, FOREVER, id), day
