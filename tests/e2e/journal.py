"""What a client remembers of its operations, in a file that nothing which is killed has a hand in.

An operation has one of three outcomes: ok, refused, or unknown, which is told apart by sending it
again under its key.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import httpx
from crm_events.ids import new_id

from tests.e2e.speaking import client_of
from tests.support.commanding import Crm

Outcome = Literal["ok", "refused", "unknown"]


class Unknown(Exception):
    """Nothing is known of the operation yet; what builds on it has to wait."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One command of a kind; its id is its Idempotency-Key."""

    id: str
    kind: str
    path: str
    body: Mapping[str, Any]
    outcome: Outcome = "unknown"
    began: float = 0.0
    seconds: float = 0.0
    status: int = 0
    repeated: bool = False
    answer: Mapping[str, Any] | None = None


class Journal:
    """Sends operations and writes each down before and after. For many threads."""

    def __init__(self, file: Path, crm: Crm) -> None:
        self._file = file
        self._client = client_of(crm)
        self._lock = threading.Lock()
        self._operations: dict[str, Operation] = {}

    def close(self) -> None:
        self._client.close()

    def say(self, kind: str, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answer. Raises Unknown, and AssertionError where it is refused."""
        return self._send(Operation(new_id().hex, kind, path, body))

    def resolve(self) -> None:
        """Ask again for every operation whose outcome is unknown; none may stay so."""
        with ThreadPoolExecutor(4) as pool:
            for _ in pool.map(self._send, self.of("unknown")):
                pass

    def of(self, outcome: Outcome, kind: str | None = None) -> list[Operation]:
        with self._lock:
            every = list(self._operations.values())
        return [o for o in every if o.outcome == outcome and kind in {None, o.kind}]

    def acknowledged(self) -> int:
        return len(self.of("ok"))

    def seconds(self) -> list[float]:
        """How long each acknowledged operation took, the quickest first."""
        return sorted(operation.seconds for operation in self.of("ok"))

    def _send(self, operation: Operation) -> Mapping[str, Any]:
        operation = replace(operation, began=time.monotonic())
        self._note(operation)
        try:
            key = {"Idempotency-Key": operation.id}
            answer = self._client.post(operation.path, json=dict(operation.body), headers=key)
        except httpx.TransportError as error:
            raise Unknown(repr(error)) from error
        operation = _judged(operation, answer)
        self._note(operation)
        if operation.outcome == "unknown":
            raise Unknown(answer.text)
        assert operation.answer is not None, f"{operation} was refused: {answer.text}"
        return operation.answer

    def remark(self, what: str) -> None:
        """Something else that happened, between the operations."""
        self._write({"remark": what, "began": time.monotonic()})

    def _note(self, operation: Operation) -> None:
        with self._lock:
            self._operations[operation.id] = operation
        self._write(asdict(operation))

    def _write(self, line: Mapping[str, Any]) -> None:
        with self._lock, self._file.open("a") as file:
            file.write(json.dumps(line) + "\n")


def _judged(operation: Operation, answer: httpx.Response) -> Operation:
    seconds = time.monotonic() - operation.began
    told = replace(operation, seconds=seconds, status=answer.status_code)
    if answer.status_code >= 500:
        return told
    if not answer.is_success:
        return replace(told, outcome="refused")
    repeated = "idempotency-replayed" in answer.headers
    return replace(told, outcome="ok", repeated=repeated, answer=answer.json())
