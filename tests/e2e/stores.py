"""The stores and views of a deployment, opened beside it: what was really written, and whether
every view says what a rebuild from the log says."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from crm_console.embedded.stores import open_stores
from crm_console.home import Home
from crm_events.envelope import Envelope
from crm_events.keys.open import open_keys
from crm_events.store.open import open_recorder
from crm_events.store.port import EventRecorder
from crm_projections.bootstrap import Views, build, open_database, store_feeds

from tests.e2e.roles import Roles

CONTEXTS = ("contacts", "pipeline", "ticketing", "campaigns")
NAMESPACE, ZONE, CURRENCY = "crm", "UTC", "USD"
_PAGE = 5_000
_SECONDS = 150.0


@dataclass(frozen=True)
class Stores:
    """Everything that a deployment has stored."""

    recorders: Mapping[str, EventRecorder]
    views: Views

    def log(self, context: str) -> Iterator[Envelope]:
        """Every event, in order."""
        after, recorder = 0, self.recorders[context]
        while envelopes := recorder.read_log(after, _PAGE).envelopes:
            yield from envelopes
            after = envelopes[-1].sequence

    def events_by_command(self) -> Counter[UUID]:
        """How many events each command wrote, in all contexts."""
        return Counter(e.command_id for context in CONTEXTS for e in self.log(context))

    def types(self, context: str) -> Counter[str]:
        return Counter(envelope.type.split(".")[2] for envelope in self.log(context))

    def differences(self) -> dict[str, list[str]]:
        """How each view differs from one computed anew from the log; nothing where none does.

        A view that took an event twice or missed one has other sums over the ids of its events.
        """
        host = self.views.host(store_feeds(self.recorders))

        async def verified() -> dict[str, list[str]]:
            names = [view.definition.id for view in self.views.all]
            verdicts = {name: await host.verify(name, _SECONDS) for name in names}
            return {name: list(map(str, told.differences)) for name, told in verdicts.items()}

        return {name: found for name, found in asyncio.run(verified()).items() if found}


@contextmanager
def stores_of_home(path: Path) -> Iterator[Stores]:
    """Of the embedded form, which must not run meanwhile."""
    home = Home(path)
    with home.held():
        opened = open_stores(home, NAMESPACE, CURRENCY)
        with closing(opened), closing(open_database(home.views, NAMESPACE)) as database:
            yield Stores(opened.recorders, build(database, opened.keys, ZONE, CURRENCY))


def recorder_of(roles: Roles, context: str) -> EventRecorder:
    """The store of one context, beside the role that writes there."""
    place = roles.environment(f"{context}-api")["CRM_POSTGRES"]
    return open_recorder(place, NAMESPACE, context)


@contextmanager
def stores_of_roles(roles: Roles) -> Iterator[Stores]:
    """Of the distributed form, as the roles that run are told of them."""
    told = roles.environment("projections-api")
    with ExitStack() as stack:
        recorders = {}
        for context in CONTEXTS:
            recorders[context] = stack.enter_context(closing(recorder_of(roles, context)))
        master = Path(told["CRM_MASTER_KEY_FILE"])
        keys = stack.enter_context(closing(open_keys(told["CRM_KEYS"], NAMESPACE, master)))
        database = stack.enter_context(closing(open_database(told["CRM_POSTGRES"], NAMESPACE)))
        yield Stores(recorders, build(database, keys, ZONE, CURRENCY))
