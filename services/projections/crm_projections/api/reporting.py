"""Reports: answers that can be cited, and asked for again to the byte.

What is cited is a question, not a file: the definition, everything that was asked, the position of
every log, and the digest of the answer. Ids stand in it and no names: those are looked up by who
shows it, and an erased person's is gone by then.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final
from urllib.parse import quote, urlencode

import orjson

from crm_projections.api.answering import Looked
from crm_projections.engine.view import Definition
from crm_projections.facts.instants import Reporting

_CANONICAL: Final = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS
_REPORT: Final = b',"report":'


def report_of(found: Looked, reporting: Reporting) -> bytes:
    """The JSON that is answered; `report` stands last, in the very bytes that the digest is of."""
    report = canonical(found, reporting)
    digest = sha256(report).hexdigest()
    definition = found.answer.definition
    head = {
        "citation": {
            "view": definition.id,
            "version": definition.version,
            "parameters": found.asked,
            "position": found.position,
            "sha256": digest,
            "text": citation_text(definition, found.asked, found.position, digest),
        },
        "citable": not found.not_citable,
        "not_citable": found.not_citable,
    }
    return orjson.dumps(head)[:-1] + _REPORT + report + b"}"


def canonical(found: Looked, reporting: Reporting) -> bytes:
    """JSON with sorted keys and no spaces; the same question has the same bytes for ever."""
    answer = found.answer
    groups = answer.groups
    document = {
        "definition": {"id": answer.definition.id, "version": answer.definition.version},
        "parameters": {**found.asked, **answer.parameters},
        "reporting": {"zone": reporting.zone.key, "currency": reporting.currency},
        "position": found.position,
        "totals": answer.totals,
        "rows": answer.rows,
        "groups": None if groups is None else list(groups),
        "distribution": answer.distribution,
        "excluded": answer.excluded,
    }
    return orjson.dumps(document, default=str, option=_CANONICAL)


def citation_text(
    definition: Definition, asked: Mapping[str, Any], position: Mapping[str, int], digest: str
) -> str:
    """A citation on one line: `crm:funnel@1?as_of=...&at=pipeline/*/1234#sha256:...`."""
    given = [(name, _said(value)) for name, value in sorted(asked.items())]
    given += [("at", f"{context}/*/{sequence}") for context, sequence in sorted(position.items())]
    query = urlencode(given, safe="/*:", quote_via=quote)
    return f"crm:{definition.id}@{definition.version}?{query}#sha256:{digest}"


def _said(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
