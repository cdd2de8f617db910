"""Free texts that were stored in plain before their events sealed them: read for ever, once."""

from __future__ import annotations

import pytest
from crm_events.catalogue import CATALOGUE
from crm_events.codec import Codec
from crm_events.event import personal_fields
from crm_events.upcasting import UPCASTS

from tests.events.golden import Golden, GoldenKeys, golden

FIRST = sorted(name for name in UPCASTS if name.endswith(".v1"))


@pytest.fixture(params=FIRST)
def first(request: pytest.FixtureRequest) -> Golden:
    """An event as the first version stored it."""
    return golden(request.param)


def _freed(stored: Golden) -> dict[str, str]:
    """The fields that rest in plain there and are personal today, with their texts."""
    lift = UPCASTS[stored.name]
    fields = {f.name for f in personal_fields(CATALOGUE[lift.to])} - set(lift.personal)
    return {name: stored.data[name] for name in fields}


def test_plain_text_of_the_first_version_is_read(first: Golden) -> None:
    event = Codec(GoldenKeys()).decode(first.envelope.data, first.slot)
    texts = _freed(first)
    assert type(event) is CATALOGUE[UPCASTS[first.name].to]
    assert texts
    assert {name: getattr(event, name) for name in texts} == texts


def test_what_was_plain_is_sealed_when_said_again(first: Golden) -> None:
    codec = Codec(GoldenKeys())
    event = codec.decode(first.envelope.data, first.slot)
    again = codec.encode(event, first.slot._replace(type=event.TYPE))
    for text in _freed(first).values():
        assert text.encode() in first.envelope.data
        assert text.encode() not in again
