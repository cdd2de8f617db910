"""Puts the views together: over Kafka in roles of their own, or inside the all-in-one process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from crm_events.clock import utc_now
from crm_events.codec import Codec
from crm_events.crashing import arm
from crm_events.keys.master import MasterKeyMissing
from crm_events.keys.open import open_keys
from crm_events.keys.port import SubjectKeys
from crm_events.sql.reaching import once_reached
from crm_service.app import Edge, create_app
from crm_service.logging import configure
from crm_service.metrics import new_registry
from crm_service.principals import Principals
from crm_service.roles import Role
from crm_service.serving import serve
from crm_service.settings import SettingsRefused
from crm_service.working import Probes, run_worker
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from crm_projections.api.answering import Answering
from crm_projections.api.errors import ERRORS, TRANSLATIONS
from crm_projections.api.fact_routes import facts_router
from crm_projections.api.job_routes import Jobs, jobs_router
from crm_projections.api.opening import Opening
from crm_projections.api.paging import Paging
from crm_projections.api.parked_routes import parked_router
from crm_projections.api.routes import questions_router, views_router
from crm_projections.api.standing import Standings
from crm_projections.columns.layout import Columnar
from crm_projections.columns.store import ColumnStore
from crm_projections.columns.warming import Warming
from crm_projections.engine.database import Database, open_database
from crm_projections.engine.elsewhere import StoresElsewhere
from crm_projections.engine.feeds import Feeds, kafka_feeds, store_feeds
from crm_projections.engine.generation import OutdatedView, migrate, open_live
from crm_projections.engine.host import ViewHost
from crm_projections.engine.instants import micros
from crm_projections.engine.listing import Listed
from crm_projections.engine.resolving import Resolver
from crm_projections.engine.view import Projector
from crm_projections.engine.waiting import Bell
from crm_projections.facts.instants import Reporting
from crm_projections.jobs.following import follow, readiness
from crm_projections.jobs.queue import Queue
from crm_projections.jobs.worker import JobWorker
from crm_projections.settings import ProjectionSettings, projection_settings
from crm_projections.views import lists, names, questions

__all__ = ["ROLES", "ViewHost", "Views", "build", "open_database", "store_feeds"]


@dataclass(frozen=True)
class Views:
    """Every view over one database, for whoever follows them and whoever answers from them."""

    database: Database
    codec: Codec
    questions: tuple[Columnar[Any], ...]
    lists: Mapping[str, Listed[Any]]
    reporting: Reporting
    bell: Bell
    columns: ColumnStore

    @property
    def all(self) -> tuple[Projector[Any], ...]:
        return (*self.questions, names())

    @property
    def queue(self) -> Queue:
        """Where long work is asked for and found."""
        return Queue(self.database, utc_now)

    def worker(self, host: ViewHost) -> JobWorker:
        """Does what is asked for in the queue; to be run beside what follows the views."""
        return JobWorker(host, self.queue)

    def warming(self) -> Warming:
        """Reads what answers need, for a process that is to give many."""
        return Warming(self.database, self.columns, self.questions)

    def _by_name(self) -> dict[str, Projector[Any]]:
        return {view.definition.id: view for view in self.all}

    def migrate(self) -> None:
        """Make the tables that are missing. Those of another definition are left to whoever follows
        the view, who rebuilds it."""
        migrate(self.database)
        for view in self.all:
            with suppress(OutdatedView):
                open_live(self.database, view, micros(utc_now()))

    def host(
        self,
        feeds: Feeds,
        wanted: Sequence[str] = (),
        registry: CollectorRegistry | None = None,
    ) -> ViewHost:
        """What follows the wanted views, all where none is named. Raises SettingsRefused."""
        named = self._by_name()
        unknown = sorted(set(wanted) - named.keys())
        if unknown:
            raise SettingsRefused(
                f"CRM_VIEWS names {', '.join(unknown)}; there are: {', '.join(named)}."
            )
        chosen = [named[name] for name in wanted] or list(self.all)
        metrics = registry or new_registry()
        settings = f"time zone {self.reporting.zone}"
        return ViewHost(
            self.database, self.codec, chosen, feeds, utc_now, metrics, self.bell, settings
        )

    def api(self, principals: Principals, edge: Edge | None = None) -> FastAPI:
        """The HTTP API, ready to be served or mounted."""
        work = (
            Answering(self.database, names(), utc_now, self.columns),
            Opening(self.database, self.columns, utc_now),
            Paging(self.database, names(), utc_now),
        )
        resolver = Resolver(self.database, self.all, self.codec, utc_now)
        routers = [
            views_router(Standings(self.database, self.all)),
            parked_router(self.database, resolver, self.bell),
            jobs_router(Jobs(self.database, self._by_name(), self.queue, self.reporting.zone)),
            facts_router(self.database, self.questions, self.reporting.zone),
            questions_router(self.questions, self.lists, work, self.bell, self.reporting),
        ]
        return create_app(
            "CRM views",
            "views",
            routers,
            principals=principals,
            readiness={"database": self.database.ping},
            errors=ERRORS,
            translations=TRANSLATIONS,
            edge=edge or Edge(),
        )


def build(
    database: Database,
    keys: SubjectKeys,
    zone: str,
    currency: str,
    columns: ColumnStore | None = None,
) -> Views:
    """All views over a database. `zone` and `currency` are those that reports are made in. Where no
    `columns` are given, they are kept beside a database that is a file."""
    reporting = Reporting(ZoneInfo(zone), currency)
    asked = questions(reporting), lists(reporting)
    kept = columns or ColumnStore(database.beside)
    return Views(database, Codec(keys), *asked, reporting, Bell(), kept)


# --- the roles ---


def _serve() -> int:
    settings = _told()
    with _opened(settings) as views:
        edge = Edge(
            threads=settings.pool,
            allowed_hosts=settings.allowed_hosts,
            lifespan=lambda _: views.warming().beside(),
        )
        return serve(views.api(settings.principals(), edge), settings.host, settings.port)


def _project() -> int:
    settings = _told()
    feeds = _feeds(settings)
    with _opened(settings) as views:
        host = views.host(feeds, settings.views)
        probes = Probes(
            settings.host, settings.health_port, readiness(host, settings.lag), host.registry
        )
        worker = views.worker(host)
        return run_worker(lambda stop: follow(host, worker, stop), probes)


def _rebuild() -> None:
    settings = _told()
    feeds = _feeds(settings)
    with _opened(settings) as views:
        host = views.host(feeds, settings.views)
        asyncio.run(host.rebuild_all())


def _feeds(settings: ProjectionSettings) -> Feeds:
    if settings.kafka is None:
        raise SettingsRefused("CRM_KAFKA is missing: name a broker as host:port.")
    stores = None
    if settings.server is not None:
        stores = StoresElsewhere(settings.server, settings.server_token_file)
    return kafka_feeds(settings.kafka, settings.namespace, settings.instance, stores)


def _migrate() -> None:
    with _opened(_told()) as views:
        once_reached(views.migrate)


def _told() -> ProjectionSettings:
    settings = projection_settings()
    configure(settings.log_level)
    arm(settings.crash_at)
    return settings


@contextmanager
def _opened(settings: ProjectionSettings) -> Iterator[Views]:
    """The views' database and the keys, as the environment names them. Raises SettingsRefused."""
    place, keys_place = _address(settings.postgres, "POSTGRES"), _address(settings.keys, "KEYS")
    if settings.master_key_file is None:
        raise SettingsRefused("CRM_MASTER_KEY_FILE is missing: name the file of the master key.")
    try:
        keys = open_keys(keys_place, settings.namespace, settings.master_key_file)
    except MasterKeyMissing as error:
        raise SettingsRefused(str(error)) from error
    database = open_database(place, settings.namespace, connections=settings.pool + 2)
    try:
        columns = ColumnStore(settings.columns_folder, most=settings.columns_bytes)
        yield build(database, keys, settings.timezone, settings.currency, columns)
    finally:
        database.close()
        keys.close()


def _address(given: SecretStr | None, name: str) -> str:
    if given is None:
        raise SettingsRefused(f"CRM_{name} is missing: give a postgresql:// address.")
    return given.get_secret_value()


ROLES: Final[Mapping[str, Role]] = {
    "serve": Role("answer HTTP", _serve),
    "project": Role("keep the views of CRM_VIEWS up to date, all without it", _project),
    "rebuild": Role("compute the views of CRM_VIEWS anew from the topics, and end", _rebuild),
    "migrate": Role("make the tables of the views", _migrate),
}
