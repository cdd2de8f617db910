from datetime import timedelta

import pytest
from crm_service.settings import SettingsRefused, read_settings
from crm_ticketing.settings import TicketingSettings


def test_a_survey_waits_three_days_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CRM_SURVEY_TIMEOUT_HOURS", raising=False)
    assert read_settings(TicketingSettings).survey_timeout == timedelta(days=3)
    monkeypatch.setenv("CRM_SURVEY_TIMEOUT_HOURS", "1.5")
    assert read_settings(TicketingSettings).survey_timeout == timedelta(minutes=90)


@pytest.mark.parametrize("hours", ["0", "-1", "9000", "soon", "nan"])
def test_a_time_that_makes_no_sense_is_refused(monkeypatch: pytest.MonkeyPatch, hours: str) -> None:
    monkeypatch.setenv("CRM_SURVEY_TIMEOUT_HOURS", hours)
    with pytest.raises(SettingsRefused, match="CRM_SURVEY_TIMEOUT_HOURS"):
        read_settings(TicketingSettings)
