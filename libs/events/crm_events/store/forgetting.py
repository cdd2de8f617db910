"""What a store keeps of an erased subject beside its events, blanked in the same words anywhere.

Hashes of names, rows and requests tell nothing by themselves, but whoever guesses what was said can
check the guess against them.
"""

from __future__ import annotations

from typing import Final

_THINGS: Final = (
    "(SELECT aggregate_id FROM subject_streams WHERE subject = {subject} UNION SELECT {subject})"
)
_FORGET: Final = (
    "UPDATE directory SET name_key = NULL WHERE id = {subject}",
    f"""DELETE FROM imported WHERE id IN {_THINGS} OR id IN (
        SELECT id FROM directory
        WHERE kind = 'imported-as' AND replace(data, '-', '') LIKE {{pattern}}
    )""",
    f"""UPDATE command_log SET fingerprint = {{nothing}} WHERE command_id IN (
        SELECT command_id FROM events WHERE aggregate_id IN {_THINGS}
    )""",
)


def forgetting(subject: str, pattern: str, nothing: str) -> tuple[str, ...]:
    """The statements, with a database's own words for the subject's id, for a pattern that holds
    its 32 digits, and for no bytes."""
    return tuple(text.format(subject=subject, pattern=pattern, nothing=nothing) for text in _FORGET)
