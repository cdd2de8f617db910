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
from crm_service.health import Check, NotReady
from crm_service.hosting import Context
from crm_service.principals import Principals
from crm_service.settings import ServiceSettings
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from crm_console.embedded.dispatch import Dispatch
from crm_console.embedded.stores import Stores, open_stores
from crm_console.home import Home

_log = structlog.get_logger("crm.embedded")
_MARK_SECONDS: Final = 1.0


class Embedded:
    """All services of one home in this process. Enter it on the loop that is to run it."""

    def __init__(self, home: Home, settings: ServiceSettings) -> None:
        self._home = home
        self._settings = settings
        self._tasks: list[asyncio.Task[None]] = []
        self._lifespan = AsyncExitStack()
        self._stores: Stores
        self._views: Views
        self._following: ViewHost
        self._dispatch: Dispatch
        self.front: FastAPI

    async def __aenter__(self) -> Self:
        settings = self._settings
        self._stores = await asyncio.to_thread(
            open_stores, self._home, settings.namespace, settings.currency
        )
        self._views = await asyncio.to_thread(self._open_views)
        self._following = self._views.host(store_feeds(self._stores.recorders))
        principals = settings.principals()
        self._dispatch = self._dispatcher(principals)
        await self._lifespan.enter_async_context(self.front.router.lifespan_context(self.front))
        await self._following.start()
        for context in self._stores.contexts.values():
            for work in context.work(self._feed(context)):
                self._follow(work)
        self._follow(self._mark())
        return self

    def _open_views(self) -> Views:
        settings = self._settings
        database = open_database(self._home.views, settings.namespace)
        views = build(database, self._stores.keys, settings.timezone, settings.currency)
        views.migrate()
        return views

    def _dispatcher(self, principals: Principals) -> Dispatch:
        edge = Edge(threads=self._settings.pool, allowed_hosts=self._settings.allowed_hosts)
        services = {
            name: context.api(principals, edge) for name, context in self._stores.contexts.items()
        }
        services["views"] = self._views.api(principals, edge)
        self.front = create_app(
            "CRM", "crm", [], principals=principals, readiness=self._checks(), edge=edge
        )
        return Dispatch(services, self.front)

    def _checks(self) -> Mapping[str, Check]:
        checks = {name: context.ready for name, context in self._stores.contexts.items()}
        return {**checks, "following": self._moving}

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
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._following.stop()
        await asyncio.to_thread(self._views.database.close)
        await self._lifespan.aclose()
        await asyncio.to_thread(self._stores.close)


def _tell_why(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("following_ended", reason=f"{type(error).__name__}: {error}")
