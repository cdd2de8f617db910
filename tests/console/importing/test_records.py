import pytest
from crm_console.importing import ImportRow

from tests.console.importing.files import Folder

PEOPLE = [["name", "team", "region"], ["Ada", "A", "North"], ["Grace", "B", "South, deep"]]


def lines_and_names(folder: Folder, content: str, **options: object) -> list[tuple[int, object]]:
    return [(row.line, row.values["name"]) for row in folder.rows("staff", content, **options)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
def test_delimiter_and_line_end_are_found(folder: Folder, delimiter: str, end: str) -> None:
    content = end.join(delimiter.join(f'"{cell}"' for cell in row) for row in PEOPLE) + end
    rows = folder.rows("staff", content)
    assert [row.values["region"] for row in rows] == ["North", "South, deep"]


def test_decimal_commas_do_not_hide_the_semicolon(folder: Folder) -> None:
    rows = folder.rows("products", "name;price\nBolt;1,5\nNut;2,25\nRing;0,75\n")
    assert [row.values["price"] for row in rows] == ["1.5", "2.25", "0.75"]


def test_single_column_of_sentences_stays_one_column(folder: Folder) -> None:
    rows = folder.rows("staff", "Full name\nAda Lovelace\nGrace Hopper\n")
    assert [row.values["name"] for row in rows] == ["Ada Lovelace", "Grace Hopper"]


def test_listing_separated_by_blanks_is_read(folder: Folder) -> None:
    content = " customer  date      amount\r\n 00001 19970101   11.77\r\n 00002 19970112  7.00\r\n"
    rows = folder.rows("orders", content)
    assert [(row.line, row.values["customer"], row.values["amount"]) for row in rows] == [
        (2, "00001", "11.77"),
        (3, "00002", "7"),
    ]


@pytest.mark.parametrize("name", ["pipe", "|"])
def test_named_delimiter_overrules_the_guess(folder: Folder, name: str) -> None:
    rows = folder.rows("staff", "name|team\nAda, Countess|A, B\n", delimiter=name)
    assert rows[0].values == {"name": "Ada, Countess", "team": "A, B"}


def test_unknown_delimiter_is_refused(folder: Folder) -> None:
    refusal = folder.refusal("staff", "name\nAda\n", delimiter="x")
    assert refusal == "Unknown delimiter 'x'. Use comma, semicolon, tab, pipe or space."


def test_line_numbers_are_those_of_an_editor(folder: Folder) -> None:
    content = 'name,team\nAda,"A\nB\nC"\n\n,\nGrace,D\n'
    assert lines_and_names(folder, content) == [(2, "Ada"), (7, "Grace")]


def test_quoted_quotes_and_inner_inches_are_kept(folder: Folder) -> None:
    content = 'name,team\n"Ada ""Countess"" L.",A\nGrace, "B, C"\nAlan,5" pipes\n'
    rows = folder.rows("staff", content)
    assert [row.values["name"] for row in rows] == ['Ada "Countess" L.', "Grace", "Alan"]
    assert [row.values["team"] for row in rows] == ["A", "B, C", '5" pipes']


def test_unclosed_quote_costs_one_record(folder: Folder) -> None:
    content = 'name,team\nAda,A\n"Grace,B\nAlan,C\nBarbara,D\n'
    results = folder.results("staff", content)
    assert [(type(result).__name__, result.line) for result in results] == [
        ("ImportRow", 2),
        ("RowError", 3),
        ("ImportRow", 4),
        ("ImportRow", 5),
    ]
    (error,) = folder.errors("staff", content)
    assert error.reason == "a quotation mark opens here and is never closed"
    assert error.cells == ('"Grace,B',)


def test_unclosed_quote_in_a_large_file_costs_one_record(folder: Folder) -> None:
    good = "".join(f"Person {number},{'x' * 50}\n" for number in range(5_000))
    opened = folder.opened("staff", f'name,team\n{good}"Broken,B\n{good}', constants=())
    lines = [r.line for r in opened.rows() if not isinstance(r, ImportRow)]
    assert lines == [5_002]
    assert (opened.counts.read, opened.counts.accepted) == (10_001, 10_000)


def test_text_after_a_closing_quote_is_an_error(folder: Folder) -> None:
    (error,) = folder.errors("staff", 'name,team\n"Ada" Lovelace,A\nGrace,B\n')
    assert (error.line, error.column) == (2, None)
    assert "written twice" in error.reason


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ("Ada", "has 1 cells where the header has 2"),
        ("Ada,A,extra", "has 3 cells where the header has 2"),
        ("A\0da,A", "holds a NUL character"),
        ("name,team", "repeats the header"),
    ],
)
def test_record_of_the_wrong_shape_is_an_error(folder: Folder, record: str, reason: str) -> None:
    results = folder.results("staff", f"name,team\nGrace,B\n{record}\nAlan,C\n")
    assert [type(result).__name__ for result in results] == ["ImportRow", "RowError", "ImportRow"]
    (error,) = folder.errors("staff", f"name,team\nGrace,B\n{record}\nAlan,C\n")
    assert (error.line, error.reason) == (3, reason)


def test_blank_cells_beyond_the_header_are_dropped(folder: Folder) -> None:
    assert lines_and_names(folder, "name,team\nAda,A,, \n") == [(2, "Ada")]


def test_headerless_file_takes_names(folder: Folder) -> None:
    rows = folder.rows("staff", "Ada,A\nGrace,B\n", columns=("name", "team"))
    assert [(row.line, row.values["name"]) for row in rows] == [(1, "Ada"), (2, "Grace")]


def test_headerless_file_without_names_is_mapped_by_number(folder: Folder) -> None:
    rows = folder.rows("staff", "Ada,A\nGrace,B\n", header=False, maps=("name=column1",))
    assert [row.values for row in rows] == [{"name": "Ada"}, {"name": "Grace"}]


def test_empty_and_repeated_headers_are_renamed(folder: Folder) -> None:
    opened = folder.opened("staff", "name,,team,team,\nAda,x,A,B,y\n")
    assert opened.headers == ("name", "column2", "team", "team (2)", "column5")
    renamed = [note.text for note in opened.notes if note.about == "header"]
    assert renamed == [
        "a column without a name is called 'column2'",
        "the second 'team' is called 'team (2)'",
        "a column without a name is called 'column5'",
    ]
    assert [row.values for row in opened.rows() if isinstance(row, ImportRow)] == [
        {"name": "Ada", "team": "A"}
    ]


def test_broken_header_is_refused(folder: Folder) -> None:
    assert "The header on line 1 is broken" in folder.refusal("staff", 'name,"team\nAda,A\n')


def test_spreadsheet_quote_before_a_formula_is_undone(folder: Folder) -> None:
    rows = folder.rows("leads", "name,phone\n'=Ada,'+49 30 1234\nO'Neil,'tis\n")
    assert [(row.values["name"], row.values["phone"]) for row in rows] == [
        ("=Ada", "+49 30 1234"),
        ("O'Neil", "'tis"),
    ]
