"""The side without sealing stores what was written, and reads it again."""

from __future__ import annotations

from pathlib import Path

from crm_events.codec import Codec, Slot
from crm_events.contracts.contacts import LeadQualified
from crm_events.ids import new_id

from tests.bench.stores import sqlite_store_in
from tests.bench.untaxed import PlainCodec


def test_plain_text_goes_in_and_comes_out(tmp_path: Path) -> None:
    event = LeadQualified(person_id=new_id(), need="two hundred chairs")
    slot = Slot(event.TYPE, new_id(), 2)
    with sqlite_store_in(tmp_path, "contacts") as store:
        plain = PlainCodec(store.keys)
        data = plain.encode(event, slot)
        sealed = Codec(store.keys).encode(event, slot)
    assert b"two hundred chairs" in data
    assert b"two hundred chairs" not in sealed
    assert plain.decode(data, slot) == event
