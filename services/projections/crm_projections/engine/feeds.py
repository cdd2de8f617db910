"""Where views read from: the stores' own logs in one process, or Kafka."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from crm_events.feed.kafka import KafkaFeed, KafkaFeedSettings
from crm_events.feed.port import Feed, Positions
from crm_events.feed.store import StoreFeed
from crm_events.ids import new_id
from crm_events.store.port import EventRecorder

from crm_projections.engine.elsewhere import StoresElsewhere

Contexts = tuple[str, ...]
Open = Callable[[str, Contexts, Positions], Feed]


Origin = Literal["log", "kafka", "stores"]
"""Whose copy of the history is read; `log` is the one that the views follow."""


class NotReadHere(Exception):
    """This process cannot read that copy of the history; says how it could."""


@dataclass(frozen=True, slots=True)
class Feeds:
    """`live` opens a feed for a consumer's permanent name, its contexts and its positions.

    With `shared`, one feed serves all views of a process. `history` reads the whole log for a
    rebuild or a check: from the stores, or from topics, which keep everything.
    """

    live: Open
    history: Open
    shared: bool
    quiet: float = 0.2
    """A history feed that shows nothing for so many seconds has shown everything."""
    copies: Mapping[Origin, Open] = field(default_factory=dict)
    """The history by whose copy it is, as far as this process can read them."""

    def history_of(self, origin: Origin) -> Open:
        """Raises NotReadHere."""
        if origin == "log":
            return self.history
        if origin in self.copies:
            return self.copies[origin]
        raise NotReadHere(_REMEDIES[origin])


_REMEDIES: Final[Mapping[Origin, str]] = {
    "kafka": "There is no Kafka here: everything runs in one process and reads its own stores.",
    "stores": (
        "The stores cannot be read from here: tell the projections in CRM_SERVER the address that "
        "all services answer at, and in CRM_SERVER_TOKEN_FILE the file of a token with the right "
        "to read."
    ),
}


def store_feeds(recorders: Mapping[str, EventRecorder]) -> Feeds:
    """Feeds over the logs of stores in this process."""

    def open_feed(_: str, contexts: Contexts, positions: Positions) -> Feed:
        return StoreFeed({context: recorders[context] for context in contexts}, positions)

    return Feeds(open_feed, open_feed, shared=True, copies={"stores": open_feed})


def kafka_feeds(
    bootstrap: str,
    namespace: str,
    instance: str | None = None,
    stores: StoresElsewhere | None = None,
) -> Feeds:
    """Feeds over Kafka, a consumer group for each view. `instance` tells static members apart;
    `stores` is where the contexts tell of their own logs."""

    def open_feed(name: str, contexts: Contexts, positions: Positions) -> Feed:
        return KafkaFeed(
            KafkaFeedSettings(bootstrap, namespace, contexts, name, instance), positions
        )

    def open_history(name: str, contexts: Contexts, positions: Positions) -> Feed:
        """A group of its own, so that it owns every lane however many fill at once."""
        alone = KafkaFeedSettings(bootstrap, namespace, contexts, f"{name}.{new_id().hex}")
        return KafkaFeed(alone, positions)

    def open_stores(_: str, contexts: Contexts, positions: Positions) -> Feed:
        return StoreFeed(stores.logs(contexts) if stores is not None else {}, positions)

    copies: dict[Origin, Open] = {"kafka": open_history}
    if stores is not None:
        copies["stores"] = open_stores
    return Feeds(open_feed, open_history, shared=False, quiet=5.0, copies=copies)
