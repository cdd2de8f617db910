"""One import: names to ids first, then the rows in batches, and what became of each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from crm_events.ids import new_id

from crm_console.importing import ImportFile, ImportRow, Problem, RowError
from crm_console.sending.references import (
    ROUTES,
    Reference,
    UnknownName,
    field_of,
    with_ids,
)
from crm_console.transport import ServerSaid, Transport

BATCH: Final = 1_000
_NAMES: Final = 2_000
_TRIES: Final = 5
_UNAVAILABLE: Final = 503
_PAUSE_SECONDS: Final = 1.0

Advance = Callable[[int], None]
"""Told how many more rows are done."""
Refused = Callable[[RowError], None]


@dataclass(frozen=True, slots=True)
class Sending:
    """What is said of the whole import."""

    source: str
    options: Mapping[str, Any]
    dry_run: bool = False
    after_line: int = 0
    """Rows up to this line were answered by an earlier run."""
    correlation: str = field(default_factory=lambda: str(new_id()))
    """What all events of the import have in common, by which it can be undone."""


@dataclass(slots=True)
class Summary:
    """What became of the rows, and of the names in them."""

    correlation: str = ""
    read: int = 0
    accepted: int = 0
    unchanged: int = 0
    refused: int = 0
    resumed_after_line: int = 0
    refused_before: int = 0
    """Rows up to that line, which an earlier run sent."""
    stubs: list[str] = field(default_factory=list)
    guessed: list[str] = field(default_factory=list)


class Sender:
    """Sends one opened file. Refusals go to `refused` as they come."""

    def __init__(
        self,
        transport: Transport,
        file: ImportFile,
        sending: Sending,
        refused: Refused,
        *,
        pause: float = _PAUSE_SECONDS,
    ) -> None:
        self._transport = transport
        self._file = file
        self._sending = sending
        self._refused = refused
        self._pause = pause
        self._route = ROUTES[file.kind.name]
        self._after: dict[str, int] = {}
        self._ids: dict[tuple[str, str, str], str | None] = {}
        self.summary = Summary(sending.correlation, resumed_after_line=sending.after_line)

    def send(self, advance: Advance, reached: Callable[[int], None]) -> Summary:
        """Send everything. `reached` is told the last line of every answered batch."""
        self._resolve_names()
        for batch in _batches(self._todo(), BATCH):
            self._send_batch(batch)
            if not self._sending.dry_run:
                reached(batch[-1].line)
            advance(len(batch))
        return self.summary

    def _todo(self) -> Iterator[ImportRow | RowError]:
        for row in self._file.rows():
            if row.line > self._sending.after_line:
                self.summary.read += 1
                yield row

    # --- names ---

    def _resolve_names(self) -> None:
        wanted = [r for r in self._route.references if r.field in self._file.mapping]
        for context in {"contacts"} if self._route.context != "contacts" else set():
            self._after[context] = self._head(context)
        if not wanted:
            return
        names: dict[Reference, dict[str, None]] = {reference: {} for reference in wanted}
        for row in self._file.rows():
            if isinstance(row, ImportRow):
                _collect(row.values, names)
        for reference, found in names.items():
            for chunk in _batches(iter(found), _NAMES):
                self._resolve(reference, chunk)

    def _head(self, context: str) -> int:
        return int(self._asked("GET", f"/v1/{context}/position")["sequence"])

    def _resolve(self, reference: Reference, names: Sequence[str]) -> None:
        body = {
            "source": self._sending.source,
            "kind": reference.kind,
            "names": names,
            "dry_run": self._sending.dry_run,
        }
        answer = self._asked("POST", f"/v1/{reference.context}/names:resolve", body)
        position = answer["position"]
        context = position["context"]
        self._after[context] = max(self._after.get(context, 0), position["sequence"])
        for match in answer["matches"]:
            self._matched(reference, match)

    def _matched(self, reference: Reference, match: Mapping[str, Any]) -> None:
        self._ids[reference.context, reference.kind, match["name"]] = match["id"]
        if match["how"] == "new":
            self.summary.stubs.append(f"{reference.kind} {match['name']!r}")
        if match["how"] == "folded":
            known = match.get("known_as")
            self.summary.guessed.append(f"{reference.kind} {match['name']!r} is {known!r}")

    # --- rows ---

    def _send_batch(self, batch: Sequence[ImportRow | RowError]) -> None:
        by_line: dict[int, ImportRow] = {}
        rows: list[dict[str, Any]] = []
        for row in batch:
            if isinstance(row, RowError):
                self._refuse(row)
                continue
            sent = self._sent(row)
            if sent is not None:
                by_line[row.line] = row
                rows.append(sent)
        if rows:
            self._take_results(self._decided(rows)["results"], by_line)

    def _sent(self, row: ImportRow) -> dict[str, Any] | None:
        try:
            values = with_ids(self._route, row.values, self._ids)
        except UnknownName as unknown:
            self._refuse(self._error(row, unknown.field, str(unknown)))
            return None
        sent = {"line": row.line, "key": row.key, "row_hash": row.row_hash, "values": values}
        return sent if row.settled is None else {**sent, "settled": row.settled}

    def _decided(self, rows: Sequence[Mapping[str, Any]]) -> Any:
        """What the context answers to these rows, once it has seen the names in them."""
        after = {c: s for c, s in self._after.items() if c != self._route.context and s}
        headers = {"Crm-After": ",".join(f"{c}/*/{s}" for c, s in after.items())} if after else {}
        body = {
            "source": self._sending.source,
            "dry_run": self._sending.dry_run,
            "options": self._sending.options,
            "rows": rows,
        }
        path = f"/v1/{self._route.context}/imports/{self._file.kind.name}"
        return self._asked("POST", path, body, headers)

    def _asked(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Sent again where the server has to catch its breath: rows and names go in once."""
        tries = _TRIES
        told = {"X-Correlation-Id": self._sending.correlation, **(headers or {})}
        while True:
            tries -= 1
            try:
                return self._transport.send(method, path, body=body, headers=told)
            except ServerSaid as said:
                if said.status != _UNAVAILABLE or not tries:
                    raise
            threading.Event().wait(self._pause)

    def _take_results(
        self, results: Iterable[Mapping[str, Any]], by_line: Mapping[int, ImportRow]
    ) -> None:
        for result in results:
            if result["status"] == "accepted":
                self.summary.accepted += 1
            elif result["status"] == "unchanged":
                self.summary.unchanged += 1
            else:
                row = by_line[result["line"]]
                self._refuse(self._error(row, result.get("column"), result.get("reason") or ""))

    def _error(self, row: ImportRow, column: str | None, reason: str) -> RowError:
        """The refusal in the words of the file: its own column, and the cell as it was."""
        if column is None:
            return RowError(row.line, (Problem(None, "", reason),), row.cells)
        name = field_of(self._route, column)
        indices = self._file.mapping.columns.get(name, ())
        label = "+".join(self._file.headers[index] for index in indices) or name
        cells = (row.cells[index] for index in indices)
        shown = " ".join(cells) if indices else str(row.values.get(name) or "")
        return RowError(row.line, (Problem(label, shown, reason),), row.cells)

    def _refuse(self, error: RowError) -> None:
        self.summary.refused += 1
        self._refused(error)


def _collect(values: Mapping[str, Any], names: Mapping[Reference, dict[str, None]]) -> None:
    for reference, found in names.items():
        name = values.get(reference.field)
        if name:
            found[name] = None


def _batches(items: Iterator[Any], size: int) -> Iterator[list[Any]]:
    while batch := list(islice(items, size)):
        yield batch
