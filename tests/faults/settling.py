"""Whether everything that was written has been published, reacted to and seen, and how soon."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from crm_campaigns.reactions import REACTIONS as OF_CAMPAIGNS
from crm_contacts.reactions import REACTIONS as OF_CONTACTS
from crm_events.audit.log import AuditLog
from crm_events.audit.open import audit_log
from crm_events.catalogue import CONTEXTS
from crm_events.feed.reactor import TrackedPositions
from crm_events.feed.store import lanes_of
from crm_events.keys.open import open_keys
from crm_events.store.open import open_recorder
from crm_events.store.port import EventRecorder
from crm_events.store.reading import LogQueries
from crm_pipeline.reactions import REACTIONS as OF_PIPELINE
from crm_projections.bootstrap import Views, build, open_database
from crm_projections.engine.generation import OutdatedView, find_live, live_number
from crm_projections.engine.position import complete_to, load_states
from crm_projections.engine.view import Projector
from crm_ticketing.reactions import REACTIONS as OF_TICKETING
from sqlalchemy import Connection
from sqlalchemy.exc import ProgrammingError

from tests.faults.deployment import Deployment
from tests.faults.evidence import Healing
from tests.support.waiting import PAUSE, wait_until

WELL_AGAIN: Final = 90.0
"""Seconds. Everything that is broken here is well long before; what is not is stuck."""
REACTIONS: Final = {
    "contacts": OF_CONTACTS,
    "pipeline": OF_PIPELINE,
    "ticketing": OF_TICKETING,
    "campaigns": OF_CAMPAIGNS,
}


@dataclass(frozen=True)
class Beside:
    """Stores and views of a deployment, opened beside it."""

    deployment: Deployment
    recorders: dict[str, EventRecorder]
    views: Views

    def has(self, role: str) -> bool:
        return role in self.deployment.roles

    def publishes(self, context: str) -> bool:
        return context in self.deployment.publishing

    def behind(self) -> list[str]:
        """What has not come to the end of what it follows."""
        heads = {name: each.safe_position() for name, each in self.recorders.items()}
        follow = (self._relays, self._sealing, self._reactions, self._views)
        return [late for each in follow for late in each(heads)]

    def wait_readable(self) -> None:
        """Nobody writes any more: wait until readers that have just begun see all there is."""
        for context, recorder in self.recorders.items():
            wait_until(partial(_reads_all, recorder), f"all of {context} can be read", WELL_AGAIN)

    def _relays(self, heads: dict[str, int]) -> Iterator[str]:
        for context, head in heads.items():
            role = f"{context}-relay"
            if self.has(role) and self.recorders[context].relay_state().position < head:
                yield role

    def _sealing(self, heads: dict[str, int]) -> Iterator[str]:
        """Those who hold a key seal all that is written, and bring it out."""
        if not self.deployment.told.get("CRM_AUDIT_KEY_FILE"):
            return
        for context, head in heads.items():
            log = audit_log(self.recorders[context])
            if self.has(f"{context}-relay") and _unsealed(log, head):
                yield f"the tree of {context}"
            elif self.has(f"{context}-relay") and self._stays(log):
                yield f"checkpoints of {context}"

    def _stays(self, log: AuditLog) -> bool:
        return bool(self.deployment.told.get("CRM_AUDIT_CHECKPOINTS") and log.staying(1))

    def _reactions(self, heads: dict[str, int]) -> Iterator[str]:
        for context, recorder in self.recorders.items():
            role = f"{context}-react"
            if not self.has(role):
                continue
            reactions = REACTIONS[context]
            positions = TrackedPositions(recorder, reactions)
            followed = [name for name in reactions.contexts if self.publishes(name)]
            if any(positions.complete_to(name) < heads[name] for name in followed):
                yield role

    def view_reached(self, name: str, context: str) -> int:
        """Up to where a view has taken all of a context."""
        view = next(view for view in self.views.all if view.definition.id == name)
        with self.views.database.reading() as connection:
            live = find_live(connection, view)
            states = {} if live is None else load_states(connection, live)
        return complete_to(states, lanes_of([context]))[context]

    def view_taken(self, name: str) -> int:
        """How many events a view has taken; none before it has tables."""
        with suppress(ProgrammingError), self.views.database.reading() as connection:
            live = live_number(connection, name)
            states = {} if live is None else load_states(connection, live)
            return sum(state.seen for state in states.values())
        return 0

    def _views(self, heads: dict[str, int]) -> Iterator[str]:
        if not any(name.startswith("projections-views") for name in self.deployment.roles):
            return
        with self.views.database.reading() as connection:
            for view in self.views.all:
                live = live_number(connection, view.definition.id)
                if live is None:
                    continue  # nobody was asked to follow it
                if _outdated(connection, view):
                    yield f"view {view.definition.id}, which is computed anew"
                reached = complete_to(load_states(connection, live), lanes_of(view.contexts))
                followed = [name for name in view.contexts if self.publishes(name)]
                if any(reached[name] < heads[name] for name in followed):
                    yield f"view {view.definition.id}"


def _unsealed(log: AuditLog, head: int) -> bool:
    return bool(log.leaves(log.head().position, head, 1))


def _outdated(connection: Connection, view: Projector[Any]) -> bool:
    try:
        find_live(connection, view)
    except OutdatedView as outdated:
        return not outdated.newer  # than we are: what we look at was upgraded
    return False


@contextmanager
def beside(deployment: Deployment) -> Iterator[Beside]:
    """Opened at PostgreSQL's own address, whatever proxy the roles were told of."""
    told = deployment.told
    dsn = deployment.straight
    with ExitStack() as stack:
        recorders = {
            context: stack.enter_context(closing(open_recorder(dsn, deployment.namespace, context)))
            for context in CONTEXTS
        }
        master = Path(told["CRM_MASTER_KEY_FILE"])
        namespace, views = deployment.namespace, told.get("CRM_TEST_VIEWS", dsn)
        keys = stack.enter_context(closing(open_keys(told["CRM_KEYS"], namespace, master)))
        database = stack.enter_context(closing(open_database(views, namespace)))
        yield Beside(deployment, recorders, build(database, keys, "UTC", "USD"))


def _reads_all(recorder: EventRecorder) -> bool:
    """Whether this reader, which has just begun, is past the holes that refused commands left."""
    safe = recorder.safe_position()
    assert isinstance(recorder, LogQueries)
    ((last,),) = recorder.rows("SELECT coalesce(max(position), 0) FROM events")
    return safe >= int(last)


def settled(place: Beside, what: str, limit: float = WELL_AGAIN) -> list[Healing]:
    """Waits until nothing is behind; what never comes has no time. For I8."""
    began = time.monotonic()
    place.wait_readable()
    behind: Sequence[Any] = place.behind()
    while behind and time.monotonic() - began < limit:
        time.sleep(PAUSE * 5)  # noqa: TID251 (this is the waiter)
        behind = place.behind()
    seconds = time.monotonic() - began
    if not behind:
        return [Healing(f"everything after {what}", seconds, limit)]
    return [Healing(f"{name} after {what}", None, limit) for name in behind]
