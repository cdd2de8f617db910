"""The views that one process keeps up to date: started, watched, rebuilt and stopped together."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import structlog
from crm_events.codec import Codec
from crm_events.feed.port import Feed, Positions
from crm_events.feed.store import lanes_of
from prometheus_client import CollectorRegistry

from crm_projections.engine.database import Database
from crm_projections.engine.decoding import Decoder
from crm_projections.engine.feeds import Feeds, Open, Origin
from crm_projections.engine.filling import Source, Told, untold
from crm_projections.engine.generation import (
    UNFINISHED,
    OutdatedView,
    find_live,
    migrate,
    open_live,
)
from crm_projections.engine.instants import micros
from crm_projections.engine.intake import Clock, Workplace
from crm_projections.engine.leftovers import drop_older, empty_retired
from crm_projections.engine.metrics import ViewMetrics
from crm_projections.engine.position import Generation, complete_to, load_states
from crm_projections.engine.projection import Projection
from crm_projections.engine.rebuild import rebuild
from crm_projections.engine.replaying import Replayed, replay
from crm_projections.engine.runner import MakeFeed, Runner
from crm_projections.engine.unfinished import Wanted, drop_unfit
from crm_projections.engine.verifying import Verdict, verify
from crm_projections.engine.view import Projector
from crm_projections.engine.waiting import Bell

_PAUSE: Final = 0.1
_SILENCE: Final = 10.0
_log = structlog.get_logger("crm.views")


@dataclass
class ViewHost:
    """Follows `views` from `feeds`. For one asyncio loop; `start` before anything else."""

    database: Database
    codec: Codec
    views: Sequence[Projector[Any]]
    feeds: Feeds
    clock: Clock
    registry: CollectorRegistry
    bell: Bell = field(default_factory=Bell)
    settings: str = ""
    """Of the deployment, as far as rows of views are made by them."""

    def __post_init__(self) -> None:
        self.runners: list[Runner] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._metrics = ViewMetrics(self.registry)

    @property
    def projections(self) -> list[Projection[Any]]:
        return [projection for runner in self.runners for projection in runner.projections]

    async def prepare(self) -> None:
        """Make missing tables, and rebuild what another definition left."""
        await asyncio.to_thread(migrate, self.database)
        for view in self.views:
            await asyncio.to_thread(self.drop_unfinished, view)
            await self._bring_up_to_date(view)
            await asyncio.to_thread(empty_retired, self.database, view)

    async def start(self) -> None:
        """Prepare, and follow until `stop`."""
        await self.prepare()
        self._tasks = [asyncio.create_task(work) for work in self.work()]

    def work(self) -> list[Coroutine[Any, Any, None]]:
        """The loops, each to be run until it is cancelled."""
        groups = [list(self.views)] if self.feeds.shared else [[view] for view in self.views]
        self.runners = [self._runner(group) for group in groups]
        return [runner.run() for runner in self.runners]

    async def stop(self) -> None:
        """Let the transaction at work end, and leave the feeds."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def failed(self) -> str | None:
        """Why this process does not follow as it should; None while it does."""
        if not self.runners:
            return "the views are being prepared; one that is outdated is computed anew first"
        if any(task.done() for task in self._tasks):
            return "a projection has ended; the log says why"
        stopped = [f"{p.name}: {p.stopped}" for p in self.projections if p.stopped is not None]
        failing = [runner.failing for runner in self.runners if runner.failing is not None]
        return "; ".join([*stopped, *failing]) or None

    def lag(self, view: str) -> int:
        """Events ahead of a view, as last measured."""
        return sum(runner.lags.total(view) for runner in self.runners)

    def due(self, projection: Projection[Any]) -> bool:
        """Whether a view ought to be moving: something lies ahead, or its loop hangs."""
        runner = next(r for r in self.runners if projection in r.projections)
        return projection.stopped is None and (
            self.lag(projection.name) > 0 or runner.silent_for() > _SILENCE
        )

    # --- how far ---

    def complete_to(self, heads: Mapping[str, int]) -> bool:
        """Whether every view that has not stopped has taken everything up to these sequences."""
        stopped = {projection.name for projection in self.projections if projection.stopped}
        with self.database.reading() as connection:
            for view in self.views:
                live = find_live(connection, view)
                states = load_states(connection, live) if live is not None else {}
                reached = complete_to(states, lanes_of(view.contexts))
                behind = any(reached[c] < heads.get(c, 0) for c in view.contexts)
                if behind and view.definition.id not in stopped:
                    return False
        return True

    def progress(self) -> tuple[int, ...]:
        """Changes whenever a view moves."""
        return tuple(projection.moves for projection in self.projections)

    async def wait_caught_up(self, heads: Mapping[str, int], timeout: float) -> bool:
        """Whether `complete_to(heads)` came true within `timeout` seconds."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        since = self.bell.rings
        while not await asyncio.to_thread(self.complete_to, heads):
            if loop.time() >= deadline:
                return False
            await self.bell.heard(since, _PAUSE)
            since = self.bell.rings
        return True

    # --- anew ---

    async def rebuild(self, name: str, told: Told = untold, *, anew: bool = False) -> Generation:
        """Compute a view anew and put it in place; the one it replaces is kept, older ones are not.
        One that was interrupted goes on, unless `anew`.

        Raises RebuildFailed, and KeyError for a view that is not here.
        """
        source = self._source(name, told)
        view = source.view
        rebuilt = await rebuild(
            view,
            source.work,
            source.make_feed,
            quiet=source.quiet,
            told=told,
            settings=self.settings,
            anew=anew,
        )
        for projection in self.projections:
            if projection.name == name:
                projection.begin_anew()
        await asyncio.to_thread(drop_older, self.database, view, ["retired"])
        await asyncio.to_thread(empty_retired, self.database, view)
        await asyncio.to_thread(self.drop_unfinished, view, also_fit=True)
        return rebuilt

    async def rebuild_all(self) -> None:
        """Every view that is here, one after the other. Raises RebuildFailed."""
        await asyncio.to_thread(migrate, self.database)
        for view in self.views:
            await self.rebuild(view.definition.id)

    async def verify(
        self, name: str, patience: float = 60.0, told: Told = untold, *, anew: bool = False
    ) -> Verdict:
        """Whether the live view is what the log says. One that was interrupted goes on, unless
        `anew`. Raises what `verifying.verify` does."""
        return await verify(self._source(name, told, anew=anew), patience)

    async def replay(
        self,
        name: str,
        to: Mapping[str, int],
        told: Told = untold,
        origin: Origin = "log",
        *,
        patience: float = 30.0,
        anew: bool = False,
    ) -> Replayed:
        """Fold a copy of the log again up to a position, beside everything. One that was
        interrupted goes on, unless `anew` or a copy is named, which is read whole. Raises what
        `replaying.replay` does, and NotReadHere."""
        return await replay(self._source(name, told, origin, anew=anew), to, patience)

    def _source(
        self, name: str, told: Told, origin: Origin = "log", *, anew: bool = False
    ) -> Source[Any]:
        view = self._named(name)
        make_feed, quiet = self._history(view, origin), self.feeds.quiet
        settings = self.settings if origin == "log" else None
        return Source(view, self._workplace(), make_feed, quiet, told, settings, anew)

    def drop_unfinished(self, view: Projector[Any], *, also_fit: bool = False) -> None:
        """What nobody fills and nobody can go on with; with `also_fit` also what somebody could."""
        for status in UNFINISHED:
            wanted = Wanted(view, self.settings, status=status)
            drop_unfit(self.database, wanted, also_fit=also_fit)

    async def _bring_up_to_date(self, view: Projector[Any]) -> None:
        try:
            await asyncio.to_thread(open_live, self.database, view, micros(self.clock()))
        except OutdatedView as outdated:
            if outdated.newer:  # its projection stops and says so; a rebuild would undo an upgrade
                return
            _log.info("view_rebuilds", view=view.definition.id, reason=str(outdated))
            await self.rebuild(view.definition.id)

    def _named(self, name: str) -> Projector[Any]:
        return {view.definition.id: view for view in self.views}[name]

    def _history(self, view: Projector[Any], origin: Origin) -> MakeFeed:
        opener = self.feeds.history_of(origin)
        return partial(_open, opener, f"rebuild.{view.definition.id}", view.contexts)

    def _workplace(self) -> Workplace:
        return Workplace(self.database, Decoder(self.codec), self.clock, self._metrics)

    def _runner(self, views: Sequence[Projector[Any]]) -> Runner:
        work = self._workplace()
        contexts = tuple(sorted({context for view in views for context in view.contexts}))
        name = "views" if self.feeds.shared else f"view.{views[0].definition.id}"
        projections = [Projection(view, work, partial(self._open_live, view)) for view in views]
        make_feed = partial(_open, self.feeds.live, name, contexts)
        return Runner(projections, work, make_feed, self.bell)

    def _open_live(self, view: Projector[Any]) -> Any:
        return open_live(self.database, view, micros(self.clock()))


def _open(opener: Open, name: str, contexts: tuple[str, ...], positions: Positions) -> Feed:
    return opener(name, contexts, positions)
