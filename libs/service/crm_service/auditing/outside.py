"""Where checkpoints go, out of the reach of whoever can write the database."""

from __future__ import annotations

import os
import secrets
from http.client import HTTPException
from pathlib import Path
from typing import Final, Protocol
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from crm_events.audit.note import BrokenNote, Checkpoint, read_checkpoint

_SECONDS: Final = 5.0
_CONFLICTS: Final = (409, 412)
_MOST_BYTES: Final = 4_096


class OutsideUnreachable(Exception):
    """The checkpoint stays for now; it is tried again."""


class Forked(Exception):
    """Another tree of that size left before: history was written anew, and people must look."""


class Outside(Protocol):
    """Raises OutsideUnreachable and Forked; the same checkpoint may be brought twice."""

    def bring(self, checkpoint: Checkpoint, note: str) -> None: ...


def outside_at(place: str) -> Outside:
    """A folder, or an address that takes PUT."""
    return OverHttp(place) if place.startswith(("http://", "https://")) else Folder(Path(place))


def name_of(checkpoint: Checkpoint) -> str:
    """`crm/contacts/000000001042.txt`: in the order of their sizes."""
    return f"{checkpoint.origin}/{checkpoint.size:012d}.txt"


class Folder:
    """One file for each checkpoint, never written twice."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def bring(self, checkpoint: Checkpoint, note: str) -> None:
        path = self._path / name_of(checkpoint)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _link(path, note.encode())
        except FileExistsError:
            _compare(checkpoint, path)
        except OSError as error:
            raise OutsideUnreachable(f"{path} cannot be written ({error.strerror})") from error


def _link(path: Path, text: bytes) -> None:
    """Whole or not at all, and only where there is none."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with draft.open("xb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _compare(checkpoint: Checkpoint, path: Path) -> None:
    try:
        there = read_checkpoint(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, BrokenNote) as error:
        raise Forked(f"{path} is there already and is no checkpoint; look who wrote it.") from error
    if there != checkpoint:
        raise Forked(f"{path} is there already and holds another root; run `crm audit verify`.")


class OverHttp:
    """`PUT <address>/<log>/<size>.txt` where nothing is yet, as object stores and WebDAV take it.

    What an answer holds is not waited for. One that got lost may have been a yes: what is there
    already is read and compared.
    """

    def __init__(self, address: str, seconds: float = _SECONDS) -> None:
        """`seconds` is how long the other side may say nothing."""
        self._address = address.rstrip("/")
        self._seconds = seconds

    def bring(self, checkpoint: Checkpoint, note: str) -> None:
        address = f"{self._address}/{name_of(checkpoint)}"
        headers = {"Content-Type": "text/plain; charset=utf-8", "If-None-Match": "*"}
        try:
            self._asked(Request(address, note.encode(), headers, method="PUT"), 0)  # noqa: S310
        except HTTPError as error:
            with error:
                if error.code not in _CONFLICTS:
                    raise OutsideUnreachable(f"{address} answers {error.code}") from error
            self._compare(checkpoint, address)

    def _compare(self, checkpoint: Checkpoint, address: str) -> None:
        try:
            there = self._asked(Request(address), _MOST_BYTES)  # noqa: S310 (a setting names it)
        except HTTPError as error:
            with error:
                raise OutsideUnreachable(
                    f"{address} is there already and cannot be read ({error.code})"
                ) from error
        try:
            fits = read_checkpoint(there.decode()) == checkpoint
        except (UnicodeDecodeError, BrokenNote):
            fits = False
        if not fits:
            raise Forked(f"{address} holds another root; run `crm audit verify`.")

    def _asked(self, request: Request, most: int) -> bytes:
        """Up to so many bytes of the answer. Raises HTTPError and OutsideUnreachable."""
        try:
            with urlopen(request, timeout=self._seconds) as answer:  # noqa: S310
                found: bytes = answer.read(most)
                return found
        except HTTPError:
            raise
        except (HTTPException, OSError) as error:
            raise OutsideUnreachable(f"{request.full_url} cannot be reached") from error
