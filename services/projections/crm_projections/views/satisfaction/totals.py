"""The figures of satisfaction from pooled counts; never a mean of means."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from crm_projections.facts.statistics import mean_of, ratio, wilson
from crm_projections.views.satisfaction.rule import SurveyRule

SCALE = range(1, 6)


@dataclass(slots=True)
class Counts:
    """Counts of tickets, resolutions and surveys, and of answers by score."""

    tickets: int = 0
    resolved: int = 0
    delivered: int = 0
    scores: Counter[int] = field(default_factory=Counter)


def named(counts: Counts, rule: SurveyRule) -> dict[str, Any]:
    """The totals under their published names. Top-2-box: the share of 4 and 5 among answers, as
    the rule in force has it."""
    responses = sum(counts.scores.values())
    top = sum(counts.scores[score] for score in SCALE if score >= rule.satisfied_from)
    bottom = sum(counts.scores[score] for score in SCALE if score <= rule.dissatisfied_upto)
    low, high = wilson(top, responses) or (None, None)
    return {
        "tickets": counts.tickets,
        "surveys_delivered": counts.delivered,
        "responses": responses,
        "response_rate": ratio(responses, counts.delivered),
        "survey_coverage": ratio(counts.delivered, counts.resolved),
        "mean": mean_of(counts.scores),
        "top2_box": ratio(top, responses),
        "top2_box_low": low,
        "top2_box_high": high,
        "bottom2_box": ratio(bottom, responses),
    }


def distribution(counts: Counts) -> dict[str, int]:
    """Every score of the scale with its count, also where it is 0."""
    return {str(score): counts.scores[score] for score in SCALE}
