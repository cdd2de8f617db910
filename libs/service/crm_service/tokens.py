"""Bearer tokens in one file that every service mounts: only their hashes rest there."""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import os
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Final, Literal, get_args

from crm_events.ids import new_id
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

Right = Literal["read", "write", "admin"]
RIGHTS: Final[tuple[Right, ...]] = get_args(Right)
PREFIX: Final = "crm"
_SECRET_BYTES: Final = 32


class Token(BaseModel):
    """What is kept of a token. `principal` outlives it: a new token may stand for the same one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[0-9a-f]{12}$")
    principal: str = Field(min_length=1, max_length=200, pattern=r"^[!-~]+$")
    name: str = Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
    rights: tuple[Right, ...] = Field(min_length=1)
    digest: str = Field(pattern=r"^[0-9a-f]{64}$")
    created_at: AwareDatetime


class _Content(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: int = Field(default=1, ge=1, le=1)
    tokens: tuple[Token, ...] = ()


class TokensUnreadable(Exception):
    """The file is there but is no tokens file, or may not be read: nobody is let in."""


class UnknownToken(Exception):
    """No token has this id."""


class TokenFile:
    """Reads tokens, again whenever the file changed, and writes them one writer at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int, int] | None = None
        self._by_id: dict[str, Token] = {}
        self._reading = Lock()

    def read(self) -> Sequence[Token]:
        """All tokens, oldest first; none when there is no file. Raises TokensUnreadable."""
        return tuple(self._current().values())

    def find(self, text: str) -> Token | None:
        """The token whose text this is. Raises TokensUnreadable."""
        prefix, _, rest = text.partition("_")
        token_id, _, secret = rest.partition("_")
        token = self._current().get(token_id)
        if prefix != PREFIX or token is None:
            return None
        return token if hmac.compare_digest(_digest(secret), token.digest) else None

    def create(
        self, name: str, rights: Sequence[Right], at: datetime, *, principal: str | None = None
    ) -> tuple[Token, str]:
        """A new token and its text, which is shown this once and kept nowhere."""
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        token = Token(
            id=secrets.token_hex(6),
            principal=principal or f"user:{new_id()}",
            name=name,
            rights=tuple(rights),
            digest=_digest(secret),
            created_at=at,
        )
        with self._writing() as tokens:
            tokens.append(token)
        return token, f"{PREFIX}_{token.id}_{secret}"

    def revoke(self, token_id: str) -> Token:
        """Forget a token: services refuse it from their next request on. Raises UnknownToken."""
        with self._writing() as tokens:
            found = next((token for token in tokens if token.id == token_id), None)
            if found is None:
                raise UnknownToken(f"There is no token {token_id}; `crm token list` shows them.")
            tokens.remove(found)
        return found

    def _current(self) -> dict[str, Token]:
        with self._reading:
            seen = self._fingerprint()
            if seen != self._seen:
                self._by_id = {token.id: token for token in self._load()} if seen else {}
                self._seen = seen
            return self._by_id

    def _fingerprint(self) -> tuple[int, int, int] | None:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unreadable(error) from error
        return found.st_mtime_ns, found.st_ino, found.st_size

    def _load(self) -> tuple[Token, ...]:
        try:
            return _Content.model_validate_json(self.path.read_bytes()).tokens
        except (OSError, ValidationError) as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> TokensUnreadable:
        why = error.strerror if isinstance(error, OSError) else "it holds something else"
        return TokensUnreadable(f"The tokens file {self.path} cannot be read: {why}.")

    @contextmanager
    def _writing(self) -> Iterator[list[Token]]:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self.path.with_name(self.path.name + ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            tokens = list(self._load()) if self.path.exists() else []
            yield tokens
            self._replace(_Content(tokens=tuple(tokens)).model_dump_json(indent=1))

    def _replace(self, text: str) -> None:
        descriptor, draft = tempfile.mkstemp(dir=self.path.parent, prefix=self.path.name)
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(draft).replace(self.path)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
