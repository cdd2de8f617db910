"""The options of `crm import`, one alias each: a command's options are its parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crm_console.importing import KINDS

KindOfRows = Annotated[str, typer.Argument(metavar="KIND", help=", ".join(KINDS))]
File = Annotated[Path | None, typer.Argument(help="CSV or any table of text")]
Fields = Annotated[bool, typer.Option("--fields", help="List the fields of this kind and stop")]
Maps = Annotated[
    list[str] | None, typer.Option("--map", help="field=column or field=column+column")
]
MappingFile = Annotated[Path | None, typer.Option(help="The same in a TOML file")]
Constants = Annotated[list[str] | None, typer.Option("--set", help="field=value for every row")]
Columns = Annotated[
    str | None, typer.Option(help="Names of the columns of a file without a header: a,b,c")
]
NoHeader = Annotated[bool, typer.Option("--no-header", help="The first line is a row")]
Encoding = Annotated[str | None, typer.Option(help="Found by itself when left out")]
Delimiter = Annotated[str | None, typer.Option(help="Found by itself when left out")]
DateFormats = Annotated[
    list[str] | None, typer.Option("--date-format", help="DD/MM/YYYY and such, or field=format")
]
Decimals = Annotated[str | None, typer.Option(help="point or comma")]
TimeZone = Annotated[str, typer.Option(help="Zone of times that name none")]
Currency = Annotated[str | None, typer.Option(help="Of amounts that name none")]
Stages = Annotated[
    str | None, typer.Option(help="Open stages of deals in order: Prospecting,Engaging")
]
Won = Annotated[str | None, typer.Option(help="What a won deal is called")]
Lost = Annotated[str | None, typer.Option(help="What a lost deal is called")]
Pipeline = Annotated[str, typer.Option(help="Pipeline of the deals")]
Source = Annotated[str, typer.Option(help="Where the data comes from; keys are unique in a source")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Decide every row and keep nothing")]
Errors = Annotated[Path | None, typer.Option(help="Write refused rows to this CSV")]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on after the last row an interrupted run sent")
]
