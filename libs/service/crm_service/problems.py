"""The one table from the slug of an error to the status and title its problem document carries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from crm_events.domain import DomainError

MEDIA_TYPE: Final = "application/problem+json"


class Kind(NamedTuple):
    """What a slug stands for. `remedy` tells the reader of its page what to do."""

    status: int
    title: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """One refusal as it leaves: `extra` are further members, `headers` go with the answer."""

    slug: str
    detail: str
    extra: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


class RequestRefused(Exception):
    """The request is refused before any decision is made. The slug is one of the registry's."""

    def __init__(
        self,
        slug: str,
        detail: str,
        *,
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.problem = Problem(slug, detail, extra or {}, headers or {})


class Registry(Mapping[str, Kind]):
    """Slugs and what they stand for. A slug has one meaning in the whole deployment."""

    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        wrong = sorted(slug for slug, kind in kinds.items() if not 400 <= kind.status < 600)
        if wrong:
            raise ValueError(f"A problem's status is 400 to 599; change {', '.join(wrong)}.")
        self._kinds = MappingProxyType(dict(kinds))

    def __getitem__(self, slug: str) -> Kind:
        return self._kinds[slug]

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)

    def extended(self, kinds: Mapping[str, Kind]) -> Registry:
        """This table and another one. Raises ValueError where a slug would get a second meaning."""
        taken = sorted(slug for slug in kinds if slug in self and self[slug] != kinds[slug])
        if taken:
            raise ValueError(f"These slugs are taken already; rename: {', '.join(taken)}.")
        return Registry({**self, **kinds})

    def missing(self, *roots: type[DomainError]) -> list[str]:
        """Slugs of the given errors and all their subclasses that nobody registered."""
        return sorted({error.slug for root in roots for error in _family(root)} - set(self))


def _family(root: type[DomainError]) -> Iterator[type[DomainError]]:
    yield root
    for child in root.__subclasses__():
        yield from _family(child)


COMMON: Final = Registry(
    {
        "validation": Kind(
            422,
            "The request does not fit",
            "Each entry of `errors` names a field and what is wrong with it. Unknown fields are "
            "refused, so that a misspelt one is not silently lost.",
        ),
        "malformed-json": Kind(400, "The body is not JSON", "Send UTF-8 JSON (RFC 8259)."),
        "malformed-request": Kind(400, "The request cannot be read"),
        "missing-principal": Kind(
            401,
            "Who are you?",
            "Send `Authorization: Bearer TOKEN`; `crm token create` makes a token.",
        ),
        "forbidden": Kind(403, "You may not do this", "Ask for a token with the right it names."),
        "cross-site": Kind(
            403,
            "Another web site sent this request",
            "A page of another origin may not act as the person at this machine. Use a token.",
        ),
        "misdirected": Kind(
            421,
            "This server does not go by that name",
            "Use localhost, or name the host in CRM_ALLOWED_HOSTS.",
        ),
        "not-found": Kind(404, "There is no such thing"),
        "no-such-path": Kind(404, "There is no such path", "The paths are in /openapi.json."),
        "method-not-allowed": Kind(405, "This path does not take that method"),
        "lost-race": Kind(409, "Somebody else changed it at the same moment", "Send it again."),
        "refused": Kind(409, "The rules refuse this"),
        "stale-version": Kind(
            412,
            "It has changed since you read it",
            "Read it again, decide again, and send the new version in If-Match.",
        ),
        "too-large": Kind(413, "The body is too large", "Send less at once, or use an import."),
        "unsupported-media-type": Kind(
            415, "This type of body is not taken", "Send `Content-Type: application/json`."
        ),
        "idempotency-key-reused": Kind(
            422,
            "This Idempotency-Key belongs to another request",
            "Use a new key for each new command; repeat a key only with the very same request.",
        ),
        "internal-error": Kind(
            500,
            "Something went wrong on our side",
            "Repeat a command with the same Idempotency-Key: it is never done twice.",
        ),
        "older-program": Kind(
            503,
            "This copy is older than what is stored",
            "Repeat with the same Idempotency-Key. Whoever runs this upgrades the copy.",
        ),
        "unavailable": Kind(
            503,
            "Not available right now",
            "Wait as long as Retry-After says and repeat with the same Idempotency-Key.",
        ),
    }
)
"""What every service may answer; a service adds its own with `COMMON.extended`."""
