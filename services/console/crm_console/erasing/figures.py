"""What the views say without any name, as digests that anybody can make again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qs, urlencode

from crm_console.transport import Transport

_QUESTIONS: Final[Sequence[tuple[str, dict[str, str]]]] = (
    ("funnel", {"mode": "cohort", "by": "owner"}),
    ("funnel", {"mode": "snapshot", "by": "owner"}),
    ("satisfaction", {"by": "agent"}),
    ("retention", {}),
)
_MOVING: Final = ("position", "citable", "not_citable")
"""How far the view is, which says nothing of what it answers at a position."""


def digest_of(document: Any) -> str:
    """SHA-256 of the JSON with sorted keys and no blanks, in UTF-8, as `jq -cjS` writes it."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def questions(transport: Transport, as_of: str) -> list[str]:
    """Questions to the views at the position where they are now; the answers stay the same."""
    views = {view["name"]: view for view in transport.send("GET", "/v1/views")["views"]}
    return [
        f"{name}?{urlencode([*said.items(), ('as_of', as_of), *_at(views[name])], safe='/*:+')}"
        for name, said in _QUESTIONS
    ]


def _at(view: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    return [("at", f"{context}/*/{at}") for context, at in sorted(view["position"].items())]


def figures(transport: Transport, asked: Sequence[str]) -> list[dict[str, str]]:
    """The digest of each answer, without names."""
    return [{"question": each, "digest": _digest(transport, each)} for each in asked]


def _digest(transport: Transport, question: str) -> str:
    name, _, query = question.partition("?")
    answer = transport.send("GET", f"/v1/views/{name}", query=parse_qs(query.replace("+", "%2B")))
    return digest_of(_nameless({k: v for k, v in answer.items() if k not in _MOVING}))


def _nameless(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {k: v for k, v in value.items() if k != "name" and not k.endswith("_name")}
        return {key: _nameless(inner) for key, inner in kept.items()}
    return [_nameless(inner) for inner in value] if isinstance(value, list) else value
