"""Rows that share a key are known again as one group, whatever its rows did to each other."""

from tests.console.importing.files import Folder

TWICE = "id,name,team\n1,Ada,A\n2,Bob,B\n1,Ada,C\n"


def test_last_row_of_a_key_carries_the_hash_of_all(folder: Folder) -> None:
    first, alone, last = folder.rows("staff", TWICE)
    assert first.settled == last.row_hash
    assert (alone.settled, last.settled) == (None, None)
    assert len({first.row_hash, alone.row_hash, last.row_hash}) == 3


def test_a_row_of_a_key_changes_the_hash_of_all(folder: Folder) -> None:
    *_, last = folder.rows("staff", TWICE)
    *_, other = folder.rows("staff", TWICE.replace("1,Ada,A", "1,Ada,B"))
    (alone, *_) = folder.rows("staff", "id,name,team\n1,Ada,C\n")
    assert len({last.row_hash, other.row_hash, alone.row_hash}) == 3


def test_each_pass_marks_the_same_rows(folder: Folder) -> None:
    opened = folder.opened("staff", TWICE)
    assert list(opened.rows()) == list(opened.rows())


def test_equal_rows_without_a_key_stay_by_themselves(folder: Folder) -> None:
    rows = folder.rows("orders", "Customer,Date,Amount\nAda,2021-01-05,5\nAda,2021-01-05,5\n")
    assert [row.settled for row in rows] == [None, None]
