"""What was published: every version of a file in git's history up to the newest release.

A release is a tag like v1.2. Before the first, all that was ever committed counts as published.
"""

from __future__ import annotations

import os
import subprocess
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_GONE: Final = "0" * 40


@dataclass(frozen=True, slots=True)
class Published:
    """The published texts of each JSON file below a folder, by its path from there.

    None where there is no history; `since` says what counted.
    """

    since: str
    texts: Mapping[str, Sequence[str]] | None


def published(folder: Path) -> Published:
    """No history in an installed package, in an unpacked archive, and before the first commit."""
    release = _git(folder, "describe", "--tags", "--abbrev=0", "--match", "v[0-9]*")
    revision = release.strip() if release else "HEAD"
    shown = ("--format=", "--raw", "--no-abbrev", "--no-renames", "--relative", "-m")
    told = _git(folder, "log", *shown, revision, "--", "*.json")
    if told is None:
        return Published("nothing: there is no history here", None)
    shallow = _git(folder, "rev-parse", "--is-shallow-repository") == "true\n"
    beginning = "where this shallow clone begins" if shallow else "the beginning"
    return Published(f"{beginning} up to {revision}", _texts(folder, told))


def _texts(folder: Path, told: str) -> Mapping[str, Sequence[str]]:
    blobs: dict[str, set[str]] = defaultdict(set)
    for line in told.splitlines():
        about, _, path = line.partition("\t")
        blob = about.split()[3]
        if blob != _GONE:
            blobs[path].add(blob)
    return {
        name: [text for blob in sorted(found) if (text := _git(folder, "cat-file", "blob", blob))]
        for name, found in blobs.items()
    }


def _git(folder: Path, *words: str) -> str | None:
    """What git says; None where it refuses or is not installed."""
    try:
        done = subprocess.run(
            ["git", *words], cwd=folder, env=_environment(), capture_output=True, check=True
        )
    except (subprocess.CalledProcessError, OSError):
        return None
    return done.stdout.decode()


def _environment() -> dict[str, str]:
    """Ours, without what git tells its hooks: that would point at another folder."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
