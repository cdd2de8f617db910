"""The contexts' own logs, read over their API by who may not read their databases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import httpx
from crm_events.envelope import MalformedEnvelope
from crm_events.lines import from_line
from crm_events.store.port import LogPage, Mark, StoreUnavailable

_COMPLETE_TO: Final = "Crm-Complete-To"
_MOST: Final = 5_000
_SECONDS: Final = 30.0
_NOT_LET_IN: Final = frozenset({401, 403})


class NotLetIn(Exception):
    """The contexts do not tell this process of their logs; the message says what to do."""


@dataclass(frozen=True, slots=True)
class StoresElsewhere:
    """One address that all contexts answer at, and the file of a token with the right to read.

    The file is read for every page, so that another token needs no restart.
    """

    address: str
    token_file: Path | None

    def logs(self, contexts: Sequence[str]) -> Mapping[str, HttpLog]:
        return {context: HttpLog(self, context) for context in contexts}

    def get(self, path: str, **query: int) -> httpx.Response:
        """Raises StoreUnavailable, and NotLetIn."""
        url, headers = f"{self.address}{path}", self._headers()
        try:
            answer = httpx.get(url, params=query, headers=headers, timeout=_SECONDS)
            if answer.status_code in _NOT_LET_IN:
                raise NotLetIn(self._refused(answer.status_code))
            return answer.raise_for_status()
        except httpx.HTTPError as error:
            raise StoreUnavailable(f"{url}: {type(error).__name__}") from error

    def _headers(self) -> dict[str, str]:
        if self.token_file is None:
            return {}
        try:
            return {"Authorization": f"Bearer {self.token_file.read_text().strip()}"}
        except OSError as error:
            raise NotLetIn(
                f"The token to read the stores with, {self.token_file}, cannot be read: "
                f"{error.strerror}."
            ) from error

    def _refused(self, status: int) -> str:
        return (
            f"The contexts at {self.address} do not let this projection read their stores "
            f"({status}): put a token with the right to read into the file that "
            "CRM_SERVER_TOKEN_FILE names."
        )


@dataclass(frozen=True, slots=True)
class HttpLog:
    """One context's log from its first event on. Blocking."""

    stores: StoresElsewhere
    context: str

    def read_log(self, after: int, limit: int) -> LogPage:
        """Raises StoreUnavailable."""
        path = f"/v1/{self.context}/events"
        answer = self.stores.get(path, after=after, limit=min(limit, _MOST))
        try:
            envelopes = [from_line(line) for line in answer.content.splitlines()]
            return LogPage(envelopes, int(answer.headers[_COMPLETE_TO]))
        except (MalformedEnvelope, ValueError, KeyError) as error:
            raise StoreUnavailable(f"{path} answers no events: {error}") from error

    def safe_position(self) -> int:
        """Raises StoreUnavailable."""
        standing: Any = self.stores.get(f"/v1/{self.context}/position").json()
        return int(standing["sequence"])

    def last_in_partitions(self, upto: int) -> Mapping[int, int]:
        """Only the beginning can be gone on from: nothing tells the links of a middle."""
        if upto:
            raise StoreUnavailable(f"the log of {self.context} is read from its beginning here")
        return {}

    def marks(self, after: datetime | None, limit: int) -> Sequence[Mark]:  # noqa: ARG002
        """They come with the topics."""
        return ()
