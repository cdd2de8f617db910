"""The checks of sizes, names and words find what they are for."""

from pathlib import Path

import pytest

from tests.architecture.checks import ROOT, committed, complaints


def complained(tmp_path: Path, name: str, text: str) -> str:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return "\n".join(complaints(tmp_path, [path]))


def test_file_of_251_lines_is_too_long(tmp_path: Path) -> None:
    assert "250 at most" in complained(tmp_path, "deal.py", "x = 1\n" * 251)
    assert complained(tmp_path, "deal.py", "x = 1\n" * 250) == ""


def test_test_file_may_have_350_lines(tmp_path: Path) -> None:
    assert complained(tmp_path, "tests/test_deal.py", "x = 1\n" * 350) == ""
    assert "350 at most" in complained(tmp_path, "tests/test_deal.py", "x = 1\n" * 351)


def test_function_of_41_lines_is_too_long(tmp_path: Path) -> None:
    body = "    x = 1\n"
    assert "win has 41 lines" in complained(tmp_path, "deal.py", "def win():\n" + body * 40)
    assert complained(tmp_path, "deal.py", "def win():\n" + body * 39) == ""


def test_usually_long_functions_are_found(tmp_path: Path) -> None:
    text = "".join(f"def f{n}():\n" + "    x = 1\n" * 8 for n in range(10))
    assert "the median function has 9" in complained(tmp_path, "deal.py", text)
    text = "".join(f"def f{n}():\n" + "    x = 1\n" * (1 if n < 8 else 25) for n in range(10))
    assert "9 of 10 functions" in complained(tmp_path, "deal.py", text)


@pytest.mark.parametrize("name", ["utils.py", "deal_helpers.py", "base.py"])
def test_empty_module_name_is_found(tmp_path: Path, name: str) -> None:
    assert "says nothing" in complained(tmp_path, name, "x = 1\n")


def test_empty_class_name_is_found(tmp_path: Path) -> None:
    assert "DealManager" in complained(tmp_path, "deal.py", "class DealManager: ...\n")
    assert complained(tmp_path, "deal.py", "class Database: ...\n") == ""


@pytest.mark.parametrize(
    "word",
    [
        "https://py" + "pi.org/simple",
        "files.python" + "hosted.org",
        "see " + "/wo" + "rk/main/x",
        "cd " + "/ro" + "ot/.cache",
        "../sha" + "red/data",
        "# TO" + "DO later",
        "as iss" + "ue 3 says",
    ],
)
def test_forbidden_word_is_found_with_its_line(tmp_path: Path, word: str) -> None:
    assert complained(tmp_path, "notes.md", f"first\n{word}\n").startswith("notes.md:2: ")


@pytest.mark.parametrize(
    "word", ["a framework/part", "$HOME/wo" + "rk/x", "github.com/a/b/issues/844"]
)
def test_harmless_word_passes(tmp_path: Path, word: str) -> None:
    assert complained(tmp_path, "notes.md", f"{word}\n") == ""


def test_only_ci_may_say_where_the_data_lies(tmp_path: Path) -> None:
    place = "$root/../sha" + "red/data"
    assert complained(tmp_path, ".ci/run", place) == ""
    assert complained(tmp_path, "Makefile", place) != ""


def test_binary_files_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(b"\x89PNG\xff\xfe")
    assert complaints(tmp_path, [path]) == []


def test_committed_files_are_all_looked_at() -> None:
    files = {path.relative_to(ROOT).as_posix() for path in committed(ROOT)}
    assert {"Makefile", "requirements/dev.lock", "tests/architecture/checks.py"} <= files
