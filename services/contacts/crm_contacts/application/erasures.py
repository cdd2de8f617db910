"""Erasing a subject: the event first, then the key; and again whatever a restore brings back."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
import structlog
from crm_events.application import Outcome, Saving
from crm_events.keys.port import SubjectKeys
from crm_events.store.mapper import Cause
from crm_events.store.port import Beside, DirectoryEntry

from crm_contacts.application.directory import ERASED, Directory
from crm_contacts.domain.erasure import Erasure, Grounds

Certificate = Mapping[str, Any]
_log = structlog.get_logger("crm.erasing")


def digest_of(statement: Mapping[str, Any]) -> str:
    """SHA-256 of its JSON with sorted keys and no blanks, as `jq -cjS` writes it."""
    return hashlib.sha256(orjson.dumps(statement, option=orjson.OPT_SORT_KEYS)).hexdigest()


@dataclass(frozen=True)
class Erasures:
    """The register of erasures, and what has to be so because of it: no key of them is alive."""

    app: Directory
    keys: SubjectKeys

    def erase(
        self, cause: Cause, subject: UUID, grounds: Grounds, statement: Certificate
    ) -> Outcome:
        """The event and the register commit together; then the key is destroyed.

        A process that dies between them leaves it to `reapply`. Raises ErasedAlready, and
        KeysUnavailable, after which repeating the command destroys the key.
        """
        self.keys.alive([subject])  # where the keys are out of reach, nothing is promised

        def decide() -> Saving:
            erasure = self._load(subject)
            digest = digest_of(statement)
            erasure.erase(grounds, digest, at=cause.at)
            entry = DirectoryEntry(ERASED, subject, None, _entry(cause, grounds, statement, digest))
            beside = Beside(directory=(entry,), forgotten=(subject,))
            return Saving((erasure,), result={"statement_sha256": digest}, beside=beside)

        outcome = self.app.execute(cause, decide, commutes=True)
        self.keys.erase(subject, grounds.reason)
        return outcome

    def find(self, subject: UUID) -> Certificate | None:
        """What is kept of an erasure; None where the subject has not been erased."""
        entry = self.app.recorder.directory(ERASED, [subject]).get(subject)
        return None if entry is None else entry.data

    def certify(self, cause: Cause, subject: UUID, after: Mapping[str, Any]) -> Certificate | None:
        """Keep what was found after the erasure; the first finding stays."""
        known = self.find(subject)
        if known is None or known.get("after") is not None:
            return known
        entry = DirectoryEntry(ERASED, subject, None, {**known, "after": dict(after)})
        self.app.save_all((), cause, beside=Beside(directory=(entry,)))
        return entry.data

    def all(self) -> list[Certificate]:
        """Every erasure there ever was, the first one first."""
        entries = [entry.data for entry in self.app.recorder.directory_of(ERASED)]
        return sorted(entries, key=lambda data: (data["erased_at"], data["subject"]))

    def reapply(self) -> list[UUID]:
        """Destroy again every key of an erased subject that is there: a key database was restored,
        or the process died while it erased. Answers whose. Raises KeysUnavailable."""
        erased = {entry.id: entry.data for entry in self.app.recorder.directory_of(ERASED)}
        alive = sorted(self.keys.alive(erased)) if erased else []
        for subject in alive:
            self.keys.erase(subject, str(erased[subject]["reason"]))
            _log.warning("erasure_reapplied", subject=str(subject))
        return alive

    def _load(self, subject: UUID) -> Erasure:
        """Without reading its events: one that nobody can decode is no reason to keep a key. The
        version comes first, so that whoever erases meanwhile is met as a conflict."""
        last = self.app.recorder.select_events(subject, desc=True, limit=1)
        version = last[0].originator_version if last else 0
        return Erasure.standing(subject, version, done=self.find(subject) is not None)


def _entry(cause: Cause, grounds: Grounds, statement: Certificate, digest: str) -> dict[str, Any]:
    return {
        "subject": statement["subject"],
        "erased_at": cause.at.isoformat(),
        "erased_by": cause.actor,
        "reason": grounds.reason,
        "reference": grounds.reference,
        "statement_sha256": digest,
        "statement": statement,
        "after": None,
    }
