"""One context put together: what its roles, the all-in-one process and tests need of it.

Each context's `bootstrap.build(storage, currency)` answers a `Context`; where the store is and who
runs it is decided by whoever calls.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from crm_events.application import ContextApplication
from crm_events.codec import Codec
from crm_events.feed.port import Feed
from crm_events.feed.reactor import Reactions, Reactor, TrackedPositions
from crm_events.keys.port import SubjectKeys
from crm_events.store.port import EventRecorder
from crm_events.timers import Fire, Timers
from fastapi import FastAPI

from crm_service.app import Edge, create_app
from crm_service.auditing.desk import AuditDesk
from crm_service.auditing.routes import audit_router
from crm_service.causes import causes_router
from crm_service.context import TRANSLATIONS, position_router
from crm_service.erasing.holdings import subjects_router
from crm_service.following import again_and_again
from crm_service.health import NotReady
from crm_service.log_lines import log_router
from crm_service.principals import Principals
from crm_service.problems import Registry
from crm_service.records import history_router
from crm_service.routing import Router


@dataclass(frozen=True)
class Storage:
    """What a context stands on. `secret` makes the ids of imported things and the keys of names;
    all contexts of a deployment have the same."""

    recorder: EventRecorder
    keys: SubjectKeys
    secret: bytes

    def codec(self) -> Codec:
        return Codec(self.keys)


@dataclass(frozen=True)
class Context:
    """One context's application with its routes, reactions and timers, and its audit where it has
    been told of a key."""

    app: ContextApplication
    codec: Codec
    routers: tuple[Router, ...]
    errors: Registry
    reactions: Reactions | None = None
    timers: Mapping[str, Fire] = field(default_factory=dict)
    audit: AuditDesk | None = None
    upkeep: tuple[Callable[[], object], ...] = ()
    """What is to be so at the start and is looked after from then on; each may be repeated."""

    @property
    def name(self) -> str:
        return self.app.context

    def api(self, principals: Principals, edge: Edge | None = None) -> FastAPI:
        """The HTTP API, ready to be served or mounted."""
        return create_app(
            f"CRM {self.name}",
            self.name,
            [
                *self.routers,
                history_router(self.app, self.codec),
                causes_router(self.app, self.codec),
                log_router(self.name, self.app.recorder),
                subjects_router(self.app, self.codec),
                position_router(self.name, self.app.recorder, self.reacted),
                *([] if self.audit is None else [audit_router(self.audit)]),
            ],
            principals=principals,
            readiness={"store": self.ready},
            errors=self.errors,
            translations=TRANSLATIONS,
            edge=edge or Edge(),
        )

    def ready(self) -> None:
        """Raises StoreUnavailable, and NotReady while the store's schema is another one."""
        self.app.recorder.ping()
        if not self.app.recorder.schema_current():
            raise NotReady("the schema of the store is another one; run the role `migrate`")

    def reacted(self) -> Mapping[str, int]:
        """Up to where reactions have seen each context they follow; empty where there are none."""
        if self.reactions is None:
            return {}
        positions = self.positions()
        return {name: positions.complete_to(name) for name in self.reactions.contexts}

    def positions(self) -> TrackedPositions:
        """How far the reactions are. Raises LookupError where a context has none."""
        if self.reactions is None:
            raise LookupError(f"{self.name} has no reactions")
        return TrackedPositions(self.app.recorder, self.reactions)

    def reactor(self, feed: Feed) -> Reactor:
        """Runs the reactions over a feed. Raises LookupError where a context has none."""
        if self.reactions is None:
            raise LookupError(f"{self.name} has no reactions")
        return Reactor(self.app, self.reactions, self.codec, feed)

    def work(self, feed: Feed | None) -> tuple[Coroutine[Any, Any, None], ...]:
        """What follows logs and clocks for this context, each to be run until it is cancelled."""
        work: list[Coroutine[Any, Any, None]] = []
        if self.reactions is not None and feed is not None:
            work.append(self.reactor(feed).run())
        work += [again_and_again(each) for each in self.upkeep]
        if self.timers:
            work.append(Timers(self.app, self.timers).run())
        return tuple(work)
