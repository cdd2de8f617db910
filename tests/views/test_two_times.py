"""Every view at any (as_of, known_at) equals a plain fold of the log that the cut sees."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from crm_events.contracts import pipeline, ticketing
from crm_projections.views.funnel.projector import FunnelView
from crm_projections.views.satisfaction.projector import SatisfactionView
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.viewing import UTC_EURO, Told, Viewing, at, identity
from tests.views.funnel import deals
from tests.views.satisfaction import test_satisfaction as tickets

BEGIN = at("2026-03-01")
DAYS = 6


@dataclass(frozen=True, slots=True)
class Step:
    """One event to tell: of which unit, of what kind, how many days after the begin."""

    unit: int
    kind: str
    day: int
    corrects: bool


def steps(kinds: Sequence[str]) -> st.SearchStrategy[list[Step]]:
    step = st.builds(
        Step, st.integers(0, 3), st.sampled_from(kinds), st.integers(0, DAYS), st.booleans()
    )
    return st.lists(step, min_size=1, max_size=14)


class Log:
    """Tells steps to a view and keeps what it told, for a fold of our own."""

    def __init__(self, viewing: Viewing) -> None:
        self.viewing = viewing
        self.told: list[tuple[int, str, Told]] = []
        self._versions: Counter[str] = Counter()

    def tell(self, step: Step, told: Told) -> None:
        """A correction supersedes the unit's event before it; the opening is never corrected."""
        self._versions[told.unit] += 1
        version = self._versions[told.unit]
        corrected = (
            identity(f"{told.unit}/{version - 1}") if step.corrects and version > 2 else None
        )
        told = Told(told.unit, told.event, told.when, corrected)
        self.told.append((version, told.unit, told))

    def flush(self, batch: int) -> None:
        self.viewing.tell(*(told for _, _, told in self.told), batch=batch)

    def seen(self, as_of: datetime, known: int) -> dict[str, list[Told]]:
        """Each unit's events that the cut sees, in order of version."""
        prefix = self.told[:known]
        gone = {told.supersedes for _, _, told in prefix}
        units: dict[str, list[Told]] = {}
        for version, unit, told in prefix:
            if told.when <= as_of and identity(f"{unit}/{version}") not in gone:
                units.setdefault(unit, []).append(told)
        return units


def deal_step(step: Step, number: int) -> Told:
    unit, when = f"deal{step.unit}", BEGIN + timedelta(days=step.day)
    match step.kind:
        case "advance":
            return deals.advanced(unit, when, deals.TRIAL)
        case "back":
            return deals.moved_back(unit, when, deals.AWARE, deals.TRIAL)
        case "win":
            return deals.won(unit, when, amount=deals.euros(number))
        case "lose":
            return deals.lost(unit, when)
        case _:
            return deals.reopened(unit, when, deals.OFFER)


def deals_told(history: Sequence[Step], batch: int) -> Log:
    """A funnel's log of these steps, told in batches; each deal is opened before its first."""
    log = Log(Viewing(FunnelView(UTC_EURO)))
    log.viewing.tell(deals.defined(at("2020-01-01")))
    opened: set[int] = set()
    for number, step in enumerate(history):
        if step.unit not in opened:
            opened.add(step.unit)
            log.tell(step, deals.opened(f"deal{step.unit}", BEGIN + timedelta(days=step.day)))
        log.tell(step, deal_step(step, number))
    log.flush(batch)
    return log


def standing(events: Sequence[Told]) -> str | None:
    """Where a deal stands after these events; nowhere before its opening."""
    found: str | None = None
    for told in events:
        if isinstance(told.event, pipeline.DealOpened):
            found = told.event.stage.name
        elif found is None:
            continue
        elif isinstance(told.event, pipeline.DealWon):
            found = "Won"
        elif isinstance(told.event, pipeline.DealLost):
            found = "Lost"
        else:
            found = told.event.stage.name  # type: ignore[attr-defined]
    return found


@settings(max_examples=60, deadline=None)
@given(
    steps(["advance", "back", "win", "lose", "reopen"]),
    st.integers(1, 20),
    st.integers(0, DAYS),
    st.integers(1, 20),
)
def test_funnel_at_any_cut_equals_a_plain_fold(
    history: list[Step], batch: int, day: int, known: int
) -> None:
    log = deals_told(history, batch)
    as_of = BEGIN + timedelta(days=day)
    expected = Counter(standing(events) for events in log.seen(as_of, known).values())
    answer = log.viewing.ask(
        as_of=as_of.strftime("%Y-%m-%d"), known={"pipeline": known + 1}, mode="snapshot"
    )
    found = Counter({row["stage"]: row["standing"] for row in answer.rows})
    expected.pop(None, None)
    assert +found == expected


def ticket_step(step: Step, number: int) -> Told:
    unit, when = f"ticket{step.unit}", BEGIN + timedelta(days=step.day)
    match step.kind:
        case "resolve":
            return tickets.resolved(unit, tickets.DAN, when)
        case "send":
            return tickets.sent(unit, when)
        case _:
            return tickets.scored(unit, number % 5 + 1, when)


def score(events: Sequence[Told]) -> int | None:
    """The last answer to the ticket's survey, after it was sent and the ticket opened."""
    open_, sent, found = False, False, None
    for told in events:
        open_ = open_ or isinstance(told.event, ticketing.TicketOpened)
        sent = sent or (open_ and isinstance(told.event, ticketing.SurveySent))
        if sent and isinstance(told.event, ticketing.SurveyScored):
            found = told.event.score
    return found


@settings(max_examples=60, deadline=None)
@given(
    steps(["resolve", "send", "score"]),
    st.integers(1, 20),
    st.integers(0, DAYS),
    st.integers(1, 20),
)
def test_satisfaction_at_any_cut_equals_a_plain_fold(
    history: list[Step], batch: int, day: int, known: int
) -> None:
    log = Log(Viewing(SatisfactionView(UTC_EURO)))
    opened: set[int] = set()
    for number, step in enumerate(history):
        if step.unit not in opened:
            opened.add(step.unit)
            log.tell(step, tickets.opened(f"ticket{step.unit}", BEGIN + timedelta(days=step.day)))
        log.tell(step, ticket_step(step, number))
    log.flush(batch)
    as_of = BEGIN + timedelta(days=day)
    scores = [score(events) for events in log.seen(as_of, known).values()]
    expected = Counter(str(found) for found in scores if found is not None)
    answer = log.viewing.ask(as_of=as_of.strftime("%Y-%m-%d"), known={"ticketing": known})
    assert +Counter(answer.distribution or {}) == expected
