import hashlib

from crm_console.importing import ImportRow, RowError

from tests.console.importing.files import Folder

ORDER = "Ada,2021-01-05,5\n"
HEADER = "customer,date,amount\n"


def test_key_column_identifies_and_is_no_value(folder: Folder) -> None:
    rows = folder.rows("staff", "id,name\n 7 ,Ada\n")
    assert (rows[0].key, rows[0].keyed) == ("7", True)
    assert rows[0].values == {"name": "Ada"}


def test_named_things_are_known_by_their_name(folder: Folder) -> None:
    opened = folder.opened("products", "product,sales_price\nGTX Pro,1\ngtxpro,2\n")
    rows = [row for row in opened.rows() if isinstance(row, ImportRow)]
    assert [(row.key, row.keyed) for row in rows] == [("gtxpro", True)] * 2
    told = [note.text for note in opened.notes if note.about == "identity"]
    assert told == [
        "no key column: products are known by their name",
        "1 keys stand in more than one row; later rows update earlier ones",
    ]


def test_name_that_is_too_long_for_a_key_is_hashed(folder: Folder) -> None:
    (row,) = folder.rows("staff", f"name\n{'x' * 400}\n")
    assert row.key == hashlib.sha256(b"x" * 400).hexdigest()


def test_equal_rows_without_key_are_numbered(folder: Folder) -> None:
    opened = folder.opened("orders", HEADER + ORDER + "Bob,2021-01-05,5\n" + ORDER + ORDER)
    rows = [row for row in opened.rows() if isinstance(row, ImportRow)]
    hashes = [row.key.partition(":")[0] for row in rows]
    assert [row.key.partition(":")[2] for row in rows] == ["1", "1", "2", "3"]
    assert hashes[0] == hashes[2] == hashes[3] != hashes[1]
    assert not any(row.keyed for row in rows)
    assert [row.key for row in opened.rows() if isinstance(row, ImportRow)] == [
        row.key for row in rows
    ]


def test_key_of_a_row_is_its_cells_in_normal_form(folder: Folder) -> None:
    (plain,) = folder.rows("orders", HEADER + "Ada  Café,2021-01-05,5\n")
    (other,) = folder.rows(
        "orders", HEADER.replace(",", ";") + "Ada\u00a0Cafe\u0301;2021-01-05; 5\n"
    )
    assert plain.key == other.key
    assert plain.key == hashlib.sha256("Ada Café\x1f2021-01-05\x1f5".encode()).hexdigest() + ":1"


def test_keys_do_not_depend_on_options(folder: Folder) -> None:
    (plain,) = folder.rows("orders", HEADER + ORDER)
    options = {"timezone": "Asia/Shanghai", "currency": "EUR", "constants": ("source=shop",)}
    (other,) = folder.rows("orders", HEADER + ORDER, **options)
    assert plain.key == other.key
    assert plain.row_hash != other.row_hash


def test_row_hash_is_of_values_not_of_spelling(folder: Folder) -> None:
    one = folder.rows("orders", "id," + HEADER + "1,Ada,2021-01-05,5\n")
    two = folder.rows("orders", "Amount;ID;Date;Customer\n5.00;1;2021/1/5; Ada\n")
    assert one[0].row_hash == two[0].row_hash


def test_row_hash_tells_a_day_from_its_midnight(folder: Folder) -> None:
    rows = folder.rows("orders", HEADER + ORDER + "Ada,2021-01-05 00:00,5\n")
    assert rows[0].values == rows[1].values
    assert rows[0].row_hash != rows[1].row_hash


def test_empty_cell_is_null_and_absent_column_is_absent(folder: Folder) -> None:
    (empty,) = folder.rows("staff", "name,team\nAda,\n")
    (absent,) = folder.rows("staff", "name\nAda\n")
    assert empty.values == {"name": "Ada", "team": None}
    assert absent.values == {"name": "Ada"}
    assert empty.row_hash != absent.row_hash


def test_repeated_key_keeps_the_order_of_the_file(folder: Folder) -> None:
    opened = folder.opened("staff", "id,name,team\n1,Ada,A\n2,Bob,B\n1,Ada,C\n")
    rows = [row for row in opened.rows() if isinstance(row, ImportRow)]
    assert [(row.key, row.values["team"]) for row in rows] == [("1", "A"), ("2", "B"), ("1", "C")]
    assert "1 keys stand in more than one row" in [n.text for n in opened.notes][-1]


def test_empty_key_is_an_error(folder: Folder) -> None:
    (error,) = folder.errors("staff", "id,name\n,Ada\n2,Bob\n")
    assert (error.line, error.column, error.reason) == (2, "id", "is empty")


def test_required_and_needed_fields_must_be_filled(folder: Folder) -> None:
    (error,) = folder.errors("staff", "name,team\n,A\n")
    assert (error.column, error.reason) == ("name", "is empty")
    (error,) = folder.errors("leads", "name,email,source\n,,web\n")
    assert error.column is None
    assert error.reason == "fills none of name, email, phone, company, key"


def test_one_error_tells_everything_wrong_with_a_row(folder: Folder) -> None:
    (error,) = folder.errors("orders", HEADER + "Ada,soon,much\n")
    assert isinstance(error, RowError)
    assert (error.column, error.value) == ("date; amount", "soon; much")
    assert error.reason.startswith("date: 'soon' is not a date that can be read. Name its form")
    assert error.reason.endswith("amount: 'much' is not a number")
    assert error.cells == ("Ada", "soon", "much")


def test_digest_is_of_the_bytes_of_the_file(folder: Folder) -> None:
    opened = folder.opened("orders", HEADER + ORDER)
    assert opened.digest == hashlib.sha256((HEADER + ORDER).encode()).hexdigest()
    assert (opened.records, opened.kind.name) == (1, "orders")
