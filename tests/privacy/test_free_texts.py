"""Whatever people type into any field of any command is sealed in every byte that is kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest
from crm_console.embedded.stores import open_stores
from crm_console.home import Home
from crm_events.codec import Codec, Slot

from tests.console.homes import CONTEXTS, opened
from tests.support.canary.plain import FORGOTTEN, PLAIN, SHOWN, listed
from tests.support.canary.story import tell_everything


@dataclass(frozen=True)
class Kept:
    """What a home holds after everything was told."""

    said: Mapping[str, str]
    told: set[str]
    commands: set[str]
    files: Mapping[str, bytes]
    decoded: str

    def places(self, *, inside: bytes) -> set[str]:
        """Where the texts were said that can be read in these bytes."""
        return {place for text, place in self.said.items() if text.encode() in inside}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    home = Home(tmp_path_factory.mktemp("privacy") / "home")
    with opened(home) as transport:
        teller = tell_everything(transport)
    files = {path.name: path.read_bytes() for path in home.path.rglob("*") if path.is_file()}
    decoded = "\n".join(_decoded(home))
    return Kept(teller.filler.said, teller.told, teller.commands, files, decoded)


def _decoded(home: Home) -> Iterator[str]:
    stores = open_stores(home, "crm", "EUR")
    codec = Codec(stores.keys)
    for recorder in stores.recorders.values():
        for each in recorder.read_log(0, 100_000).envelopes:
            slot = Slot(each.type, each.aggregate_id, each.aggregate_version)
            yield codec.decode(each.data, slot).model_dump_json()
    stores.close()


def test_every_command_and_import_is_told_of(kept: Kept) -> None:
    assert kept.told == kept.commands


def test_every_text_is_kept_somewhere(kept: Kept) -> None:
    """Otherwise the tests below would find nothing because there is nothing."""
    lost = {place for text, place in kept.said.items() if text not in kept.decoded}
    assert {place for place in lost if not listed(place, FORGOTTEN)} == set()


def test_texts_are_sealed_in_stores_and_keys(kept: Kept) -> None:
    for name, data in kept.files.items():
        if not name.startswith("views.db"):
            plain = {p for p in kept.places(inside=data) if not listed(p, PLAIN)}
            assert plain == set(), name


def test_views_hold_no_text_but_the_names_they_show(kept: Kept) -> None:
    views = b"".join(data for name, data in kept.files.items() if name.startswith("views.db"))
    plain = {p for p in kept.places(inside=views) if not listed(p, {**PLAIN, **SHOWN})}
    assert plain == set()


@pytest.mark.parametrize("pattern", [*PLAIN, *SHOWN])
def test_list_of_plain_texts_is_not_longer_than_needed(kept: Kept, pattern: str) -> None:
    """Each entry covers a text that can be read in the bytes."""
    found = kept.places(inside=b"".join(kept.files.values()))
    assert any(listed(place, {pattern: ""}) for place in found)


def test_files_of_stores_views_and_keys_were_read(kept: Kept) -> None:
    assert {f"{name}.db" for name in (*CONTEXTS, "views", "keys")} <= kept.files.keys()
