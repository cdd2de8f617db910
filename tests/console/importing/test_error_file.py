import csv
from pathlib import Path

import pytest
from crm_console.importing import ErrorFile, FileRefused, ImportFile, ImportRow, RowError
from crm_console.importing.reading.cells import clean_cells, guarded
from hypothesis import given
from hypothesis import strategies as st

from tests.console.importing.files import Folder

CONTENT = 'Name;Phone;Captured\nAda;"+49 30";soon\nBob;1;2021-01-05\nCy;2\n"Dee;3;2021-01-05\n'


def written(folder: Folder, opened: ImportFile, *, keep: int = 0) -> Path:
    path = folder.path / "errors.csv"
    with ErrorFile(path, opened.headers, keep=keep) as file:
        for result in opened.rows():
            if isinstance(result, RowError):
                file.write(result)
    assert file.written == opened.counts.refused
    return path


def test_error_file_has_reason_and_original_cells(folder: Folder) -> None:
    path = written(folder, folder.opened("leads", CONTENT))
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, *lines = csv.reader(file)
    assert header[:4] == ["error_line", "error_column", "error_value", "error_reason"]
    assert header[4:] == ["Name", "Phone", "Captured"]
    assert lines[0][:3] == ["2", "Captured", "soon"]
    assert lines[0][4:] == ["Ada", "'+49 30", "soon"]
    assert lines[1][:2] + lines[1][3:] == ["4", "", "has 2 cells where the header has 3", "Cy", "2"]
    assert lines[2][4:] == ['"Dee;3;2021-01-05']


def test_corrected_error_file_is_imported_under_the_same_keys(folder: Folder) -> None:
    wrong = "customer,date,amount\nAda,2021-01-05,5\n=Bob,2021-01-05,-five\n"
    path = written(folder, folder.opened("orders", wrong))
    corrected = path.read_text(encoding="utf-8").replace("'-five", "5")
    opened = folder.opened("orders", corrected)
    (row,) = opened.rows()
    (meant,) = folder.rows("orders", "customer,date,amount\n=Bob,2021-01-05,5\n")
    assert isinstance(row, ImportRow)
    assert (row.key, row.row_hash) == (meant.key, meant.row_hash)
    assert [note.about for note in opened.notes].count("error file") == 1


def test_import_without_errors_removes_an_old_error_file(folder: Folder) -> None:
    path = folder.path / "errors.csv"
    path.write_text("old")
    written(folder, folder.opened("leads", "name\nAda\n"))
    assert not path.exists()


def test_resumed_import_goes_on_in_its_error_file(folder: Folder) -> None:
    opened = folder.opened("leads", CONTENT)
    size = written(folder, opened).stat().st_size
    path = written(folder, opened, keep=size)
    with path.open(encoding="utf-8-sig", newline="") as file:
        assert [line[0] for line in csv.reader(file)] == ["error_line", *"245", *"245"]


def test_what_was_written_after_the_last_answer_is_written_again(folder: Folder) -> None:
    opened = folder.opened("leads", CONTENT)
    errors = [result for result in opened.rows() if isinstance(result, RowError)]
    path = folder.path / "errors.csv"
    with ErrorFile(path, opened.headers) as file:
        file.write(errors[0])
        size = file.size()
        assert size == path.stat().st_size > 0
        file.write(errors[1])
    with ErrorFile(path, opened.headers, keep=size) as file:
        for error in errors[1:]:
            file.write(error)
    with path.open(encoding="utf-8-sig", newline="") as lines:
        assert [line[0] for line in csv.reader(lines)] == ["error_line", *"245"]


def test_error_file_that_cannot_be_written_is_refused(folder: Folder) -> None:
    opened = folder.opened("leads", CONTENT)
    path = folder.path / "absent" / "errors.csv"
    with ErrorFile(path, opened.headers) as file:
        errors = [result for result in opened.rows() if isinstance(result, RowError)]
        with pytest.raises(FileRefused, match=r"Cannot write .*errors\.csv: No such file"):
            file.write(errors[0])


@given(st.text())
def test_guarding_a_cell_is_undone_by_reading_it(cell: str) -> None:
    (once,) = clean_cells([cell])
    assert clean_cells([guarded(once)]) == [once]
    assert guarded(once)[:1] not in {"=", "+", "-", "@"} or not once
