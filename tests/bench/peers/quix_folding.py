"""Runs in build/peers: Quix Streams reads a topic and keeps the last event of each aggregate.

One line tells all of it: broker, topic, group, database, table, how many events, and after how many
a checkpoint is committed. Its own sink writes to PostgreSQL, one upsert and one transaction for
each partition of a checkpoint. It answers when the last has been committed.
"""

import json
import sys
from datetime import datetime
from typing import Any

from quixstreams import Application
from quixstreams.sinks.community.postgresql import PostgreSQLSink


def _is_event(_: Any, __: Any, ___: int, headers: Any) -> bool:
    """The topic also carries marks of time, which concern no aggregate."""
    return any(name == "ce_occurredat" for name, _ in headers)


def _row(_: Any, key: Any, __: int, headers: Any) -> dict[str, Any]:
    said = dict(headers)
    effective = datetime.fromisoformat(said["ce_occurredat"].decode())
    return {
        "unit": key.decode(),
        "sequence": int(said["ce_sequence"]),
        "type": said["ce_type"].decode(),
        "effective": round(effective.timestamp() * 1_000_000),
    }


def fold(told: dict[str, Any]) -> None:
    app = Application(
        broker_address=told["bootstrap"],
        consumer_group=told["group"],
        auto_offset_reset="earliest",
        auto_create_topics=False,
        use_changelog_topics=False,
        commit_every=told["commit_every"],
        state_dir=told["folder"],
        loglevel="WARNING",
    )
    sink = PostgreSQLSink(
        **told["database"],
        table_name=told["table"],
        schema_auto_update=False,
        primary_key_columns="unit",
        upsert_on_primary_key=True,
        include_metadata=False,
    )
    topic = app.topic(told["topic"], value_deserializer="json", key_deserializer="bytes")
    events = app.dataframe(topic).filter(_is_event, metadata=True)
    events.apply(_row, metadata=True).sink(sink)
    app.run(count=told["events"], collect=False)


def main() -> None:
    for line in sys.stdin:
        fold(json.loads(line))
        print("{}", flush=True)


if __name__ == "__main__":
    main()
