"""The stages of deals, whose order and outcome no file tells: a person must."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from crm_events.names import folded

from crm_console.importing.errors import FileRefused
from crm_console.importing.options import ImportOptions

OPEN: Final = "open"
WON: Final = "won"
LOST: Final = "lost"
_WON_WORDS: Final = frozenset(("won", "closedwon", "win", "赢单", "成交", "已成交", "购买"))
_LOST_WORDS: Final = frozenset(("lost", "closedlost", "lose", "输单", "丢单", "流失", "失败"))


@dataclass(frozen=True, slots=True)
class Stages:
    """Every stage a deal of the file may be in, in order, with what it means for the deal."""

    outcomes: Mapping[str, str]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.outcomes)


def stages_said(options: ImportOptions) -> Stages:
    """Raises FileRefused where one name stands for two stages."""
    said = [
        *((stage.strip(), OPEN) for stage in options.stages),
        *((stage.strip(), WON) for stage in options.won),
        *((stage.strip(), LOST) for stage in options.lost),
    ]
    by_name: dict[str, str] = {}
    for stage, _ in said:
        twin = by_name.setdefault(folded(stage), stage)
        if not stage or sum(folded(stage) == folded(other) for other, _ in said) > 1:
            raise FileRefused(f"Stage {twin!r} stands twice in --stages, --won and --lost.")
    return Stages(dict(said))


def refuse_without_order(column: str, counts: Mapping[str, int]) -> FileRefused:
    """The refusal for deals with a state but no `--stages`, with a remedy made of the file."""
    found = ", ".join(f"{stage} ({count:,})" for stage, count in counts.items())
    won = [stage for stage in counts if folded(stage) in _WON_WORDS]
    lost = [stage for stage in counts if folded(stage) in _LOST_WORDS]
    open_ = [stage for stage in counts if stage not in won and stage not in lost]
    options = (("--stages", open_ or ["Open"]), ("--won", won), ("--lost", lost))
    example = " ".join(_option(name, stages) for name, stages in options if stages)
    return FileRefused(
        f"Column {column} says where each deal stands, but not in which order the stages come."
        + (f" It has {found}." if found else ""),
        f"Say the open stages first to last, and what is won and lost, for example: {example}",
    )


def _option(name: str, stages: Sequence[str]) -> str:
    return f'{name} "{",".join(stages)}"'
