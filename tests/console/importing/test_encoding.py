import codecs
import os
import threading
from pathlib import Path

import pytest
from crm_console.importing import FileRefused, open_table
from crm_console.importing.reading.source import LONGEST_LINE

from tests.console.importing.files import Folder

CHINESE = "姓名,邮箱\n张三,zhang@example.com\n李四,li@example.com\n"


@pytest.mark.parametrize(
    ("encoded", "encoding"),
    [
        (CHINESE.encode(), "utf-8"),
        (codecs.BOM_UTF8 + CHINESE.encode(), "utf-8-sig"),
        (CHINESE.encode("utf-16"), "utf-16"),
        (codecs.BOM_UTF16_BE + CHINESE.encode("utf-16-be"), "utf-16"),
        (CHINESE.encode("gb18030"), "gb18030"),
    ],
    ids=["utf-8", "with mark", "utf-16", "utf-16 big end first", "gb18030"],
)
def test_chinese_names_survive_every_encoding(
    folder: Folder, encoded: bytes, encoding: str
) -> None:
    rows = folder.rows("staff", encoded)
    assert [row.values["name"] for row in rows] == ["张三", "李四"]
    notes = folder.opened("staff", encoded).notes
    told = [note.text for note in notes if note.about == "encoding"]
    assert told == ([] if encoding.startswith("utf-8") else [f"read as {encoding.upper()}"])


def test_named_encoding_is_used(folder: Folder) -> None:
    rows = folder.rows("staff", "name\nJürgen\n".encode("cp1252"), encoding="cp1252")
    assert rows[0].values["name"] == "Jürgen"


@pytest.mark.parametrize("name", ["Jürgen Müller", "Zoë Crème", "Ünal"])
def test_western_bytes_are_not_read_as_chinese(folder: Folder, name: str) -> None:
    refusal = folder.refusal("staff", f"name\n{name}\n".encode("cp1252"))
    assert "Line 2 is not UTF-8" in refusal
    assert "--encoding cp1252" in refusal


def test_damaged_utf8_names_its_line(folder: Folder) -> None:
    damaged = CHINESE.encode() + b"\xe5\xbc,x@example.com\n"
    assert "damaged on line 4" in folder.refusal("staff", damaged)


def test_wrong_named_encoding_names_the_line(folder: Folder) -> None:
    refusal = folder.refusal("staff", "name\nJürgen\n".encode("cp1252"), encoding="utf-8")
    assert refusal.startswith("Line 2 is not valid UTF-8.")


@pytest.mark.parametrize("encoding", ["klingon", "hex", "rot13", "idna\0"])
def test_unknown_encoding_is_refused(folder: Folder, encoding: str) -> None:
    assert "no text encoding" in folder.refusal("staff", "name\nA\n", encoding=encoding)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"PK\x03\x04rest", "Excel workbook"),
        (b"\xd0\xcf\x11\xe0rest", "old Excel"),
        (b"\x1f\x8b\x08rest", "gzip"),
        (b"%PDF-1.7", "PDF"),
        ("name\nA\n".encode("utf-16-le"), "UTF-16 without its mark"),
    ],
)
def test_other_kinds_of_file_are_named(folder: Folder, content: bytes, what: str) -> None:
    assert what in folder.refusal("staff", content)


@pytest.mark.parametrize("content", [b"", b"\n\n", b" , ,\n", codecs.BOM_UTF8])
def test_file_without_records_is_refused(folder: Folder, content: bytes) -> None:
    assert "holds no records" in folder.refusal("staff", content)


def test_file_of_one_endless_line_is_refused(folder: Folder) -> None:
    content = "name\n" + "x" * (LONGEST_LINE + 1)
    assert "Line 2 is longer than" in folder.refusal("staff", content)


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match=r"Cannot read .*No such file"):
        open_table(tmp_path / "absent.csv", "staff")
    with pytest.raises(FileRefused, match="is a folder"):
        open_table(tmp_path, "staff")


def test_pipe_is_read_like_a_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=("name\nAda\n",))
    writer.start()
    file = open_table(pipe, "staff")
    writer.join()
    assert [row.line for row in file.rows()] == [2]
    assert [row.line for row in file.rows()] == [2]


def test_change_between_passes_is_noticed(folder: Folder) -> None:
    opened = folder.opened("staff", "name\nAda\n")
    folder.file("name\nAda\nGrace\n")
    with pytest.raises(FileRefused, match="changed while it was read"):
        list(opened.rows())


def test_change_during_a_pass_is_noticed(folder: Folder) -> None:
    opened = folder.opened("staff", "name\nAda\nGrace\n")
    rows = opened.rows()
    next(rows)
    with folder.path.joinpath("table.csv").open("a") as file:
        file.write("Alan\n")
    with pytest.raises(FileRefused, match="changed while it was read"):
        list(rows)
