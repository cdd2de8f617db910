import pytest

from tests.console.importing.files import Folder


def read(folder: Folder, field: str, written: str) -> object:
    (row,) = folder.rows("tickets", f'key,{field}\n1,"{written}"\n')
    return row.values[field]


def reason(folder: Folder, field: str, written: str) -> str:
    (error,) = folder.errors("tickets", f'key,{field}\n1,"{written}"\n')
    assert (error.column, error.value) == (field, written)
    return error.reason


@pytest.mark.parametrize(
    "written", ["Y", "yes", "TRUE", "1", "1.0", "是", "✓", "Solved", "closed", "已解决"]
)
def test_words_for_yes(folder: Folder, written: str) -> None:
    assert read(folder, "resolved", written) is True


@pytest.mark.parametrize(
    "written", ["N", "no", "False", "0", "否", "Open", "pending", "处理中", "Ｎ"]
)
def test_words_for_no(folder: Folder, written: str) -> None:
    assert read(folder, "resolved", written) is False


@pytest.mark.parametrize("written", ["maybe", "2", "deleted"])
def test_other_words_are_neither(folder: Folder, written: str) -> None:
    assert reason(folder, "answered", written) == "is neither yes nor no. Write yes or no."


@pytest.mark.parametrize(
    ("written", "rating"),
    [("1", 1), ("3.0", 3), ("5,0", 5), ("4/5", 4), ("4 stars", 4), ("2星", 2), ("★★★☆☆", 3)],
)
def test_ratings_are_whole_numbers(folder: Folder, written: str, rating: int) -> None:
    assert read(folder, "rating", written) == rating


@pytest.mark.parametrize("written", ["0", "6", "3.5", "good", "★★★★★★", "-1", "10"])
def test_ratings_beyond_five_are_errors(folder: Folder, written: str) -> None:
    assert reason(folder, "rating", written).startswith("is not a rating")


@pytest.mark.parametrize("field", ["resolved", "rating", "priority", "opened_at"])
@pytest.mark.parametrize("written", ["", "N/A", "null", "--"])
def test_words_for_nothing_are_null(folder: Folder, field: str, written: str) -> None:
    assert read(folder, field, written) is None


@pytest.mark.parametrize(
    ("written", "priority"),
    [
        ("LOW", "low"),
        ("Medium", "normal"),
        ("重要", "high"),
        ("Critical", "urgent"),
        ("P1", "urgent"),
    ],
)
def test_priorities_have_many_words(folder: Folder, written: str, priority: str) -> None:
    assert read(folder, "priority", written) == priority


def test_unknown_priority_is_an_error(folder: Folder) -> None:
    assert reason(folder, "priority", "soon").startswith("is not a priority")


def test_names_lose_only_their_surplus_blanks(folder: Folder) -> None:
    (row,) = folder.rows("staff", 'name,team\n" Ada\u00a0  Love\nlace ",Cafe\u0301\n')
    assert row.values == {"name": "Ada Love lace", "team": "Café"}


def test_comments_keep_their_lines(folder: Folder) -> None:
    assert read(folder, "comment", "Good.\r\n  Really.") == "Good.\n  Really."


def test_words_for_nothing_stay_text_in_text(folder: Folder) -> None:
    (row,) = folder.rows("staff", "name,team\nNull,None\n")
    assert row.values == {"name": "Null", "team": "None"}


def test_tags_are_split_and_kept_once(folder: Folder) -> None:
    rows = folder.rows("leads", 'name,tags\nA,"vip, new ;vip|大客户、北京"\nB,\n')
    assert [row.values["tags"] for row in rows] == [["vip", "new", "大客户", "北京"], []]


def test_phone_and_email_stay_as_written(folder: Folder) -> None:
    (row,) = folder.rows("leads", "phone,email\n 0049 (30) 12-34 , Ada@Example.COM \n")
    assert row.values == {"phone": "0049 (30) 12-34", "email": "Ada@Example.COM"}


def test_rounded_phone_is_an_error(folder: Folder) -> None:
    (error,) = folder.errors("leads", "name,phone\nA,1.38E+10\n")
    assert error.reason.startswith("was cut short by a spreadsheet")


@pytest.mark.parametrize(
    ("kind", "field", "most"),
    [("staff", "team", 500), ("tickets", "comment", 20_000), ("tickets", "channel", 200)],
)
def test_too_long_text_is_an_error(folder: Folder, kind: str, field: str, most: int) -> None:
    content = f"key,name,subject,{field}\n1,A,S,{'x' * most}\n2,B,S,{'x' * (most + 1)}\n"
    (error,) = folder.errors(kind, content)
    assert (error.line, error.column) == (3, field)
    assert error.reason == f"has {most + 1:,} characters; at most {most:,} fit"
