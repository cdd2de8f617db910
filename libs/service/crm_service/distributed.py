"""The roles of one context as processes of their own, over PostgreSQL and Kafka.

`serve` answers HTTP and never touches Kafka, `relay` publishes and seals, `react` runs reactions
and timers, `migrate` is the job that has to be done before the others start.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Generic, TypeVar

import structlog
from aiokafka.errors import KafkaError
from crm_events.audit.keyfile import KeyFileRefused
from crm_events.crashing import arm
from crm_events.feed.kafka import KafkaFeed, KafkaFeedSettings
from crm_events.feed.reactor import Reactor
from crm_events.feed.store import lanes_of
from crm_events.feed.waiting import Backoff
from crm_events.keys.master import MasterKeyMissing
from crm_events.keys.open import migrate_keys, open_keys
from crm_events.relay.relay import Relay, RelaySettings
from crm_events.relay.topics import ensure_topics
from crm_events.sql.reaching import once_reached
from crm_events.store.open import migrate, open_recorder
from pydantic import SecretStr

from crm_service.app import Edge
from crm_service.auditing.desk import AuditDesk
from crm_service.auditing.keeping import AuditKeeper, AuditSeries
from crm_service.following import together, watch
from crm_service.health import Check, NotReady
from crm_service.hosting import Context, Storage
from crm_service.logging import configure
from crm_service.metrics import new_registry
from crm_service.reacting import ReactionSeries
from crm_service.roles import Role
from crm_service.serving import serve
from crm_service.settings import ServiceSettings, SettingsRefused, read_settings
from crm_service.working import Probes, run_worker

S = TypeVar("S", bound=ServiceSettings)
log = structlog.get_logger(__name__)
_IDS: Final = b"crm|ids and names"


@dataclass(frozen=True)
class Roles(Generic[S]):
    """What a context can be started as. `build` puts it together over its store."""

    context: str
    settings: type[S]
    build: Callable[[Storage, S], Context]

    def table(self) -> Mapping[str, Role]:
        return {
            "serve": Role("answer HTTP", self.serve),
            "relay": Role("publish this context's events to Kafka, and seal its log", self.relay),
            "react": Role("react to other contexts' events, and fire timers", self.react),
            "migrate": Role("make or bring up to date this context's schema", self.migrate),
        }

    def serve(self) -> int:
        settings = self._told()
        with self._hosted(settings) as context:
            api = context.api(settings.principals(), edge_of(settings))
            return serve(api, settings.host, settings.port)

    def relay(self) -> int:
        settings = self._told()
        place = RelaySettings(_kafka(settings), settings.namespace, self.context)
        with self._hosted(settings) as context:
            relay = Relay(context.app.recorder, place)
            readiness: dict[str, Check] = {
                "store": context.ready,
                "relay": lambda: _raise_if(relay.failing),
            }
            metrics, beside = new_registry(), _sealing(context)
            if beside is not None:
                readiness["audit"] = beside.ready
                metrics.register(AuditSeries(self.context, beside))

            async def work(stop: asyncio.Event) -> None:
                await together(stop, [relay.run(), *([] if beside is None else [beside.run()])])

            return run_worker(work, Probes(settings.host, settings.health_port, readiness, metrics))

    def react(self) -> int:
        settings = self._told()
        with self._hosted(settings) as context:
            reacting = _Reacting(context, settings)
            readiness = {"store": context.ready, "reactions": reacting.ready}
            metrics = new_registry()
            metrics.register(ReactionSeries(self.context, lambda: reacting.reactor))
            probes = Probes(settings.host, settings.health_port, readiness, metrics)
            return run_worker(reacting.work, probes)

    def migrate(self) -> None:
        settings = self._told()
        store, keys = _needed(settings.postgres, "CRM_POSTGRES"), _needed(settings.keys, "CRM_KEYS")
        once_reached(lambda: migrate(store, settings.namespace, self.context))
        once_reached(lambda: migrate_keys(keys, settings.namespace))

    def _told(self) -> S:
        settings = read_settings(self.settings)
        configure(settings.log_level)
        arm(settings.crash_at)
        return settings

    @contextmanager
    def _hosted(self, settings: S) -> Iterator[Context]:
        with storage_of(settings, self.context) as storage:
            context = self.build(storage, settings)
            desk = AuditDesk(self.context, storage.recorder, settings.audit_place())
            yield replace(context, audit=desk)


def _sealing(context: Context) -> AuditKeeper | None:
    """What seals the log beside the relay; nothing where no key is set. Raises SettingsRefused."""
    if context.audit is None or context.audit.place.key_file is None:
        log.warning("not_sealed", context=context.name, reason="CRM_AUDIT_KEY_FILE is not set")
        return None
    try:
        context.audit.notary()
    except KeyFileRefused as error:
        raise SettingsRefused(str(error)) from error
    return AuditKeeper(context.audit)


class _Reacting:
    """Reactions over Kafka, timers, and the watch over them, in one process."""

    def __init__(self, context: Context, settings: ServiceSettings) -> None:
        self._context = context
        self._kafka = _kafka(settings)
        self._namespace = settings.namespace
        self.reactor: Reactor | None = None
        self._why_not: Callable[[], str | None] = lambda: "not started yet"

    async def work(self, stop: asyncio.Event) -> None:
        context = self._context
        if context.reactions is None:
            self._why_not = lambda: None
            await together(stop, context.work(None))
            return
        contexts, positions = context.reactions.contexts, context.positions()
        feed = KafkaFeed(
            KafkaFeedSettings(self._kafka, self._namespace, contexts, context.reactions.name),
            positions,
        )
        reactor = self.reactor = context.reactor(feed)
        watching = watch(
            behind=lambda: any(feed.lag().values()),
            progress=lambda: positions.load(lanes_of(contexts)),
        )
        await together(stop, [self._react(reactor, contexts), watching, *context.work(None)])

    async def _react(self, reactor: Reactor, contexts: Sequence[str]) -> None:
        """React once the topics are there; timers do not wait for the broker."""
        self._why_not = lambda: "Kafka cannot be reached"
        backoff = Backoff(0.5, 10.0)
        while not await self._topics(contexts):  # noqa: ASYNC110  a broker has no event to wait for
            await asyncio.sleep(backoff.next())
        self._why_not = lambda: reactor.failing
        await reactor.run()

    async def _topics(self, contexts: Sequence[str]) -> bool:
        try:
            for followed in contexts:
                await ensure_topics(self._kafka, self._namespace, followed)
        except (KafkaError, OSError, TimeoutError) as error:
            log.warning("topics_not_there", reason=type(error).__name__)
            return False
        return True

    def ready(self) -> None:
        """Raises NotReady while reactions are held."""
        _raise_if(self._why_not())


def edge_of(settings: ServiceSettings) -> Edge:
    """That of a process which answers over PostgreSQL."""
    hosts = settings.allowed_hosts
    return Edge(threads=settings.pool, without_threads=True, allowed_hosts=hosts)


@contextmanager
def storage_of(settings: ServiceSettings, context: str) -> Iterator[Storage]:
    """A context's store and the keys, as the environment names them. Raises SettingsRefused."""
    place = _needed(settings.postgres, "CRM_POSTGRES")
    keys_place = _needed(settings.keys, "CRM_KEYS")
    master = settings.master_key_file
    if master is None:
        raise SettingsRefused("CRM_MASTER_KEY_FILE is missing: name the file of the master key.")
    try:
        keys = open_keys(keys_place, settings.namespace, master)
    except MasterKeyMissing as error:
        raise SettingsRefused(str(error)) from error
    recorder = open_recorder(place, settings.namespace, context)
    try:
        yield Storage(recorder, keys, deployment_secret(master))
    finally:
        recorder.close()
        keys.close()


def deployment_secret(master_key_file: Path) -> bytes:
    """What ids of imported things and keys of names are made with: the same for all services that
    share a master key, and telling nothing of it."""
    return hmac.new(b64decode(master_key_file.read_bytes()), _IDS, hashlib.sha256).digest()


def _needed(address: SecretStr | None, name: str) -> str:
    if address is None:
        raise SettingsRefused(f"{name} is missing: give a postgresql:// address.")
    return address.get_secret_value()


def _kafka(settings: ServiceSettings) -> str:
    if settings.kafka is None:
        raise SettingsRefused("CRM_KAFKA is missing: name a broker as host:port.")
    return settings.kafka


def _raise_if(reason: str | None) -> None:
    if reason is not None:
        raise NotReady(reason)
