"""On PostgreSQL the database itself notes whom events are about, whoever writes them.

A trigger, not an argument of `append`: programs of the version before go on writing during a
rolling upgrade, and what they write is to be found too.
"""

from __future__ import annotations

from typing import Final

from crm_events.store.forgetting import forgetting

_UUID: Final = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"

_NAMED: Final = f"""
    SELECT DISTINCT named.id::uuid AS subject, said.aggregate_id
    FROM (SELECT aggregate_id, encode(data, 'escape') AS data FROM {{events}}) AS said,
         LATERAL (VALUES
             (substr(said.data, nullif(strpos(said.data, '"customer_id":"'), 0) + 15, 36)),
             (substr(said.data, nullif(strpos(said.data, '"person_id":"'), 0) + 13, 36))
         ) AS named(id)
    WHERE named.id ~ '{_UUID}' AND named.id <> said.aggregate_id::text
    ORDER BY 1, 2
"""

_NOTE: Final = (
    """
CREATE FUNCTION "{schema}".note_subjects() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO "{schema}".subject_streams (subject, aggregate_id)
"""
    + _NAMED.replace("{events}", "fresh")
    + """
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$
"""
)

_TRIGGER: Final = """
CREATE TRIGGER note_subjects AFTER INSERT ON "{schema}".events
    REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION "{schema}".note_subjects()
"""

_FILL: Final = (
    'INSERT INTO "{schema}".subject_streams (subject, aggregate_id)'
    + _NAMED.replace("{events}", '"{schema}".events')
    + " ON CONFLICT DO NOTHING"
)

_FORGET: Final = """
CREATE FUNCTION "{schema}".forget(erased uuid) RETURNS void LANGUAGE plpgsql
SET search_path TO "{schema}" AS $$
BEGIN
"""

_BESIDE: Final = """
CREATE FUNCTION "{schema}".write_beside(rest jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM "{schema}".write_beside_0001(rest);
    PERFORM "{schema}".forget(subject::uuid)
    FROM jsonb_array_elements_text(rest -> 'forgotten') AS f(subject);
END $$
"""


def functions(schema: str) -> list[str]:
    """In the order that nothing written meanwhile is missed: the trigger waits for writers that are
    at work, and what is there is noted after it stands."""
    words = forgetting("erased", "'%' || replace(erased::text, '-', '') || '%'", "''::bytea")
    forget = _FORGET + "".join(f"    {text};\n" for text in words) + "END $$"
    rename = 'ALTER FUNCTION "{schema}".write_beside(jsonb) RENAME TO write_beside_0001'
    texts = (_NOTE, _TRIGGER, _FILL, forget, rename, _BESIDE)
    return [text.replace("{schema}", schema).replace("%", "%%") for text in texts]
