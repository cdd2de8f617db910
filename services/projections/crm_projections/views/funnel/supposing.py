"""The funnel's facts under another set of stages: renamed in memory, counted by the same code.

Three things follow from more than one row. How far a unit ever got is found again from its moves,
for the order of stages may be another one. A move between stages that become one is none any more.
And what is not of the pipeline is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from crm_projections.columns.counting import Array
from crm_projections.columns.cut import Mask, begun_at
from crm_projections.columns.frame import Columns
from crm_projections.columns.words import Codes, Words
from crm_projections.engine.view import Cut
from crm_projections.views.funnel.stage_map import StageMap
from crm_projections.views.funnel.standing import NO_STAGE


def of_pipeline(columns: Columns, pipeline: str) -> Columns:
    return _rows(columns, np.flatnonzero(columns.is_word("pipeline", pipeline)))


def _rows(columns: Columns, rows: Array) -> Columns:
    arrays = {name: array[rows] for name, array in columns.arrays.items()}
    return replace(columns, size=len(rows), arrays=arrays)


def entered_stages(moves: Columns) -> list[str]:
    """The keys of all stages that were ever entered."""
    entered = moves["stage"][moves.is_word("state", "open")]
    return [moves.words["stage"].value_of(code) for code in np.unique(entered).tolist()]


def supposed_standings(standings: Columns, moves: Columns, cut: Cut, to: StageMap) -> Columns:
    """Standings of a pipeline. How far a unit got is right in the rows that stand at the cut."""
    words = Words()
    stage = _coded(standings, "stage", words, to.new_keys)
    ranks = _furthest(standings, moves, cut, to)
    ordered = sorted(to.ranks, key=lambda key: to.ranks[key])
    by_rank = words.coded([NO_STAGE, *ordered])
    changed = {"stage": stage, "furthest": by_rank[ranks], "furthest_rank": ranks}
    return _changed(standings, changed, words, ("stage", "furthest"))


def _furthest(standings: Columns, moves: Columns, cut: Cut, to: StageMap) -> Array:
    """For each row the highest rank among the stages that its unit had entered by the cut."""
    seen = begun_at(moves, cut) & moves.is_word("state", "open")
    unit = _units(moves, standings)[moves["unit"]]
    seen &= unit >= 0
    words = Words()
    ranks = _ranks(words, _coded(moves, "stage", words, to.new_keys), to)
    best = np.zeros(standings.things["unit"], dtype=np.int64)
    np.maximum.at(best, unit[seen], ranks[seen])
    return best[standings["unit"]]


def _units(moves: Columns, standings: Columns) -> Array:
    """The number that standings give a unit by that which moves give it; -1 where they do not
    know it. They are of one event where they became known by the same sequence."""
    found = np.full(moves.things["unit"], -1, dtype=np.int64)
    order = np.argsort(moves["known_from"])
    known_from = moves["known_from"][order]
    places = np.searchsorted(known_from, standings["known_from"])
    same = places < len(order)
    same[same] = known_from[places[same]] == standings["known_from"][same]
    found[moves["unit"][order[places[same]]]] = standings["unit"][same]
    return found


def supposed_moves(moves: Columns, to: StageMap) -> Columns:
    """Moves of a pipeline, without those that stay in their stage."""
    words = Words()
    stage = _coded(moves, "stage", words, to.new_keys)
    previous = _coded(moves, "previous", words, to.new_keys)
    changed = {
        "stage": stage,
        "previous": previous,
        "rank": _ranks(words, stage, to),
        "previous_rank": _ranks(words, previous, to),
    }
    gone = _stays(moves, stage == previous)
    return _rows(
        _changed(moves, changed, words, ("stage", "previous")),
        np.flatnonzero(~gone),
    )


def _stays(moves: Columns, same: Mask) -> Mask:
    """Moves from one stage to another that become the same, of a unit that was open before."""
    words = Words()
    moved = _coded(moves, "stage", words, {}) != _coded(moves, "previous", words, {})
    may = np.flatnonzero(same & moved & moves.is_word("state", "open"))
    still_open = moves.is_word("state", "open")[_before(moves, may)]
    found = np.zeros(moves.size, dtype=np.bool_)
    found[may[still_open]] = True
    return found


def _before(moves: Columns, rows: Array) -> Array:
    """For each of these rows that of the move it came from: the last one of its unit that was
    known, and not taken back yet, when it became known."""
    order = np.lexsort((moves["known_from"], moves["unit"]))
    place = np.empty(moves.size, dtype=np.int64)
    place[order] = np.arange(moves.size)
    at = np.maximum(place[rows] - 1, 0)
    taken_back = (at > 0) & _taken_back(moves, rows, order[at])
    while taken_back.any():
        at[taken_back] -= 1
        taken_back = (at > 0) & _taken_back(moves, rows, order[at])
    return order[at]


def _taken_back(moves: Columns, rows: Array, before: Array) -> Mask:
    ended: Mask = moves["known_to"][before] < moves["known_from"][rows]
    same_unit: Mask = moves["unit"][before] == moves["unit"][rows]
    return ended & same_unit


def _coded(columns: Columns, name: str, words: Words, to: Mapping[str, str]) -> Codes:
    """A column of keys in the codes of these words; keys that the map does not name stay."""
    codes = words.coded(to.get(key, key) for key in columns.words[name].values)
    found: Codes = codes[columns[name]]
    return found


def _ranks(words: Words, codes: Codes, to: StageMap) -> Array:
    ranks = np.array([to.ranks.get(key, 0) for key in words.values], dtype=np.int64)
    found: Array = ranks[codes]
    return found


def _changed(
    columns: Columns, arrays: Mapping[str, Any], words: Words, names: Iterable[str]
) -> Columns:
    return replace(
        columns,
        arrays={**columns.arrays, **arrays},
        words={**columns.words, **dict.fromkeys(names, words)},
    )
