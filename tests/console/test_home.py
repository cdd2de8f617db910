"""Who holds a home, and who may not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from crm_console.home import Home, HomeInUse, HomeUnusable, write_private

DIES_HOLDING = """
import os, signal, sys
from pathlib import Path
from crm_console.home import Home

home = Home(Path(sys.argv[1]))
with home.held():
    home.say("http://127.0.0.1:1")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def test_nobody_holds_a_home_that_is_not_there(home: Home) -> None:
    assert home.holder() is None
    assert home.is_new()


def test_holder_is_told_with_its_address(home: Home) -> None:
    with home.held():
        holder = home.holder()
        assert holder is not None
        assert (holder.pid, holder.address) == (os.getpid(), None)
        home.say("http://127.0.0.1:8000")
        assert home.holder() == type(holder)(os.getpid(), "http://127.0.0.1:8000")
    assert home.holder() is None


def test_a_shorter_address_replaces_a_longer_one(home: Home) -> None:
    with home.held():
        home.say("http://a-rather-long-name.example:8000")
        home.say("http://b:1")
        holder = home.holder()
        assert holder is not None
        assert holder.address == "http://b:1"


def test_second_holder_is_refused_with_the_first_ones_process(home: Home) -> None:
    refused = pytest.raises(HomeInUse, match=rf"process {os.getpid()}.*--home")
    with home.held(), refused, home.held():
        pass
    with home.held():
        assert home.holder() is not None


def test_refused_holder_leaves_what_the_first_one_said(home: Home) -> None:
    with home.held():
        home.say("http://127.0.0.1:8000")
        with pytest.raises(HomeInUse), home.held():
            pass
        holder = home.holder()
        assert holder is not None
        assert holder.address == "http://127.0.0.1:8000"


def test_lock_of_a_killed_process_holds_nobody_off(home: Home) -> None:
    command = [sys.executable, "-c", DIES_HOLDING, str(home.path)]
    assert subprocess.run(command, check=False).returncode == -9
    assert "127.0.0.1:1" in (home.path / "lock").read_text()
    assert home.holder() is None
    with home.held():
        holder = home.holder()
        assert holder is not None
        assert (holder.pid, holder.address) == (os.getpid(), None)


def test_a_lock_without_a_word_still_holds(home: Home) -> None:
    with home.held():
        (home.path / "lock").write_text("")
        holder = home.holder()
        assert holder is not None
        assert (holder.pid, holder.address) == (0, None)


def test_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    home = Home(tmp_path / "file" / "home")
    why = r"Cannot use .*file/home \(Not a directory\).*--home"
    with pytest.raises(HomeUnusable, match=why), home.held():
        pass


def test_what_is_private_is_for_its_owner_alone(home: Home) -> None:
    with home.held():
        secret = home.secret()
        modes = {path.name: path.stat().st_mode & 0o077 for path in home.path.iterdir()}
    assert modes == {"lock": 0, "secret": 0}
    assert home.path.stat().st_mode & 0o077 == 0
    assert len(secret) == 32


def test_secret_stays_and_is_never_replaced(home: Home) -> None:
    with home.held():
        assert home.secret() == home.secret()
        home.store("contacts").touch()
        (home.path / "secret").unlink()
        with pytest.raises(HomeUnusable, match=r"secret is missing; restore it"):
            home.secret()
        (home.path / "secret").write_text("not hexadecimal")
        with pytest.raises(HomeUnusable, match="holds no secret"):
            home.secret()


def test_private_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "said.json"
    write_private(path, "a first and longer text")
    write_private(path, "second")
    assert path.read_text() == "second"
    assert [each.name for each in tmp_path.iterdir()] == ["said.json"]
