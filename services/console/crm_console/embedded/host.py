"""The application of a home: built when entered, following its own logs until it is left."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from contextlib import AsyncExitStack
from typing import Any, Final, Self

import structlog
from crm_events.feed.store import StoreFeed
from crm_events.store.port import StoreUnavailable
from crm_projections.bootstrap import ViewHost, Views, build, open_database, store_feeds
from crm_service.app import Edge, create_app
from crm_service.auditing.keeping import AuditKeeper
from crm_service.health import Check, NotReady
from crm_service.hosting import Context
from crm_service.principals import Principals
from crm_service.settings import ServiceSettings
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from crm_console.embedded.dispatch import Dispatch
from crm_console.embedded.stores import Stores, audit_place, open_stores, usable
from crm_console.home import Home

_log = structlog.get_logger("crm.embedded")
_MARK_SECONDS: Final = 1.0


class Embedded:
    """All services of one home in this process. Enter it on the loop that is to run it."""

    def __init__(self, home: Home, settings: ServiceSettings) -> None:
        self._home = home
        self._settings = settings
        self._tasks: list[asyncio.Task[None]] = []
        self._closing: AsyncExitStack
        self._stores: Stores
        self.views: Views
        self._following: ViewHost
        self._dispatch: Dispatch
        self._keepers: list[AuditKeeper] = []
        self.front: FastAPI

    async def __aenter__(self) -> Self:
        """Raises HomeUnusable, and leaves nothing open then."""
        async with AsyncExitStack() as opening:
            await self._open(opening)
            await self._start(opening)
            self._closing = opening.pop_all()
        return self

    async def _open(self, opening: AsyncExitStack) -> None:
        home, settings = self._home, self._settings
        place = audit_place(home, settings)
        self._stores = await asyncio.to_thread(
            open_stores, home, settings.namespace, settings.currency, place
        )
        opening.push_async_callback(asyncio.to_thread, self._stores.close)
        with usable(home):
            database = open_database(home.views, settings.namespace)
            opening.push_async_callback(asyncio.to_thread, database.close)
            await asyncio.to_thread(database.ping)
        keys, zone = self._stores.keys, settings.timezone
        self.views = build(database, keys, zone, settings.currency)

    async def _start(self, opening: AsyncExitStack) -> None:
        self._following = self.views.host(store_feeds(self._stores.recorders))
        self._dispatch = self._dispatcher(self._settings.principals())
        await opening.enter_async_context(self.front.router.lifespan_context(self.front))
        opening.push_async_callback(self._following.stop)
        with usable(self._home):
            await self._following.start()
        opening.push_async_callback(self._unfollow)
        for context in self._stores.contexts.values():
            for work in context.work(self._feed(context)):
                self._follow(work)
        for keeper in self._keepers:
            self._follow(keeper.run())
        self._follow(self._mark())
        self._follow(self.views.worker(self._following).run())

    def _dispatcher(self, principals: Principals) -> Dispatch:
        desks = [context.audit for context in self._stores.contexts.values()]
        self._keepers = [AuditKeeper(desk) for desk in desks if desk is not None]
        edge = Edge(threads=self._settings.pool, allowed_hosts=self._settings.allowed_hosts)
        services = {
            name: context.api(principals, edge) for name, context in self._stores.contexts.items()
        }
        services["views"] = self.views.api(principals, edge)
        self.front = create_app(
            "CRM", "crm", [], principals=principals, readiness=self._checks(), edge=edge
        )
        return Dispatch(services, self.front)

    def _checks(self) -> Mapping[str, Check]:
        checks = {name: context.ready for name, context in self._stores.contexts.items()}
        return {**checks, "following": self._moving, "audit": self._sealing}

    def _sealing(self) -> None:
        """Raises NotReady while a log is not sealed, or a checkpoint does not leave."""
        for keeper in self._keepers:
            keeper.ready()

    def _moving(self) -> None:
        """Raises NotReady when something that ought to follow the logs has ended."""
        if any(task.done() for task in self._tasks):
            raise NotReady("reactions or timers have ended; the log says why, start it again")
        if (reason := self._following.failed()) is not None:
            raise NotReady(reason)

    def _feed(self, context: Context) -> StoreFeed | None:
        if context.reactions is None:
            return None
        sources = {name: self._stores.recorders[name] for name in context.reactions.contexts}
        return StoreFeed(sources, context.positions())

    def _follow(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(_tell_why)
        self._tasks.append(task)

    async def _mark(self) -> None:
        """Marks say up to where the log was complete at a time, so that known_at can be asked."""
        while True:
            for recorder in self._stores.recorders.values():
                try:
                    await asyncio.to_thread(recorder.write_mark)
                except StoreUnavailable as error:
                    _log.warning("mark_not_written", reason=str(error))
            await asyncio.sleep(_MARK_SECONDS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._dispatch(scope, receive, send)

    async def __aexit__(self, *_: object) -> None:
        await self._closing.aclose()

    async def _unfollow(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _tell_why(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("following_ended", reason=f"{type(error).__name__}: {error}")
