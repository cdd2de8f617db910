"""The options of every command that asks a view as a whole."""

from __future__ import annotations

from typing import Annotated

import typer

FromOption = Annotated[str | None, typer.Option("--from", help="Begin of the period")]
ToOption = Annotated[str | None, typer.Option("--to", help="End of the period, not included")]
AsOfOption = Annotated[str | None, typer.Option(help="As it was at the end of this day")]
KnownAtOption = Annotated[str | None, typer.Option(help="As it was known by this time")]
ByOption = Annotated[str | None, typer.Option(help="Break down, such as region or owner")]
ModeOption = Annotated[str | None, typer.Option(help="cohort, snapshot, flow; classic, ...")]
