"""What each refusal of the views leaves as."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import psycopg
import sqlalchemy.exc
from crm_events.keys.port import KeysUnavailable
from crm_events.sql.postgres import Unreachable
from crm_service.answering import RETRY_AFTER_SECONDS, Translation, unavailable
from crm_service.problems import COMMON, Kind, Problem, Registry, RequestRefused

from crm_projections.engine.evidence import UnknownFigure
from crm_projections.engine.generation import NothingLive, OutdatedView
from crm_projections.engine.resolving import LetterSettled, NoSuchLetter, WaitsBehind
from crm_projections.engine.supposing import PolicyRefused
from crm_projections.jobs.job import NoSuchJob
from crm_projections.views.funnel.stages import UnknownPipeline, UnknownStage

ERRORS: Final[Registry] = COMMON.extended(
    {
        "view-behind": Kind(
            503,
            "The view has not come that far yet",
            "Ask again, or leave `after` out for what it knows now.",
        ),
        "view-not-ready": Kind(503, "The view has no tables that fit", "Start its projection."),
        "letter-settled": Kind(409, "Somebody decided before", "Read the list again."),
        "letter-waits": Kind(409, "An earlier event of the same thing failed", "Settle it first."),
        "figure-unknown": Kind(422, "No such number to be opened", "Name one of those it lists."),
        "stage-unknown": Kind(422, "No such stage", "Name one of those it lists."),
        "generation-gone": Kind(409, "The view was computed anew meanwhile", "Begin again."),
        "position-ahead": Kind(422, "Past the end of what the view knows", "Name one before it."),
        "policy-refused": Kind(
            422, "The policy does not fit", "Change what it says; nothing was done."
        ),
        "pipeline-unknown": Kind(422, "No such pipeline", "Name one of those it lists."),
    }
)


def _not_ready(error: NothingLive | OutdatedView) -> Problem:
    return Problem("view-not-ready", str(error), headers={"Retry-After": "5"})


def behind(position: Mapping[str, int]) -> RequestRefused:
    """What was waited for did not come; `position` is how far the view is."""
    return RequestRefused(
        "view-behind",
        "The view did not reach the position within the time given.",
        extra={"position": dict(position)},
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


def _unreachable(_: Exception) -> Problem:
    return unavailable("The database of the views cannot be reached.")


TRANSLATIONS: Final[Mapping[type[Exception], Translation]] = {
    NothingLive: _not_ready,
    OutdatedView: _not_ready,
    NoSuchLetter: lambda error: Problem("not-found", str(error)),
    LetterSettled: lambda error: Problem("letter-settled", str(error)),
    WaitsBehind: lambda error: Problem("letter-waits", str(error), {"first": error.first}),
    NoSuchJob: lambda error: Problem("not-found", str(error)),
    UnknownFigure: lambda error: Problem("figure-unknown", str(error)),
    PolicyRefused: lambda error: Problem("policy-refused", str(error)),
    UnknownPipeline: lambda error: Problem("pipeline-unknown", str(error)),
    UnknownStage: lambda error: Problem("stage-unknown", str(error)),
    KeysUnavailable: lambda _: unavailable("The key database cannot be reached."),
    sqlalchemy.exc.OperationalError: _unreachable,
    sqlalchemy.exc.InterfaceError: _unreachable,
    sqlalchemy.exc.TimeoutError: _unreachable,
    Unreachable: _unreachable,
    psycopg.OperationalError: _unreachable,
}
