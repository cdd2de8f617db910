"""Values that parsers and databases choke on, in every place there is for one."""

from __future__ import annotations

import pytest

from tests.robustness.documents import SERVICES
from tests.robustness.hostile import requests_to
from tests.robustness.speaking import Speaking


def refused_in_words(speaking: Speaking, document: str) -> int:
    """How many requests were answered; each without a failure of ours, refusals as problems."""
    count = 0
    for request in requests_to(speaking.ask("GET", document)):
        answer = speaking.said(request.method, request.path, request.content)
        told = f"{request.method} {request.path[:200]} {(request.content or b'')[:200]!r}"
        assert answer.status_code < 500, f"{told}\n{answer.text}"
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json", told
            assert answer.json()["detail"], told
        count += 1
    return count


@pytest.mark.parametrize("service", SERVICES)
def test_hostile_values_are_refused_in_words(home: Speaking, service: str) -> None:
    assert refused_in_words(home, f"/openapi/{service}.json") > 100
