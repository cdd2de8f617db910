"""Errors of the application whose message is all that the person who started it needs."""

from __future__ import annotations

from typing import Final

from crm_service.principals import Unguarded
from crm_service.serving import AddressTaken
from crm_service.settings import SettingsRefused
from crm_service.tokens import TokensUnreadable, UnknownToken

REFUSALS: Final = (SettingsRefused, Unguarded, UnknownToken)
FAILURES: Final = (AddressTaken, TokensUnreadable)
