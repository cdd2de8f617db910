"""Policies in files: TOML, or JSON where the name ends in .json."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any


class PolicyUnreadable(Exception):
    """The file holds no policy; says why."""


def policy_in(path: Path) -> dict[str, Any]:
    """What the file says. Raises PolicyUnreadable."""
    kind = "JSON" if path.suffix.lower() == ".json" else "TOML"
    try:
        text = path.read_text(encoding="utf-8")
        policy = json.loads(text) if kind == "JSON" else tomllib.loads(text)
        json.dumps(policy, allow_nan=False)
    except OSError as error:
        raise PolicyUnreadable(f"Cannot read {path}: {error.strerror or error}.") from error
    except TypeError as error:
        raise PolicyUnreadable(f"{path} has a date or time where none belongs.") from error
    except ValueError as error:
        raise PolicyUnreadable(f"{path} is not valid {kind}: {error}.") from error
    if not isinstance(policy, dict):
        raise PolicyUnreadable(f"{path} is not an object with the policy's keys.")
    return policy
