"""Every service's description against the service: nothing breaks it, everything is described."""

from __future__ import annotations

import pytest

from tests.robustness.documents import SERVICES, Known, loaded, told
from tests.robustness.exploring import Explorer
from tests.robustness.speaking import Speaking

SEQUENCES = (
    ("contacts", "/staff", 6),
    ("contacts", "/organisations", 6),
    ("contacts", "/(leads|people)", 40),
    ("pipeline", "/pipelines", 6),
    ("pipeline", "/products", 6),
    ("pipeline", "/deals", 30),
    ("pipeline", "/orders", 20),
    ("ticketing", "/(feedback|tickets)", 40),
    ("campaigns", "/campaigns", 12),
)
"""Paths of one service whose operations lead to each other, and how many sequences of them."""


@pytest.fixture(scope="module")
def known(home: Speaking) -> Known:
    return told(home)


def explorer(home: Speaking, service: str, known: Known) -> Explorer:
    return Explorer(home, loaded(home.ask("GET", f"/openapi/{service}.json"), known))


@pytest.mark.parametrize("service", SERVICES)
def test_each_operation_answers_as_described(home: Speaking, service: str, known: Known) -> None:
    exploring = explorer(home, service, known)
    exploring.each_operation(examples=8)
    assert exploring.asked() == exploring.described()
    followed(home)


@pytest.mark.parametrize(("service", "paths", "examples"), SEQUENCES)
def test_sequences_answer_as_described(
    home: Speaking, service: str, paths: str, examples: int, known: Known
) -> None:
    exploring = explorer(home, service, known)
    exploring.sequences(f"^/v1/{service}{paths}", examples=examples, steps=8)
    done = exploring.reached()
    assert len(done) > len(exploring.asked()) / 2, sorted(exploring.seen.items())
    followed(home)


def followed(home: Speaking) -> None:
    """What was accepted can be followed by everybody: views park nothing, nothing has ended."""
    views = home.ask("GET", "/v1/views")["views"]
    assert [(view["stopped"], view["parked"]) for view in views] == [(None, 0)] * len(views)
    assert home.ask("GET", "/readyz")
