"""The rows of a funnel, a line for each stage, in its three modes and as the five-column table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from crm_projections.facts.statistics import complement, median_of, ratio
from crm_projections.views.funnel.stages import Stages
from crm_projections.views.funnel.totals import Cell

Row = Mapping[str, Any]
DaysInStage = Mapping[str, Mapping[int, int]]
"""Stage -> days -> units."""


@dataclass(frozen=True, slots=True)
class Moves:
    """The moves of a period: entries to a stage, and exits from it to a higher one or to won."""

    entered: Counter[str]
    left_forward: Counter[str]


NO_MOVES: Final = Moves(Counter(), Counter())


def cohort_rows(cells: Sequence[Cell], stages: Stages, days: DaysInStage) -> list[Row]:
    """Units that reached each stage or a higher one, whatever became of them; won comes last."""
    won = sum(cell.units for cell in cells if cell.state == "won")
    reached = [_reached(cells, stages, stage.rank) for stage in stages.rows] + [won]
    lost = [_lost_at(cells, stages, stage.rank) for stage in stages.rows]
    first = reached[0]
    rows: list[Row] = []
    for index, stage in enumerate(stages.rows):
        step = ratio(reached[index + 1], reached[index])
        rows.append(
            {
                "stage": stage.name,
                "rank": stage.rank,
                "reached": reached[index],
                "step_conversion": step,
                "overall_conversion": ratio(reached[index], first),
                "drop_off": complement(step),
                "stage_loss_rate": ratio(lost[index], reached[index]),
                "days_in_stage_median": median_of(days.get(stage.key, {})),
                "note": stage.note,
            }
        )
    return [*rows, _won_row(stages, won, first)]


def _won_row(stages: Stages, won: int, first: int) -> Row:
    return {
        "stage": stages.won_name,
        "rank": len(stages.rows) + 1,
        "reached": won,
        "step_conversion": None,
        "overall_conversion": ratio(won, first),
        "drop_off": None,
        "stage_loss_rate": None,
        "days_in_stage_median": None,
        "note": None,
    }


def _reached(cells: Sequence[Cell], stages: Stages, rank: int) -> int:
    return sum(
        cell.units
        for cell in cells
        if cell.state == "won" or stages.rank_of(cell.furthest, cell.furthest_rank) >= rank
    )


def _lost_at(cells: Sequence[Cell], stages: Stages, rank: int) -> int:
    return sum(
        cell.units
        for cell in cells
        if cell.state == "lost" and stages.rank_of(cell.furthest, cell.furthest_rank) == rank
    )


def snapshot_rows(cells: Sequence[Cell], stages: Stages, days: DaysInStage) -> list[Row]:
    """Where units stand; ratios between stages would be no conversion rates, so there are none."""
    standing: Counter[str] = Counter()
    for cell in cells:
        standing[cell.stage if cell.state == "open" else f"\x00{cell.state}"] += cell.units
    rows: list[Row] = [
        {
            "stage": stage.name,
            "rank": stage.rank,
            "standing": standing[stage.key],
            "days_in_stage_median": median_of(days.get(stage.key, {})),
            "note": stage.note,
        }
        for stage in stages.rows
    ]
    terminals = ((stages.won_name, "won"), (stages.lost_name, "lost"))
    last = len(stages.rows) + 1
    return rows + [
        {
            "stage": name,
            "rank": last + index,
            "standing": standing[f"\x00{state}"],
            "days_in_stage_median": None,
            "note": None,
        }
        for index, (name, state) in enumerate(terminals)
    ]


def flow_rows(moves: Moves, stages: Stages) -> list[Row]:
    """Entries and forward exits of the period; it mixes cohorts, so it may exceed 1."""
    rows: list[Row] = [
        {
            "stage": stage.name,
            "rank": stage.rank,
            "entered": moves.entered[stage.key],
            "left_forward": moves.left_forward[stage.key],
            "step_conversion": ratio(moves.left_forward[stage.key], moves.entered[stage.key]),
            "note": stage.note,
        }
        for stage in stages.rows
    ]
    won = {
        "stage": stages.won_name,
        "rank": len(stages.rows) + 1,
        "entered": moves.entered["\x00won"],
        "left_forward": 0,
        "step_conversion": None,
        "note": None,
    }
    return [*rows, won]


def stage_table(rows: Sequence[Row], failure: str) -> list[Row]:
    """阶段/客户数量/转化率/失败率/备注, from the rows of a cohort; the last row has no rates."""
    column = "stage_loss_rate" if failure == "strict" else "drop_off"
    return [
        {
            "阶段": row["stage"],
            "客户数量": row["reached"],
            "转化率": row["step_conversion"],
            "失败率": row[column],
            "备注": row["note"],
        }
        for row in rows
    ]
