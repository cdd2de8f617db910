from pathlib import Path

import pytest
from crm_console.importing import FileRefused, ImportOptions, with_mapping_file

from tests.console.importing.files import Folder

CALLS = "Call Id,Agent,Date,Time\nID1,Ann,2021-01-05,09:12:58\n"


@pytest.mark.parametrize(
    "header", ["Deal Value", "deal_value", "DEALVALUE:", "Ｄeal value", "成交金额"]
)
def test_headers_match_ignoring_case_and_marks(folder: Folder, header: str) -> None:
    (row,) = folder.rows("deals", f"title,{header}\nA,5\n")
    assert row.values["amount"] == "5"


def test_date_and_time_columns_are_joined_by_themselves(folder: Folder) -> None:
    opened = folder.opened("tickets", CALLS)
    (row,) = opened.rows()
    assert getattr(row, "values", {})["opened_at"] == "2021-01-05T09:12:58Z"
    told = [note.text for note in opened.notes if note.about == "mapping"]
    assert "opened_at is read from 'Date+Time'" in told


def test_said_columns_are_joined_by_a_blank(folder: Folder) -> None:
    rows = folder.rows(
        "leads", "First,Last,x\nAda,Lovelace,\n,Hopper,\n", maps=("name=First+Last",)
    )
    assert [row.values["name"] for row in rows] == ["Ada Lovelace", "Hopper"]


def test_column_with_a_plus_in_its_name_is_one_column(folder: Folder) -> None:
    (row,) = folder.rows("staff", "A+B,C\nAda,x\n", maps=("name=A+B",))
    assert row.values["name"] == "Ada"


def test_said_column_wins_over_the_header(folder: Folder) -> None:
    opened = folder.opened("staff", "name,agent,team\nA,B,C\n", maps=("name=agent",))
    (row,) = opened.rows()
    assert getattr(row, "values", {}) == {"name": "B", "team": "C"}
    assert opened.mapping.unused == ("name",)


def test_better_header_wins_and_the_other_is_told(folder: Folder) -> None:
    opened = folder.opened("deals", "title,company,account\nA,B,C\n")
    (row,) = opened.rows()
    assert getattr(row, "values", {})["customer"] == "C"
    (unused,) = [note.text for note in opened.notes if note.about == "unused"]
    assert unused == "no field reads 'company'; --map field=column would"


def test_constant_fills_every_row(folder: Folder) -> None:
    rows = folder.rows(
        "leads", "name\nA\nB\n", constants=("source=fair", "captured_at=2021-01-05", "tags=a,b")
    )
    assert [row.values["source"] for row in rows] == ["fair", "fair"]
    assert rows[0].values["captured_at"] == "2021-01-05T00:00:00Z"
    assert rows[0].date_only == ("captured_at",)
    assert rows[0].values["tags"] == ["a", "b"]
    mapping = folder.opened("leads", "name\nA\n", constants=("source=fair",)).mapping
    assert [field in mapping for field in ("name", "source", "email")] == [True, True, False]


def test_constant_wins_over_the_header(folder: Folder) -> None:
    (row,) = folder.rows("staff", "name,team\nA,B\n", constants=("team=X",))
    assert row.values["team"] == "X"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"maps": ("name=Agnt",)}, "no column 'Agnt'; did you mean 'Agent'?"),
        ({"maps": ("nam=Agent",)}, "staff have no field 'nam'; did you mean name?"),
        ({"maps": ("x=Agent",)}, "staff have no field 'x'; fields: key, name"),
        ({"maps": ("name",)}, "--map name: write it as field=value"),
        ({"maps": ("name=Agent", "name=Call Id")}, "--map names name more than once"),
        ({"maps": ("name=Agent", "team=Agent")}, "'Agent' is claimed by name and team"),
        ({"maps": ("name=Agent",), "constants": ("name=X",)}, "name has both --map and --set"),
        ({"constants": ("key=1",)}, "every row the same key"),
        ({"constants": ("team=",)}, "--set team=: write it as field=value"),
        ({"constants": ("tea=X",)}, "did you mean team?"),
    ],
)
def test_wrong_mapping_is_refused(folder: Folder, options: dict[str, object], told: str) -> None:
    assert told in folder.refusal("staff", CALLS, **options)


def test_constant_that_cannot_be_read_is_refused(folder: Folder) -> None:
    refusal = folder.refusal("leads", "name\nA\n", constants=("captured_at=03/04/2021",))
    assert refusal.startswith("--set captured_at=03/04/2021: it can be read as several dates.")
    refusal = folder.refusal("products", "name\nA\n", constants=("price=1.234",))
    assert "two ways" in refusal


def test_one_refusal_names_every_problem_and_the_remedy(folder: Folder) -> None:
    refusal = folder.refusal("orders", "a,b\n1,2\n")
    assert refusal == (
        "The columns do not fit orders:\n"
        "  - no column for the required field customer\n"
        "  - no column for the required field ordered_at\n"
        "  - no column for the required field amount\n"
        "The file has 'a', 'b'. Use --map field=column; "
        "`crm import orders --fields` lists the fields. "
        "Where the first line is data already, add --columns a,b,c."
    )


def test_kind_that_needs_one_of_several_says_so(folder: Folder) -> None:
    assert "no column for any of name, email, phone" in folder.refusal("leads", "a\n1\n")


def test_columns_alike_have_to_be_told_apart(folder: Folder) -> None:
    content = "Full Name,full_name,team\nA,B,C\n"
    refusal = folder.refusal("staff", content, maps=("name=fullname",))
    assert "columns 'Full Name', 'full_name' all answer to 'fullname'" in refusal
    (row,) = folder.rows("staff", content, maps=("name=full_name",))
    assert row.values["name"] == "B"


def test_unknown_kind_is_refused(folder: Folder) -> None:
    assert "Kinds: staff, organisations, products" in folder.refusal("contacts", "name\nA\n")


def mapping_file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mapping.toml"
    path.write_text(text)
    return path


def test_mapping_file_says_what_options_say(folder: Folder, tmp_path: Path) -> None:
    path = mapping_file(
        tmp_path,
        """
        stages = ["New", "In talks, late"]
        won = "Won"
        date_format = "DD/MM/YYYY"
        timezone = "Asia/Shanghai"
        [map]
        title = "What"
        stage = "Where"
        opened_at = ["Day", "Hour"]
        [set]
        currency = "EUR"
        """,
    )
    content = 'What;Where;Day;Hour;amount\nA;"In talks, late";03/04/2021;09:30;5\n'
    options = with_mapping_file(ImportOptions(), path)
    (row,) = folder.rows("deals", content, **{n: getattr(options, n) for n in options.__slots__})
    assert row.values["opened_at"] == "2021-04-03T01:30:00Z"
    assert (row.values["outcome"], row.values["currency"]) == ("open", "EUR")


def test_command_line_wins_over_the_mapping_file(tmp_path: Path) -> None:
    path = mapping_file(tmp_path, 'timezone = "UTC+1"\ndecimal = "comma"\n[map]\na = "x"\nb = "y"')
    said = ImportOptions(maps=("a=z",), decimal="point")
    options = with_mapping_file(said, path)
    assert options.maps == ("b=y", "a=z")
    assert (options.decimal, options.timezone) == ("point", "UTC+1")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[map", "is not valid TOML"),
        ("map = 3", "[map] must be a table"),
        ("[map]\na = 3", "a must name a column or a list of columns"),
        ("maps = 3", "unknown settings: maps"),
        ("stages = 3", "stages must be text or a list of texts"),
        ("timezone = 3", "timezone must be text"),
        ('header = "no"', "header must be text"),
    ],
)
def test_broken_mapping_file_is_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(FileRefused) as refused:
        with_mapping_file(ImportOptions(), mapping_file(tmp_path, text))
    assert told in str(refused.value)


def test_missing_mapping_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="Cannot read"):
        with_mapping_file(ImportOptions(), tmp_path / "absent.toml")
