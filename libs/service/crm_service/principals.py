"""Who sends a request: the local user at this machine, or whoever holds a token."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Scope

from crm_service.network import is_loopback
from crm_service.problems import RequestRefused
from crm_service.tokens import RIGHTS, Right, TokenFile

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who may do something. `id` is opaque and stands as actor in every event."""

    id: str
    name: str
    rights: frozenset[str]


def local_user(name: str) -> Principal:
    """The person at this machine, who may do everything."""
    return Principal(f"local:{name}", name, frozenset(RIGHTS))


class Unguarded(Exception):
    """The service would listen to other machines without knowing anybody; says how to change it."""


class Principals:
    """Decides who a request comes from, by the address listened on, the peer, and the token.

    `local` is who a request without a token comes from while only this machine can connect; None
    asks a token of everybody, as a service behind a gateway on the same machine should.
    """

    def __init__(
        self, listens_on: str, *, tokens: TokenFile | None = None, local: Principal | None = None
    ) -> None:
        self._local = local if is_loopback(listens_on) else None
        self._tokens = tokens
        if self._local is None and (tokens is None or not tokens.read()):
            raise Unguarded(
                f"Refusing to listen on {listens_on} without tokens: make one with `crm token "
                "create NAME` and name its file in CRM_TOKENS_FILE, or listen on 127.0.0.1."
            )

    @property
    def needs_no_token(self) -> bool:
        """True where being at this machine is enough, so that its browsers are kept in check."""
        return self._local is not None

    def identify(self, scope: Scope, headers: Headers) -> Principal:
        """The principal of a request. Raises RequestRefused (401, 503)."""
        sent = headers.get("authorization")
        if sent is not None:
            return self._holder_of(sent)
        if self._local is not None and _sent_from_here(scope, headers):
            return self._local
        raise _unauthenticated("This address asks for a bearer token.", "")

    def _holder_of(self, authorization: str) -> Principal:
        scheme, _, text = authorization.partition(" ")
        found = self._tokens.find(text.strip()) if self._tokens is not None else None
        if scheme.lower() != "bearer" or found is None:
            remedy = "The token is not known, or revoked; ask for a new one."
            raise _unauthenticated(remedy, ', error="invalid_token"')
        return Principal(found.principal, found.name, frozenset(found.rights))


def demand(principal: Principal, right: Right) -> None:
    """Raises RequestRefused (403) unless the principal has the right."""
    if right not in principal.rights:
        remedy = f"The token of {principal.name} lacks the right `{right}`."
        raise RequestRefused("forbidden", remedy, extra={"right": right})


def _unauthenticated(detail: str, error: str) -> RequestRefused:
    challenge = {"WWW-Authenticate": f'Bearer realm="crm"{error}'}
    return RequestRefused("missing-principal", detail, headers=challenge)


def _sent_from_here(scope: Scope, headers: Headers) -> bool:
    """False when the peer, or anybody a proxy on this machine speaks for, is another machine."""
    client = scope.get("client")
    named = headers.getlist("x-forwarded-for") + headers.getlist("x-real-ip")
    if client is None or "forwarded" in headers or not is_loopback(client[0]):
        return False
    return all(is_loopback(address) for address in _listed(named))


def _listed(values: Iterable[str]) -> list[str]:
    return [part.strip() for value in values for part in value.split(",")]
