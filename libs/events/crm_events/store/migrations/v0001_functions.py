"""The one way into a store on PostgreSQL: a save, or several, in one call and one round trip.

A transaction takes its number and a shared lock before it draws positions. Both are what a reader
that meets a hole in the positions goes by: see `postgres_frontier`.
"""

from __future__ import annotations

from typing import Final

_APPEND: Final = """
CREATE FUNCTION "{schema}".append(
    e_aggregates uuid[], e_versions integer[], e_types text[], e_data bytea[], e_ids uuid[],
    e_occurred timestamptz[], e_partitions smallint[], e_correlations uuid[], e_causations uuid[],
    e_commands uuid[], e_actors text[], e_origins text[], e_superseded uuid[], e_traces text[],
    c_ids uuid[], c_fingerprints bytea[], c_aggregates uuid[], c_versions integer[],
    c_partitions smallint[], c_answers bytea[], c_last integer[],
    t_names text[], t_positions bigint[], rest jsonb
) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
    positions bigint[];
    moved integer;
    at timestamptz;
BEGIN
    PERFORM pg_current_xact_id();
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('{schema}/append', 0));
    positions := ARRAY(
        SELECT nextval('"{schema}".events_position')
        FROM generate_series(1, cardinality(e_aggregates))
    );
    at := clock_timestamp();
    IF cardinality(c_ids) > 0 THEN
        INSERT INTO "{schema}".command_log (
            command_id, fingerprint, aggregate_id, version, partition, answer, sequence, done_at
        )
        SELECT id, fingerprint, aggregate, version, partition, answer,
               coalesce(positions[last], 0), at
        FROM unnest(c_ids, c_fingerprints, c_aggregates, c_versions, c_partitions, c_answers,
                    c_last) AS c(id, fingerprint, aggregate, version, partition, answer, last)
        ORDER BY id;
    END IF;
    IF cardinality(t_names) > 0 THEN
        INSERT INTO "{schema}".tracking (name, position)
        SELECT name, position FROM unnest(t_names, t_positions) AS t(name, position) ORDER BY name
        ON CONFLICT (name) DO UPDATE SET position = excluded.position
        WHERE excluded.position > tracking.position;
        GET DIAGNOSTICS moved = ROW_COUNT;
        IF moved < cardinality(t_names) THEN
            RAISE EXCEPTION 'a tracked position did not rise' USING ERRCODE = 'CRM01';
        END IF;
    END IF;
    INSERT INTO "{schema}".events (
        position, aggregate_id, version, type, data, event_id, recorded_at, occurred_at, partition,
        correlation_id, causation_id, command_id, actor, origin, supersedes, traceparent
    )
    SELECT position, aggregate, version, type, data, id, at, coalesce(occurred, at), partition,
           correlation, causation, command, actor, origin, superseded, trace
    FROM unnest(positions, e_aggregates, e_versions, e_types, e_data, e_ids, e_occurred,
                e_partitions, e_correlations, e_causations, e_commands, e_actors, e_origins,
                e_superseded, e_traces)
         AS e(position, aggregate, version, type, data, id, occurred, partition, correlation,
              causation, command, actor, origin, superseded, trace);
    IF rest IS NOT NULL THEN
        PERFORM "{schema}".write_beside(rest);
    END IF;
    RETURN positions;
END $$
"""

_BESIDE: Final = """
CREATE FUNCTION "{schema}".write_beside(rest jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM "{schema}".timers
    WHERE id IN (SELECT jsonb_array_elements_text(rest -> 'timers_done')::uuid);

    INSERT INTO "{schema}".timers (id, name, aggregate_id, due_at)
    SELECT id, name, aggregate_id, due_at
    FROM jsonb_to_recordset(rest -> 'timers')
         AS t(id uuid, name text, aggregate_id uuid, due_at timestamptz)
    ON CONFLICT (id) DO UPDATE SET
        name = excluded.name, aggregate_id = excluded.aggregate_id, due_at = excluded.due_at;

    INSERT INTO "{schema}".directory (kind, id, name_key, data)
    SELECT kind, id, decode(name_key, 'hex'), data
    FROM jsonb_to_recordset(rest -> 'directory') AS d(kind text, id uuid, name_key text, data text)
    ORDER BY kind, id
    ON CONFLICT (kind, id) DO UPDATE SET name_key = excluded.name_key, data = excluded.data;

    INSERT INTO "{schema}".imported (id, row_hash)
    SELECT id, decode(row_hash, 'hex')
    FROM jsonb_to_recordset(rest -> 'imported') AS i(id uuid, row_hash text)
    ORDER BY id
    ON CONFLICT (id) DO UPDATE SET row_hash = excluded.row_hash;
END $$
"""

_MARK: Final = """
CREATE FUNCTION "{schema}".write_mark(safe bigint) RETURNS timestamptz LANGUAGE plpgsql AS $$
DECLARE
    now_at timestamptz;
    last_at timestamptz;
    resting boolean;
BEGIN
    PERFORM 1 FROM "{schema}".relay FOR UPDATE;
    now_at := clock_timestamp();
    SELECT max(at), count(*) = 2 AND bool_and(safe_to = safe) INTO last_at, resting
    FROM (SELECT at, safe_to FROM "{schema}".marks ORDER BY at DESC LIMIT 2) AS last;
    IF last_at >= now_at OR EXISTS (
        SELECT FROM "{schema}".marks WHERE at = last_at AND safe_to > safe
    ) THEN
        RETURN NULL;
    END IF;
    IF resting THEN
        UPDATE "{schema}".marks SET at = now_at WHERE at = last_at;
    ELSE
        INSERT INTO "{schema}".marks (at, safe_to) VALUES (now_at, safe);
    END IF;
    RETURN now_at;
END $$
"""


def functions(schema: str) -> list[str]:
    """Each with its tables named in full: they work whatever the caller's search path is."""
    return [text.replace("{schema}", schema) for text in (_BESIDE, _APPEND, _MARK)]
