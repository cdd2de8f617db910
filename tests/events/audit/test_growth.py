"""That a log only grew: the vectors of RFC 6962 and of Certificate Transparency, and our own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from crm_events.audit.growth import (
    UnknownCheckpoint,
    check_growth,
    consistency_path,
    prove_growth,
    roots_from_path,
)
from crm_events.audit.keyfile import AuditKeys
from crm_events.audit.note import read_checkpoint
from crm_events.audit.proving import NoProof, NotProvable, prove
from crm_events.audit.tree import node_hash, root_of
from crm_events.ids import new_id
from crm_events.store.sqlite import SqliteRecorder
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.events.audit.sealing import Desk
from tests.events.store.building import append, event

LEAVES = [
    sha256(b"\0" + bytes.fromhex(data)).digest()
    for data in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    6: "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}
VECTORS = {
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
}


def _path(old: int, new: int, leaves: list[bytes]) -> list[bytes]:
    return consistency_path(old, new, lambda start, end: root_of(leaves[start:end]))


@pytest.mark.parametrize("sizes", VECTORS, ids=str)
def test_vectors_of_certificate_transparency(sizes: tuple[int, int]) -> None:
    """merkletree tests of google/certificate-transparency."""
    old, new = sizes
    path = [bytes.fromhex(digest) for digest in VECTORS[sizes]]
    roots = tuple(bytes.fromhex(ROOTS[size]) for size in sizes)
    assert tuple(root_of(LEAVES[:size]) for size in sizes) == roots
    assert _path(old, new, LEAVES) == path
    assert roots_from_path(old, new, roots[0], path) == roots


def test_the_examples_of_the_rfc() -> None:
    """RFC 6962, 2.1.3: a tree of seven leaves."""
    a, b, c, d, e, f, j = LEAVES[:7]
    g, h, i = node_hash(a, b), node_hash(c, d), node_hash(e, f)
    k, right = node_hash(g, h), node_hash(i, j)
    for old, path in ((3, [c, d, g, right]), (4, [right]), (6, [i, j, k])):
        assert _path(old, 7, LEAVES) == path


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 70), st.integers(0, 70), st.integers(0, 200))
def test_only_the_same_leaves_with_more_behind_them_hold(old: int, more: int, at: int) -> None:
    leaves = [sha256(number.to_bytes(2)).digest() for number in range(old + more)]
    path = _path(old, old + more, leaves)
    whole = root_of(leaves[:old]), root_of(leaves)
    assert roots_from_path(old, old + more, whole[0], path) == whole
    changed = list(leaves)
    changed[at % old] = sha256(b"other").digest()
    root = root_of(changed[:old])
    assert roots_from_path(old, old + more, root, path) != (root, whole[1])
    other = _path(old, old + more, changed)
    assert roots_from_path(old, old + more, whole[0], other) != (whole[0], root_of(changed))
    assert roots_from_path(old, old + more, whole[0], [*path, whole[0]]) is None
    assert roots_from_path(old + more + 1, old + more, whole[0], path) is None


SIZES = (3, 300, 700)


@pytest.fixture
def other(tmp_path: Path, keys: AuditKeys) -> Iterator[Desk]:
    """Another history under the same name and key."""
    with closing(SqliteRecorder(tmp_path / "other.db")) as recorder:
        yield Desk(recorder, keys)


@pytest.fixture
def grown(desk: Desk) -> Desk:
    """Sealed at 3, 300 and 700 events, over several tiles."""
    for number, count in enumerate((3, 297, 400)):
        desk.write(count, seed=number)
        desk.notary.take_in()
    return desk


def test_every_two_checkpoints_are_consistent(grown: Desk) -> None:
    for old in SIZES:
        for new in SIZES[SIZES.index(old) :]:
            grew = check_growth(prove_growth(grown.log, old, new, grown.trusted), grown.trusted)
            assert (grew.old.size, grew.new.size) == (old, new)


def test_a_checkpoint_that_was_kept_is_the_one_it_begins_with(grown: Desk) -> None:
    kept = [read_checkpoint(signed.note) for signed in grown.log.signed(0, 2)]
    proof = prove_growth(grown.log, 300, 700, grown.trusted)
    assert check_growth(proof, grown.trusted, kept).old == kept[1]
    with pytest.raises(NoProof, match="not the one that was kept"):
        check_growth(proof, grown.trusted, kept[:1])


def test_a_history_that_was_written_anew_is_not_the_kept_one_with_more(
    grown: Desk, other: Desk
) -> None:
    """Signed by the same key: the path of neither log leads from one to the other."""
    for count in (300, 400):
        append(other.recorder, [event(new_id(), 1) for _ in range(count)])
        other.notary.take_in()
    for log in (grown.log, other.log):
        proof = prove_growth(log, 300, 700, grown.trusted)
        proof["old_checkpoint"] = grown.log.signed(1, 1)[0].note
        proof["checkpoint"] = other.log.signed(1, 1)[0].note
        with pytest.raises(NoProof, match="is not that of 300 with more behind it"):
            check_growth(proof, grown.trusted)


def test_sizes_of_no_checkpoint_are_refused(grown: Desk) -> None:
    for old, new, why in (
        (2, 700, "no checkpoint of 2 events; the next one is of 3"),
        (3, 701, "no checkpoint of 701 events; the last one is of 700"),
        (700, 3, "the smaller size first"),
        (0, 3, "the smaller size first"),
    ):
        with pytest.raises(UnknownCheckpoint, match=why):
            prove_growth(grown.log, old, new, grown.trusted)


def test_changed_sealed_rows_prove_nothing(desk: Desk) -> None:
    ids = desk.write(3)
    desk.notary.take_in()
    desk.write(297, seed=2)
    desk.notary.take_in()
    head, signed, tile = desk.log.head(), desk.log.last_signed(), desk.log.tiles(0, 1)[0]
    assert signed is not None
    changed = replace(tile, hashes=tile.hashes[::-1])
    twice = replace(signed, number=3)
    assert desk.log.grow(head, replace(head, checkpoints=3), [changed], twice)
    with pytest.raises(NotProvable, match="crm audit verify"):
        prove_growth(desk.log, 3, 300, desk.trusted)
    with pytest.raises(NotProvable, match="crm audit verify"):
        prove(desk.log, ids[0], desk.trusted)
