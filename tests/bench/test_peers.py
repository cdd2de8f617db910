"""Peers are installed once for each lock, and one that ends says why."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.bench.measuring import NotDone
from tests.bench.peers import talking
from tests.bench.peers.installing import peers_python, python_of


class Installs:
    """Makes the folder and nothing in it, and counts."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, folder: Path, _: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.times += 1


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "peers.lock"
    path.write_text("one==1\n")
    return path


def test_peers_are_installed_when_first_needed(tmp_path: Path, lock: Path) -> None:
    installs, folder = Installs(), tmp_path / "peers"
    assert peers_python(folder, lock, installs) == python_of(folder)
    peers_python(folder, lock, installs)
    assert installs.times == 1


def test_another_lock_is_installed_anew(tmp_path: Path, lock: Path) -> None:
    installs = Installs()
    peers_python(tmp_path / "peers", lock, installs)
    lock.write_text("one==2\n")
    peers_python(tmp_path / "peers", lock, installs)
    assert installs.times == 2


def test_what_could_not_be_installed_is_tried_again(tmp_path: Path, lock: Path) -> None:
    def broken(folder: Path, _: Path) -> None:
        folder.mkdir(exist_ok=True)
        raise NotDone("no network")

    with pytest.raises(NotDone):
        peers_python(tmp_path / "peers", lock, broken)
    installs = Installs()
    peers_python(tmp_path / "peers", lock, installs)
    assert installs.times == 1


def test_a_peer_that_ends_says_why(tmp_path: Path) -> None:
    """This Python has no peers: the program ends at its first import."""
    with (
        talking.running(Path(sys.executable), "quix_folding", tmp_path) as peer,
        pytest.raises(NotDone, match="quixstreams"),
    ):
        peer.heard()
