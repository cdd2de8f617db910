"""`crm import`: exit codes, the file of refused rows, dry runs, and going on after Ctrl-C."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
from pathlib import Path

import pytest

from tests.console.homes import Crm, Office, heads_of
from tests.support.commanding import program, told
from tests.support.waiting import wait_until

STAGES = ("--stages", "New,Talking", "--won", "Won", "--lost", "Lost", "--pipeline", "files")
EURO = ("--currency", "EUR")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def written(folder: Path, content: str, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_text(content)
    return path


def test_all_rows_in_end_with_0_and_their_counts(crm: Crm, folder: Path) -> None:
    file = written(folder, "Name,Team\nIma One,North\nIma Two,North\n")
    done = crm("import", "staff", file, "-o", "json")
    assert done.code == 0, done.err
    assert done.json == {
        "read": 2,
        "accepted": 2,
        "changed_nothing": 0,
        "refused": 0,
        "dry_run": False,
        "resumed_after": 0,
        "correlation": done.json["correlation"],
        "stubs": [],
        "guessed": [],
    }
    again = crm("import", "staff", file, "-o", "csv")
    assert (again.code, again.out.split()) == (
        0,
        ["read,accepted,changed_nothing,refused", "2,0,2,0"],
    )


def test_refused_rows_are_corrected_in_the_file_of_errors(crm: Crm, folder: Path) -> None:
    file = written(
        folder,
        "Key,Customer,Date,Amount\no1,c1,2026-01-05,7.50\no2,c2,soon,8\no3,c3,2199-01-05,9\n",
    )
    errors = folder / "errors.csv"
    done = crm("import", "orders", file, *EURO, "--source", "refusals", "--errors", errors)
    assert (done.code, done.json["accepted"], done.json["refused"]) == (3, 1, 2)
    with errors.open(encoding="utf-8-sig", newline="") as stream:
        found = list(csv.DictReader(stream))
    assert [(row["error_line"], row["error_column"], row["error_value"]) for row in found] == [
        ("3", "Date", "soon"),
        ("4", "Date", "2199-01-05"),
    ]
    assert [row["Key"] for row in found] == ["o2", "o3"]
    mended = errors.read_text(encoding="utf-8-sig")
    for wrong in ("soon,8", "2199-01-05,9"):
        mended = mended.replace(wrong, f"2026-01-07,{wrong[-1]}")
    errors.write_text(mended)
    again = crm("import", "orders", errors, *EURO, "--source", "refusals", "-o", "table")
    assert again.code == 0, again.err
    assert "columns that an error file adds are not read" in again.err
    whole = crm("import", "orders", file, *EURO, "--source", "refusals")
    assert (whole.json["changed_nothing"], whole.json["refused"]) == (1, 2)


def test_refused_rows_without_a_file_name_the_option(crm: Crm, folder: Path) -> None:
    file = written(folder, "Key,Customer,Date,Amount\no9,c9,soon,8\n")
    done = crm("import", "orders", file, *EURO, "-o", "table")
    assert done.code == 3
    assert "give --errors FILE to get the refused rows" in done.err


def test_errors_over_the_input_are_refused(crm: Crm, folder: Path) -> None:
    file = written(folder, "Name\nNot Lost\n")
    link = folder / "link.csv"
    link.symlink_to(file)
    for errors in (file, link):
        done = crm("import", "staff", file, "--errors", errors)
        assert (done.code, done.out) == (2, "")
        assert done.err == (
            f"crm: --errors {errors} is the file to import. Name another one for the refused "
            "rows.\n"
        )
    assert file.read_text() == "Name\nNot Lost\n"


def test_dry_run_says_what_would_be_made(crm: Crm, office: Office, folder: Path) -> None:
    before = heads_of(office)
    file = written(folder, "Key,Owner,Stage,Opened\nx1,Dry Nobody,New,2026-01-05\n")
    done = crm("import", "deals", file, *STAGES, "--dry-run", "-o", "table")
    assert done.code == 0, done.err
    assert "dry run, nothing is kept" in done.out
    assert "would be made from a name alone" in done.err
    assert "staff 'Dry Nobody'" in done.err
    assert heads_of(office) == before


def test_guesses_about_the_file_are_told(crm: Crm, folder: Path) -> None:
    file = written(folder, "Name;Region;Shoe size\nIma Three;North;44\n")
    done = crm("import", "staff", file)
    assert done.code == 0
    assert "delimiter: cells are separated by semicolons" in done.err
    assert "unused: no field reads 'Shoe size'; --map field=column would" in done.err


def test_mapping_file_stands_for_the_options(crm: Crm, folder: Path) -> None:
    mapping = written(folder, '[map]\nname = "Wer"\n[set]\nteam = "South"\n', "mapping.toml")
    file = written(folder, "Wer\nIma Four\n")
    assert crm("import", "staff", file).code == 2
    assert crm("import", "staff", file, "--mapping", mapping).json["accepted"] == 1


def test_fields_of_a_kind_are_listed(crm: Crm) -> None:
    found = crm("import", "orders", "--fields").json
    assert {"key", "customer", "ordered_at", "amount"} <= {field["name"] for field in found}
    in_csv = list(csv.DictReader(crm("import", "orders", "--fields", "-o", "csv").out.splitlines()))
    assert [row["name"] for row in in_csv] == [field["name"] for field in found]
    assert "headers it is found by" in crm("import", "orders", "--fields", "-o", "table").out


WRONG = [
    (("people", "FILE"), "There is no kind 'people'. Kinds: staff, organisations,"),
    (("staff",), "Name the file to import, or give --fields"),
    (("staff", "missing.csv"), "missing.csv"),
    (("staff", "FILE", "--map", "shoe=Name"), "shoe"),
    (("staff", "FILE", "--timezone", "Mars/Base"), "Mars/Base"),
    (("deals", "FILE"), "--stages"),
]


@pytest.mark.parametrize(("asked", "why"), WRONG, ids=[why for _, why in WRONG])
def test_wrong_use_ends_with_2_and_nothing_kept(
    crm: Crm, office: Office, folder: Path, asked: tuple[str, ...], why: str
) -> None:
    file = written(folder, "Name,Stage,Opened\nNobody Atall,New,2026-01-05\n")
    before = heads_of(office)
    done = crm("import", *(str(file) if word == "FILE" else word for word in asked))
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("crm: ")
    assert why in done.err
    assert heads_of(office) == before


def test_a_file_of_errors_that_cannot_be_made_is_refused_first(
    crm: Crm, office: Office, folder: Path
) -> None:
    before = heads_of(office)
    file = written(folder, "Key,Customer,Date,Amount\nu1,c1,soon,8\nu2,c2,2026-01-05,8\n")
    done = crm("import", "orders", file, *EURO, "--errors", folder / "no" / "errors.csv")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        f"crm: Cannot write {folder / 'no' / 'errors.csv'}: there is no folder {folder / 'no'}.\n"
    )
    assert heads_of(office) == before


def test_ctrl_c_tells_how_to_go_on(office: Office, tmp_path: Path) -> None:
    """Interrupted after some batches were answered; the same command with --resume ends it."""
    rows = "".join(f"i{n},ci{n % 50},2026-01-05,1\n" for n in range(12_000))
    file = written(tmp_path, "Key,Customer,Date,Amount\n" + rows)
    home = tmp_path / "home"
    words = ("import", "orders", str(file), *EURO, "--source", "interrupted")
    told_of = told({"CRM_HOME": str(home), "CRM_SERVER": office.address})
    process = subprocess.Popen(
        [str(program()), *words],
        env=told_of,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        wait_until(lambda: process.poll() is not None or reached(home) > 0, "a batch", 120)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert "same command with --resume goes on from there" in said
    assert said.splitlines()[-1] == "crm: interrupted; what was answered is kept."
    before = reached(home)
    crm = Crm(("--home", str(home), "--server", office.address))
    dry = crm(*words, "--dry-run")
    assert (dry.code, reached(home)) == (0, before)
    done = crm(*words, "--resume")
    assert done.code == 0, done.err
    assert done.json["resumed_after"] == before
    assert done.json["read"] == 12_001 - before
    assert done.json["accepted"] + done.json["changed_nothing"] == done.json["read"]
    assert crm(*words).json["changed_nothing"] == 12_000
    assert reached(home) == 0


def reached(home: Path) -> int:
    """The last line that was answered, as the command keeps it."""
    kept = list((home / "imports").glob("*.json"))
    return int(json.loads(kept[0].read_text())["line"]) if kept else 0
