"""The commands about surveys; they are sent by a reaction and time out by a timer."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID, uuid5

from crm_events.application import Outcome, Saving
from crm_events.store.mapper import Cause
from crm_events.store.port import Beside, Timer

from crm_ticketing.application.directory import Directory
from crm_ticketing.domain.ticket import Ticket

SURVEY_TIMEOUT: Final = "survey-timeout"
LOCKS_AFTER: Final = timedelta(days=14)
"""How long after the first answer of a survey a later one replaces it."""


def survey_id(ticket_id: UUID, cycle: int) -> UUID:
    """There is one survey for each resolution of a ticket; its timer has the same id."""
    return uuid5(ticket_id, f"survey/{cycle}")


class Surveys(Directory):
    """What becomes of a survey that was sent."""

    def score_survey(
        self,
        cause: Cause,
        ticket_id: UUID,
        survey_id: UUID,
        score: int,
        comment: str | None,
    ) -> Outcome:
        """The customer's answer; it takes the survey's timer away."""

        def score_it() -> Saving:
            ticket = self.load(Ticket, ticket_id)
            ticket.score_survey(survey_id, score, comment, locks_after=LOCKS_AFTER, at=cause.at)
            return Saving((ticket,), beside=Beside(timers_done=(survey_id,)))

        return self.execute(cause, score_it, commutes=True)

    def time_out_survey(self, cause: Cause, timer: Timer) -> Outcome:
        """Raises SurveyAnswered for one that has been answered meanwhile."""

        def time_out() -> Saving:
            ticket = self.load(Ticket, timer.aggregate_id)
            ticket.time_out_survey(timer.id, at=cause.at)
            return Saving((ticket,), beside=Beside(timers_done=(timer.id,)))

        return self.execute(cause, time_out, commutes=True)
