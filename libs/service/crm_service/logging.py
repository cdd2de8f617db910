"""JSON lines on standard output that hold ids and names, never a body or a personal value."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from pathlib import Path
from traceback import StackSummary, walk_tb
from types import TracebackType
from typing import Any, Final, TextIO, cast

import orjson
import structlog
from structlog.typing import EventDict, Processor

_LINE = ("event", "level", "timestamp", "logger", "dropped", "exception")
_IDS = ("correlation_id", "causation_id", "command_id", "event_id", "aggregate_id", "token_id")
_WHOSE = ("subject",)
_WHO = ("principal", "actor", "context", "namespace", "service", "role", "host", "port", "pid")
_REQUEST = ("method", "route", "status", "duration_ms", "slug", "check", "reason", "signal")
_PLACE = ("type", "version", "partition", "sequence", "position", "offset", "topic", "epoch")
_READER = ("group", "consumer", "view", "generation", "lane", "lag", "batch", "state", "attempt")
_COUNTS = ("count", "seconds", "applied", "published", "parked", "skipped", "failed")
_IMPORT = ("source", "kind", "line", "column")
ALLOWED: Final = frozenset(
    (*_LINE, *_IDS, *_WHOSE, *_WHO, *_REQUEST, *_PLACE, *_READER, *_COUNTS, *_IMPORT)
)
"""The only keys that reach a log. A key is added here when its values are ids, names or numbers."""


def only_allowed(_logger: Any, _method: str, entry: EventDict) -> EventDict:
    """Drop every other key and name it under `dropped`, so that the loss is seen in development."""
    dropped = sorted(set(entry) - ALLOWED)
    kept = {key: value for key, value in entry.items() if key in ALLOWED}
    return {**kept, "dropped": dropped} if dropped else kept


def without_messages(_logger: Any, _method: str, entry: EventDict) -> EventDict:
    """Exceptions as class and place: their messages quote values (a duplicate key's e-mail)."""
    info = entry.pop("exc_info", None)
    error = info[1] if isinstance(info, tuple) else info
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        entry["exception"] = _chain(error)
    return entry


class _Lossy:
    """A disk that is full costs lines of the log, and nothing else: whoever has something to say
    goes on, be it a request or the one thread that writes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


class _Line(structlog.PrintLogger):
    """Writes lines of structlog straight out; the standard library's way costs twice the time."""

    def __init__(self, stream: TextIO, name: str = "") -> None:
        super().__init__(stream)
        self.name = name


def configure(level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send the logs of structlog and of the standard library to one stream, in one shape."""
    out = cast(TextIO, _Lossy(stream or sys.stdout))
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        without_messages,
    ]
    last: list[Processor] = [only_allowed, structlog.processors.JSONRenderer(_json)]
    structlog.configure(
        processors=[*shared, *last],
        logger_factory=lambda *name: _Line(out, *name),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=False,
    )
    _take_over_standard_library(level, out, shared, last)


def _take_over_standard_library(
    level: str, stream: TextIO, shared: list[Processor], last: list[Processor]
) -> None:
    unwrap = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[unwrap, *last]
    )
    out = logging.StreamHandler(stream)
    out.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [out]
    root.setLevel(level.upper())
    for logger in root.manager.loggerDict.values():
        if isinstance(logger, logging.Logger) and logger.handlers:
            logger.handlers.clear()  # what a library set up for itself quotes messages and bodies
            logger.propagate = True
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it quotes whole URLs


def _json(entry: MutableMapping[str, Any], **_: Any) -> str:
    return orjson.dumps(entry, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def _chain(error: BaseException) -> list[dict[str, Any]]:
    links: list[dict[str, Any]] = []
    current: BaseException | None = error
    while current is not None and len(links) < 5:
        links.append({"type": type(current).__qualname__, "at": _frames(current.__traceback__)})
        current = current.__cause__ or current.__context__
    return links


def _frames(traceback: TracebackType | None) -> list[str]:
    frames = StackSummary.extract(walk_tb(traceback), lookup_lines=False)
    return [f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in frames[-12:]]
