"""The home folder of the embedded form: where everything lies, and who holds it."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

_PRIVATE: Final = 0o600
_SECRET_BYTES: Final = 32
_SAID_BYTES: Final = 1_024
_LOOKED_AT_SECONDS: Final = 0.5


class HomeInUse(Exception):
    """Another process holds the home and answers at no address."""


class HomeUnusable(Exception):
    """The home cannot be made or written."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a home; `address` is where it answers HTTP, if it does."""

    pid: int
    address: str | None


@dataclass(frozen=True, slots=True)
class Home:
    """Files of one deployment in one folder. Only its owner may read the keys and the secret."""

    path: Path

    @property
    def tokens(self) -> Path:
        return self.path / "tokens.json"

    @property
    def master_key(self) -> Path:
        return self.path / "master.key"

    @property
    def audit_key(self) -> Path:
        return self.path / "audit.key"

    @property
    def keys(self) -> Path:
        return self.path / "keys.db"

    @property
    def views(self) -> Path:
        return self.path / "views.db"

    @property
    def imports(self) -> Path:
        return self.path / "imports"

    def store(self, context: str) -> Path:
        return self.path / f"{context}.db"

    @property
    def _sample(self) -> Path:
        return self.path / "sample.json"

    def sample_told_on(self, now: datetime) -> datetime:
        """The day the sample was begun: told again it is the same story, and adds nothing."""
        try:
            return datetime.fromisoformat(json.loads(self._sample.read_text())["today"])
        except FileNotFoundError:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_private(self._sample, json.dumps({"today": now.isoformat(), "told": False}))
            return now

    def sample_is_told(self) -> None:
        told = json.loads(self._sample.read_text()) | {"told": True}
        write_private(self._sample, json.dumps(told))

    def sample_is_half_told(self) -> bool:
        """Whether loading the sample was interrupted."""
        try:
            return not json.loads(self._sample.read_text())["told"]
        except FileNotFoundError:
            return False

    def is_new(self) -> bool:
        """Nothing was ever stored here."""
        return not self.store("contacts").exists()

    def secret(self) -> bytes:
        """The deployment's secret, made on first use: ids of imported things derive from it.

        Raises HomeUnusable.
        """
        path = self.path / "secret"
        try:
            return bytes.fromhex(path.read_text().strip())
        except ValueError:
            raise HomeUnusable(f"{path} holds no secret; restore it from your backup.") from None
        except FileNotFoundError:
            if not self.is_new():
                raise HomeUnusable(f"{path} is missing; restore it from your backup.") from None
            made = secrets.token_bytes(_SECRET_BYTES)
            write_private(path, made.hex())
            return made

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the home for this process. Raises HomeInUse and HomeUnusable."""
        lock = self._opened()
        try:
            if not _locked(lock):
                raise self.in_use_by(_read(lock))
            self.say(None)
            yield
        finally:
            os.close(lock)

    def in_use_by(self, holder: Holder) -> HomeInUse:
        """The refusal for a home that somebody else holds."""
        return HomeInUse(
            f"{self.path} is in use by process {holder.pid}; wait for it to end, or give another "
            "folder with --home."
        )

    def _opened(self) -> int:
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            return os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, _PRIVATE)
        except OSError as error:
            raise HomeUnusable(
                f"Cannot use {self.path} ({error.strerror}); give another folder with --home."
            ) from error

    def say(self, address: str | None) -> None:
        """Write into the lock who holds it and where it answers; for the holder only."""
        text = json.dumps({"pid": os.getpid(), "address": address})
        lock = os.open(self.path / "lock", os.O_WRONLY)
        try:
            os.pwrite(lock, text.encode().ljust(_SAID_BYTES), 0)
        finally:
            os.close(lock)

    def holder(self) -> Holder | None:
        """The living holder of the home, or None."""
        try:
            lock = os.open(self.path / "lock", os.O_RDWR)
        except OSError:
            return None
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return _read(lock)
        else:
            return None
        finally:
            os.close(lock)


def _locked(lock: int) -> bool:
    """Whether the lock is ours now. Who only looks at it holds it for an instant too."""
    deadline, pause = time.monotonic() + _LOOKED_AT_SECONDS, threading.Event()
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError:
            if time.monotonic() > deadline:
                return False
            pause.wait(0.01)


def _read(lock: int) -> Holder:
    try:
        said = json.loads(os.pread(lock, _SAID_BYTES, 0))
        return Holder(int(said["pid"]), said["address"])
    except (ValueError, KeyError, TypeError):
        return Holder(0, None)


def write_private(path: Path, text: str) -> None:
    """Write a file whole or not at all, readable by its owner only."""
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
