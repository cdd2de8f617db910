"""A ticket: one concern of one customer, through resolutions and surveys to its closing."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from uuid import UUID

from crm_events.contracts.ticketing import (
    SurveyScored,
    SurveySent,
    SurveyTimedOut,
    TicketAmended,
    TicketAssigned,
    TicketClosed,
    TicketHeld,
    TicketOpened,
    TicketReopened,
    TicketReplied,
    TicketResolved,
    TicketResumed,
)
from crm_events.domain import Aggregate, applies
from crm_events.event import Staff

from crm_ticketing.domain.concern import Concern, Status, TicketExists, TicketNotReady
from crm_ticketing.domain.survey import Survey, SurveyPending, SurveyRepeated, SurveyUnknown


class Ticket(Aggregate):
    """One ticket. `cycle` counts its resolutions; each is surveyed once. `solved` says whether it
    was resolved when it was closed last."""

    def __init__(self, id: UUID) -> None:
        super().__init__(id)
        self.status: Status = "new"
        self.concern = Concern("", "")
        self.agent: Staff | None = None
        self.cycle = 0
        self.solved = False
        self.resolvers: dict[int, Staff | None] = {}
        self.surveys: dict[UUID, Survey] = {}

    def open(
        self,
        concern: Concern,
        summary: str | None = None,
        feedback_id: UUID | None = None,
        *,
        at: datetime,
    ) -> None:
        """Raises TicketExists."""
        if self.begun:
            raise TicketExists
        self.record(
            TicketOpened(feedback_id=feedback_id, summary=summary, **asdict(concern)), at=at
        )

    def assign(self, agent: Staff, rules_version: int | None = None, *, at: datetime) -> None:
        """Nothing happens when the agent has it already. Raises TicketNotReady when closed."""
        self._refuse_unless("open", "held", "resolved")
        if agent != self.agent:
            self.record(TicketAssigned(agent=agent, rules_version=rules_version), at=at)

    def reply(
        self, body: str | None, *, public: bool = True, agent: Staff | None = None, at: datetime
    ) -> None:
        """To the customer, or as a note among colleagues; None where it is only known that there
        was one. Raises TicketNotReady when closed."""
        self._refuse_unless("open", "held", "resolved")
        customer_id = self.concern.customer_id
        self.record(
            TicketReplied(customer_id=customer_id, body=body, public=public, agent=agent), at=at
        )

    def hold(self, reason: str, *, at: datetime) -> None:
        """Raises TicketNotReady."""
        self._refuse_unless("open")
        self.record(TicketHeld(customer_id=self.concern.customer_id, reason=reason), at=at)

    def resume(self, *, at: datetime) -> None:
        """Raises TicketNotReady."""
        self._refuse_unless("held")
        self.record(TicketResumed(), at=at)

    def resolve(self, resolution: str | None = None, *, at: datetime) -> None:
        """To the credit of whoever has it now. Raises TicketNotReady."""
        self._refuse_unless("open", "held")
        self.record(
            TicketResolved(
                cycle=self.cycle + 1,
                agent=self.agent,
                customer_id=self.concern.customer_id,
                resolution=resolution,
            ),
            at=at,
        )

    def send_survey(
        self, survey_id: UUID, cycle: int, *, due_at: datetime | None, at: datetime
    ) -> None:
        """One for each resolution; cycle 0 asks about a ticket that was never resolved.

        Raises TicketNotReady and SurveyRepeated.
        """
        self._refuse_unless(*(("resolved",) if cycle else ("open", "held")))
        if cycle != self.cycle or self.survey_of(cycle) is not None:
            raise SurveyRepeated(cycle)
        channel = self.concern.channel
        self.record(
            SurveySent(survey_id=survey_id, cycle=cycle, channel=channel, due_at=due_at), at=at
        )

    def score_survey(
        self,
        survey_id: UUID,
        score: int,
        comment: str | None = None,
        *,
        locks_after: timedelta | None,
        at: datetime,
    ) -> None:
        """The customer's answer, 1 to 5; a later one replaces it for `locks_after` from the first.

        Raises SurveyUnknown, ScoreRefused, SurveyMissed and SurveyLocked.
        """
        survey = self._survey(survey_id)
        survey.refuse_score(score, at)
        self.record(
            SurveyScored(
                survey_id=survey_id,
                cycle=survey.cycle,
                score=score,
                customer_id=self.concern.customer_id,
                comment=comment,
                agent=self.resolvers.get(survey.cycle) or self.agent,
                locks_at=survey.locks_at or (at + locks_after if locks_after else None),
            ),
            at=at,
        )

    def time_out_survey(self, survey_id: UUID, *, at: datetime) -> None:
        """Raises SurveyUnknown and SurveyAnswered."""
        survey = self._survey(survey_id)
        survey.refuse_time_out()
        self.record(SurveyTimedOut(survey_id=survey_id, cycle=survey.cycle), at=at)

    def close(self, *, at: datetime) -> None:
        """After its resolution's survey; a ticket without a customer has none.

        Raises TicketNotReady and SurveyPending.
        """
        self._refuse_unless("resolved")
        survey = self.survey_of(self.cycle)
        asked = survey is not None or self.concern.customer_id is not None
        if asked and (survey is None or survey[1].state == "pending"):
            raise SurveyPending
        self.record(TicketClosed(), at=at)

    def close_as_recorded(self, *, at: datetime) -> None:
        """Somewhere else it was closed, resolved or not, whatever we would have asked before.

        Raises TicketNotReady.
        """
        self._refuse_unless("open", "held", "resolved")
        self.record(TicketClosed(resolved=self.status == "resolved"), at=at)

    def reopen(self, reason: str | None = None, *, at: datetime) -> None:
        """Its next resolution begins another cycle. Raises TicketNotReady."""
        self._refuse_unless("resolved", "closed")
        self.record(TicketReopened(customer_id=self.concern.customer_id, reason=reason), at=at)

    def amend(self, concern: Concern, *, at: datetime) -> None:
        """What it is about from now on; nothing happens when it is the same."""
        if concern != self.concern:
            self.record(TicketAmended(**asdict(concern)), at=at)

    def survey_of(self, cycle: int) -> tuple[UUID, Survey] | None:
        """The survey of one resolution with its id."""
        return next((item for item in self.surveys.items() if item[1].cycle == cycle), None)

    def _survey(self, survey_id: UUID) -> Survey:
        if survey_id not in self.surveys:
            raise SurveyUnknown
        return self.surveys[survey_id]

    def _refuse_unless(self, *wanted: Status) -> None:
        if self.status not in wanted:
            raise TicketNotReady(self.status, wanted)

    @applies(TicketOpened)
    def _opened(self, event: TicketOpened) -> None:
        self.status, self.concern = "open", _concern(event)

    @applies(TicketAmended)
    def _amended(self, event: TicketAmended) -> None:
        self.concern = _concern(event)

    @applies(TicketAssigned)
    def _assigned(self, event: TicketAssigned) -> None:
        self.agent = event.agent

    @applies(TicketHeld)
    def _held(self, _: TicketHeld) -> None:
        self.status = "held"

    @applies(TicketResumed)
    def _resumed(self, _: TicketResumed) -> None:
        self.status = "open"

    @applies(TicketResolved)
    def _resolved(self, event: TicketResolved) -> None:
        self.status, self.cycle = "resolved", event.cycle
        self.resolvers[event.cycle] = event.agent

    @applies(TicketClosed)
    def _closed(self, event: TicketClosed) -> None:
        self.status, self.solved = "closed", event.resolved

    @applies(TicketReopened)
    def _reopened(self, _: TicketReopened) -> None:
        self.status = "open"

    @applies(SurveySent)
    def _survey_sent(self, event: SurveySent) -> None:
        self.surveys[event.survey_id] = Survey(event.cycle)

    @applies(SurveyScored)
    def _survey_scored(self, event: SurveyScored) -> None:
        survey = Survey(event.cycle, "scored", event.score, event.comment, event.locks_at)
        self.surveys[event.survey_id] = survey

    @applies(SurveyTimedOut)
    def _survey_timed_out(self, event: SurveyTimedOut) -> None:
        self.surveys[event.survey_id] = Survey(event.cycle, "timed-out")


def _concern(event: TicketOpened | TicketAmended) -> Concern:
    return Concern(event.category, event.channel, event.priority, event.customer_id)
