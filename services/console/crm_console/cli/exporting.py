"""`crm export`: events, facts and views as files for other programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from crm_console.cli.failures import explained
from crm_console.cli.output import OutputOption, print_list, progress
from crm_console.cli.session import opened
from crm_console.cli.viewing import pairs
from crm_console.exporting.export import Exported, export
from crm_console.exporting.sources import answer, events, facts
from crm_console.exporting.writing import Format
from crm_console.files import WrongPlace
from crm_console.interruption import interruptible
from crm_console.settling import settle
from crm_console.transport import Connection

_VIEWS: Final = ("funnel", "satisfaction", "retention")
_SHOWN: Final = {"file": "file", "rows": "rows", "bytes": "bytes", "sha256": "sha256"}
_BEGINS_ANEW: Final = (
    "every file that is there is whole, and nothing is left of the one at work; the same command "
    "begins anew."
)


def export_file(
    context: typer.Context,
    what: Annotated[str, typer.Argument(help="events, facts, or a view: funnel, ...")],
    out: Annotated[Path, typer.Option(help="The file; of facts a folder, a file for each table")],
    format: Annotated[Format, typer.Option(help="How to write it")] = Format.CSV,
    view: Annotated[
        list[str] | None, typer.Option("--view", help="Whose facts; repeatable; else all views'")
    ] = None,
    start: Annotated[str | None, typer.Option("--from", help="Effects from then on")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Effects before then")] = None,
    as_of: Annotated[str | None, typer.Option(help="No later effects than this")] = None,
    known_at: Annotated[str | None, typer.Option(help="Nothing recorded later than this")] = None,
    options: Annotated[
        list[str] | None, typer.Option("--set", help="A parameter of the view: by=region")
    ] = None,
    output: OutputOption = None,
) -> None:
    """Write events, the facts of views, or a view to a file, with a sidecar FILE.json.

    The sidecar says up to which position, how many rows, with what columns, and the sha256. Events
    are as they are stored: personal fields in them are sealed. Facts are those of one position. A
    file is there whole or not at all; what was interrupted is begun again.

    Example: crm export events --format parquet --out events.parquet
    """
    asked = {"from": start, "to": end, "as_of": as_of, "known_at": known_at}
    asked |= pairs(options or [])
    with explained(), interruptible(_BEGINS_ANEW), opened(context.obj) as connection:
        settle(connection)
        _refuse_unused(what, asked, view)
        files = _files(connection, what, asked, (out, format, view or _VIEWS))
        done = [_written(what, name, source, format) for name, source in files]
    print_list(output, _SHOWN, done)


def _refuse_unused(what: str, asked: Mapping[str, Any], view: Sequence[str] | None) -> None:
    given = {name for name, value in asked.items() if value is not None}
    if what == "facts" and given - {"known_at"}:
        raise typer.BadParameter("facts are told whole; only --known-at cuts them")
    if what == "events" and given - {"from", "to", "as_of", "known_at"}:
        raise typer.BadParameter("--set is for views; events take none")
    if what != "facts" and view:
        raise typer.BadParameter("--view says whose facts; it goes with `crm export facts`")


def _files(
    connection: Connection,
    what: str,
    asked: Mapping[str, Any],
    place: tuple[Path, Format, Sequence[str]],
) -> Iterator[tuple[Path, Exported]]:
    out, format, views = place
    if what == "events":
        yield out, events(connection, asked)
    elif what != "facts":
        yield out, answer(connection, what, asked)
    else:
        for view in views:
            for table, found in facts(connection, view, asked["known_at"]):
                yield _folder(out) / f"{table}.{format}", found


def _folder(out: Path) -> Path:
    try:
        out.mkdir(exist_ok=True)
    except OSError as error:
        raise WrongPlace(f"{out} cannot be made a folder: {error.strerror}.") from error
    return out


def _written(what: str, path: Path, found: Exported, format: Format) -> Mapping[str, Any]:
    total = sum(found.position.values()) if what == "events" else None
    with progress(f"export {path.name}", total) as bar:
        task = bar.task_ids[0]
        return export(found, path, format, lambda rows: bar.update(task, completed=rows))
