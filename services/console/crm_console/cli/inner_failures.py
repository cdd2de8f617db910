"""Errors of the application whose message is all that the person who started it needs."""

from __future__ import annotations

from typing import Final

from crm_service.principals import Unguarded
from crm_service.serving import AddressTaken
from crm_service.settings import SettingsRefused
from crm_service.tokens import TokensUnreadable, UnknownToken

from crm_console.auditing.outside import CheckpointRefused, NoSuchKey
from crm_console.auditing.proofs import ProofUnreadable
from crm_console.auditing.verification import StateRefused

REFUSALS: Final = (
    SettingsRefused,
    Unguarded,
    UnknownToken,
    CheckpointRefused,
    NoSuchKey,
    ProofUnreadable,
    StateRefused,
)
FAILURES: Final = (AddressTaken, TokensUnreadable)
