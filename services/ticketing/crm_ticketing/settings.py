"""What the environment tells ticketing beside what it tells every service."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from crm_service.settings import ServiceSettings
from pydantic import Field


class TicketingSettings(ServiceSettings):
    """`CRM_SURVEY_TIMEOUT_HOURS`: how long a survey waits for its answer, up to a year."""

    survey_timeout_hours: Annotated[float, Field(gt=0, le=8_784)] = 72

    @property
    def survey_timeout(self) -> timedelta:
        return timedelta(hours=self.survey_timeout_hours)
