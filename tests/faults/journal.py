"""What a client remembers of its operations, in a file that nothing which is killed has a hand in.

An operation has one of three outcomes: ok, refused, or unknown, which is told apart by sending it
again under its key.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import httpx
from crm_events.ids import new_id
from crm_service.commands import command_id
from crm_service.principals import Principal

from tests.faults.evidence import Operation, Outcome
from tests.support.waiting import wait_until

KNOCKING: Final = 0.1
"""Seconds between two sendings of what has to be answered."""
Answer = Mapping[str, Any]
Door = Callable[[str], httpx.Client]
"""The client to send a request to this path with."""


class Unknown(Exception):
    """Nothing is known of the operation yet; what builds on it has to wait."""


class Refused(Exception):
    """The command was refused, and is nowhere; the message is what was answered."""


@dataclass(frozen=True, slots=True)
class Command:
    """What is asked for, and what it makes when it is done: see `Operation`."""

    kind: str
    path: str
    body: Mapping[str, Any] = field(default_factory=dict)
    writes: int = 1
    effects: Mapping[str, int] = field(default_factory=dict)


class Journal:
    """Sends operations and writes each down before and after. For many threads."""

    def __init__(self, file: Path, door: Door, by: Principal) -> None:
        self._file = file.open("a")
        self._door = door
        self._by = by
        self._lock = threading.Lock()
        self._sent: dict[str, tuple[Operation, Command]] = {}
        self._ok = 0

    def close(self) -> None:
        self._file.close()

    def say(self, command: Command, due: float | None = None) -> Answer:
        """The answer. Raises Unknown and Refused."""
        return self._send(self._operation(command, due), command)

    def insist(self, command: Command, seconds: float) -> None:
        """Send one operation again and again until its outcome is known, `seconds` at most."""
        operation = replace(self._operation(command), began=time.monotonic())
        wait_until(
            lambda: self._try((operation, command)) is None,
            f"{command.kind} is answered",
            seconds,
            pause=KNOCKING,
        )

    def resolve(self) -> None:
        """Ask again for every operation whose outcome is unknown."""
        with self._lock:
            unknown = [each for each in self._sent.values() if each[0].outcome == "unknown"]
        with ThreadPoolExecutor(4) as pool:
            for error in pool.map(self._try, unknown):
                if error is not None:
                    raise error

    def operations(self) -> list[Operation]:
        with self._lock:
            return [operation for operation, _ in self._sent.values()]

    def of(self, outcome: Outcome, kind: str | None = None) -> list[Operation]:
        return [o for o in self.operations() if o.outcome == outcome and kind in {None, o.kind}]

    def acknowledged(self) -> int:
        return self._ok

    def seconds(self) -> list[float]:
        """How long each acknowledged operation took, the quickest first."""
        return sorted((o.ended or 0.0) - o.began for o in self.of("ok"))

    def remark(self, what: str) -> None:
        """Something else that happened, between the operations."""
        self._write({"remark": what, "began": time.monotonic()})

    def past_every_api(self, kind: str, effects: Mapping[str, int]) -> None:
        """Events that somebody put into a store directly: they were caused too."""
        now = time.monotonic()
        operation = Operation(
            new_id().hex, kind, "ok", began=now, ended=now, writes=0, effects=effects
        )
        self._note(operation, Command(kind, "", {}, 0, effects))

    def _operation(self, command: Command, due: float | None = None) -> Operation:
        key = new_id().hex
        return Operation(
            key,
            command.kind,
            command=str(command_id(self._by, key)),
            due=due,
            writes=command.writes,
            effects=command.effects,
        )

    def _try(self, sent: tuple[Operation, Command]) -> Unknown | None:
        try:
            self._send(*sent)
        except Unknown as error:
            return error
        except Refused:
            pass
        return None

    def _send(self, operation: Operation, command: Command) -> Answer:
        """Sent again, it began when it began first."""
        operation = replace(operation, began=operation.began or time.monotonic())
        self._note(operation, command)
        try:
            answer = self._door(command.path).post(
                command.path,
                json=dict(command.body),
                headers={"Idempotency-Key": operation.id},
            )
        except httpx.TransportError as error:
            self._note(replace(operation, ended=time.monotonic()), command)
            raise Unknown(repr(error)) from error
        operation = _judged(operation, answer)
        self._note(operation, command)
        if operation.outcome == "unknown":
            raise Unknown(answer.text)
        if operation.outcome == "refused":
            raise Refused(f"{command.kind} was refused: {answer.text}")
        return _body(answer)

    def _note(self, operation: Operation, command: Command) -> None:
        with self._lock:
            before = self._sent.get(operation.id)
            self._sent[operation.id] = (operation, command)
            if operation.outcome == "ok" and (before is None or before[0].outcome != "ok"):
                self._ok += 1
        self._write({**asdict(operation), "path": command.path, "body": dict(command.body)})

    def _write(self, line: Mapping[str, Any]) -> None:
        with self._lock:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()


def _body(answer: httpx.Response) -> Answer:
    found: Answer = answer.json()
    return found


def _judged(operation: Operation, answer: httpx.Response) -> Operation:
    """A server that answers 5xx does not say whether it did it."""
    told = replace(operation, ended=time.monotonic(), status=answer.status_code)
    if answer.status_code >= 500:
        return told
    if not answer.is_success:
        return replace(told, outcome="refused")
    body = _body(answer)
    position = body.get("position") or {} if "id" in body else {}
    return replace(
        told,
        outcome="ok",
        repeated="idempotency-replayed" in answer.headers,
        context=position.get("context"),
        sequence=position.get("sequence"),
        aggregate=body.get("id"),
        version=body.get("version"),
    )
