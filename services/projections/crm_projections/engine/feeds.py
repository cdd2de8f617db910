"""Where views read from: the stores' own logs in one process, or Kafka."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from crm_events.feed.kafka import KafkaFeed, KafkaFeedSettings
from crm_events.feed.port import Feed, Positions
from crm_events.feed.store import StoreFeed
from crm_events.ids import new_id
from crm_events.store.port import EventRecorder

Contexts = tuple[str, ...]
Open = Callable[[str, Contexts, Positions], Feed]


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


def store_feeds(recorders: Mapping[str, EventRecorder]) -> Feeds:
    """Feeds over the logs of stores in this process."""

    def open_feed(_: str, contexts: Contexts, positions: Positions) -> Feed:
        return StoreFeed({context: recorders[context] for context in contexts}, positions)

    return Feeds(live=open_feed, shared=True, history=open_feed)


def kafka_feeds(bootstrap: str, namespace: str, instance: str | None = None) -> Feeds:
    """Feeds over Kafka, a consumer group for each view. `instance` tells static members apart."""

    def open_feed(name: str, contexts: Contexts, positions: Positions) -> Feed:
        return KafkaFeed(
            KafkaFeedSettings(bootstrap, namespace, contexts, name, instance), positions
        )

    def open_history(name: str, contexts: Contexts, positions: Positions) -> Feed:
        """A group of its own, so that it owns every lane however many fill at once."""
        alone = KafkaFeedSettings(bootstrap, namespace, contexts, f"{name}.{new_id().hex}")
        return KafkaFeed(alone, positions)

    return Feeds(live=open_feed, shared=False, history=open_history, quiet=5.0)
