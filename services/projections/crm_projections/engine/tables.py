"""The engine's own tables: which generations there are, how far each is, what is parked, marks."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
)

METADATA: Final = MetaData()
_NUMBER: Final = BigInteger().with_variant(Integer, "sqlite")

GENERATIONS: Final = Table(
    "view_generation",
    METADATA,
    Column("view", Text, primary_key=True),
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("status", Text, nullable=False),  # building | live | retired | scratch
    Column("definition", Text, nullable=False),
    Column("definition_version", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("switched_at", BigInteger),
    Column("stopped", Text),
    Column("settings", Text),  # that rows are made by, beside the definition
)

POSITIONS: Final = Table(
    "view_position",
    METADATA,
    Column("view", Text, primary_key=True),
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("context", Text, primary_key=True),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("revision", BigInteger, nullable=False, default=0),
    Column("sequence", BigInteger, nullable=False, default=0),
    Column("event_id", Uuid),
    Column("next_offset", BigInteger),
    Column("complete_to", BigInteger, nullable=False, default=0),
    Column("digest", Text, nullable=False, default="0" * 32),
    Column("applied", BigInteger, nullable=False, default=0),
    Column("parked", BigInteger, nullable=False, default=0),
    Column("skipped", BigInteger, nullable=False, default=0),
    Column("moved_at", BigInteger, nullable=False, default=0),
)

LETTERS: Final = Table(
    "dead_letter",
    METADATA,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("view", Text, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("context", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("sequence", BigInteger),
    Column("record_offset", BigInteger),
    Column("aggregate_id", Uuid),
    Column("event_id", Uuid),
    Column("type", Text),
    Column("kind", Text, nullable=False),  # failed | behind | unreadable
    Column("reason", Text, nullable=False),
    Column("record_key", LargeBinary),
    Column("headers", Text, nullable=False),
    Column("data", LargeBinary),
    Column("attempts", Integer, nullable=False),
    Column("seen", BigInteger, nullable=False),
    Column("status", Text, nullable=False),  # parked | applied | skipped
    Column("parked_at", BigInteger, nullable=False),
    Column("decided_at", BigInteger),
    Column("decided_by", Text),
    Column("decision", Text),
)
Index("dead_letter_parked", LETTERS.c.view, LETTERS.c.generation, LETTERS.c.status)

MARKS: Final = Table(
    "mark",
    METADATA,
    Column("context", Text, primary_key=True),
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("safe_to", BigInteger, nullable=False),
)

JOBS: Final = Table(
    "view_job",
    METADATA,
    Column("number", _NUMBER, primary_key=True, autoincrement=True),
    Column("id", Uuid, nullable=False, unique=True),
    Column("kind", Text, nullable=False),  # rebuild | verify | replay
    Column("view", Text, nullable=False),
    Column("definition_version", Integer, nullable=False),
    Column("options", Text, nullable=False),
    Column("status", Text, nullable=False),  # waiting | running | done | failed | cancelled
    Column("asked_by", Text, nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    Column("begun_at", BigInteger),
    Column("beat_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("cancelled_at", BigInteger),
    Column("events", BigInteger, nullable=False, default=0),
    Column("total", BigInteger),
    Column("result", Text),
    Column("reason", Text),
    Column("continued", BigInteger),
    Column("note", Text),
)
Index("view_job_status", JOBS.c.status, JOBS.c.number)
