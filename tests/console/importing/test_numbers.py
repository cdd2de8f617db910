import pytest

from tests.console.importing.files import Folder


def prices(folder: Folder, *written: str, **options: object) -> list[tuple[object, object]]:
    content = "name;price\n" + "".join(f'P{n};"{text}"\n' for n, text in enumerate(written))
    rows = folder.rows("products", content, **options)
    return [(row.values["price"], row.values.get("currency")) for row in rows]


def amounts(folder: Folder, *written: str, **options: object) -> list[object]:
    return [amount for amount, _ in prices(folder, *written, **options)]


def reason(folder: Folder, written: str, **options: object) -> str:
    content = f'name\tprice\nP\t"{written}"\n'
    (error,) = folder.errors("products", content, **options)
    assert (error.column, error.value) == ("price", written)
    return error.reason


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("1054", "1054"),
        ("11.7700", "11.77"),
        ("007", "7"),
        (".5", "0.5"),
        ("0.125", "0.125"),
        ("0,125", "0.125"),
        ("-0", "0"),
        ("1,234.50", "1234.5"),
        ("1.234,50", "1234.5"),
        ("1,234,567", "1234567"),
        ("1.234.567", "1234567"),
        ("12,34,567.5", "1234567.5"),
        ("1 234 567,5", "1234567.5"),
        ("1\u00a0234,5", "1234.5"),
        ("1'234.5", "1234.5"),
        ("１２３４.５", "1234.5"),
        ("1234,567", "1234.567"),
        ("(12.5)", "-12.5"),
        ("-12.5", "-12.5"),
        ("\u221212.5", "-12.5"),
        ("12.5-", "-12.5"),
        ("+12.5", "12.5"),
        ("1.5K", "1500"),
        ("2M", "2000000"),
        ("2.5 bn", "2500000000"),
        ("3万", "30000"),
        ("1.2亿", "120000000"),
        ("5百万", "5000000"),
        ("1.2E+05", "120000"),
    ],
)
def test_numbers_are_read_in_every_usual_form(folder: Folder, written: str, number: str) -> None:
    assert prices(folder, written) == [(number, None)]


@pytest.mark.parametrize(
    ("written", "number", "currency"),
    [
        ("$1,234.50", "1234.5", "USD"),
        ("-$5.50", "-5.5", "USD"),
        ("$-5.50", "-5.5", "USD"),
        ("($5.50)", "-5.5", "USD"),
        ("$.50", "0.5", "USD"),
        ("1.234,50 €", "1234.5", "EUR"),
        ("USD 20", "20", "USD"),
        ("20 usd", "20", "USD"),
        ("￥88.8", "88.8", "CNY"),
        ("88.8元", "88.8", "CNY"),
        ("100万元", "1000000", "CNY"),
        ("3.5k€", "3500", "EUR"),
        ("2M USD", "2000000", "USD"),
        ("HK$ 7", "7", "HKD"),
        ("Rs. 500", "500", "INR"),
        ("£12", "12", "GBP"),
    ],
)
def test_amounts_name_their_currency(
    folder: Folder, written: str, number: str, currency: str
) -> None:
    assert prices(folder, written) == [(number, currency)]


@pytest.mark.parametrize("expected", ["AUD", "CAD", "HKD"])
def test_shared_sign_means_the_expected_currency(folder: Folder, expected: str) -> None:
    assert prices(folder, "$5", "€6", "7", currency=expected) == [
        ("5", expected),
        ("6", "EUR"),
        ("7", expected),
    ]


def test_sign_that_the_default_does_not_share_stays(folder: Folder) -> None:
    assert prices(folder, "$5", "¥6", currency="EUR") == [("5", "USD"), ("6", "CNY")]
    assert prices(folder, "¥6", currency="JPY") == [("6", "JPY")]


def test_currency_column_decides_and_contradictions_are_errors(folder: Folder) -> None:
    content = "name,price,currency\nA,$5,CAD\nB,5,eur\nC,$5,\nD,€5,USD\n"
    results = folder.results("products", content, currency="CNY")
    currencies = [getattr(result, "values", {}).get("currency") for result in results]
    assert currencies == ["CAD", "EUR", "USD", None]
    (error,) = folder.errors("products", content)
    assert (error.line, error.column) == (5, "price")
    assert error.reason == "is in EUR, but the row's currency is USD"


def test_header_may_name_the_currency(folder: Folder) -> None:
    rows = folder.rows("products", "name,Price (GBP)\nA,5\n", currency="USD")
    assert rows[0].values["currency"] == "GBP"
    rows = folder.rows("orders", "客户,日期,金额（元）\n张三,2021-01-05,5\n", currency="USD")
    assert rows[0].values["currency"] == "CNY"


def test_header_that_scales_its_numbers_is_not_guessed(folder: Folder) -> None:
    opened = folder.opened("organisations", "name,revenue (millions)\nAcme,5\n")
    assert opened.mapping.unused == ("revenue (millions)",)


def test_amount_that_is_not_there_has_no_currency(folder: Folder) -> None:
    assert prices(folder, "", "n/a", "-", currency="USD") == [(None, None)] * 3


def test_point_before_three_digits_follows_its_column(folder: Folder) -> None:
    assert amounts(folder, "1.234", "1,5") == ["1234", "1.5"]
    assert amounts(folder, "1.234", "1.5") == ["1.234", "1.5"]
    assert amounts(folder, "1,234", "1.5") == ["1234", "1.5"]


def test_comma_before_three_digits_alone_is_a_thousand(folder: Folder) -> None:
    rows = folder.rows("products", 'name,price\nA,"1,234"\nB,500\n')
    assert [row.values["price"] for row in rows] == ["1234", "500"]


@pytest.mark.parametrize(
    "content",
    ["name,price\nA,1.234\n", "name;price\nA;1,234\n", "name;price\nA;1.234\nB;1,5\nC;1.5\n"],
    ids=["point", "comma between semicolons", "both marks"],
)
def test_column_of_numbers_that_read_two_ways_is_refused(folder: Folder, content: str) -> None:
    refusal = folder.refusal("products", content)
    assert refusal.startswith("The numbers of column price can be read two ways: '1")
    assert refusal.endswith("Say --decimal point or --decimal comma.")


def test_named_decimal_mark_is_followed_strictly(folder: Folder) -> None:
    assert amounts(folder, "1.234", "1.234,5", decimal="comma") == ["1234", "1234.5"]
    assert amounts(folder, "1.234", "1,234", decimal="point") == ["1.234", "1234"]
    assert reason(folder, "1.5", decimal="comma").startswith("is not a number with a decimal comma")


def test_unknown_decimal_mark_is_refused(folder: Folder) -> None:
    assert "Say point or comma" in folder.refusal("products", "name\nA\n", decimal="dot")


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("abc", "is not a number"),
        ("12 apples", "has 'apples', which is neither a unit nor a currency"),
        ("5%", "has '%', which is neither"),
        ("1,23,4", "is not a number with a decimal point"),
        ("1.2.3", "is not a number with a decimal"),
        ("(5", "is not a number"),
        ("(-5)", "has more than one sign"),
        ("$5 €", "names two currencies, EUR and USD"),
        ("1E+30", "is too large"),
        ("123456789012345", "is too large"),
        ("0.12345678", "has more than 6 decimals"),
        ("9" * 100, "is not a number"),
        ("=1+1", "is not a number"),
    ],
)
def test_what_is_no_amount_is_an_error_of_its_row(folder: Folder, written: str, why: str) -> None:
    assert reason(folder, written).startswith(why)


def test_quantity_is_a_plain_number(folder: Folder) -> None:
    content = "customer,date,amount,quantity\nA,2021-01-05,5,2.50\nB,2021-01-05,5,$2\n"
    results = folder.results("orders", content)
    assert getattr(results[0], "values", {})["quantity"] == "2.5"
    (error,) = folder.errors("orders", content)
    assert error.reason == "is an amount of money where a plain number belongs"


@pytest.mark.parametrize("currency", ["XXQ", "dollars and cents"])
def test_unknown_currency_is_refused_or_an_error(folder: Folder, currency: str) -> None:
    assert "is not a currency" in folder.refusal("products", "name\nA\n", currency=currency)
    (error,) = folder.errors("products", f"name,price,currency\nA,5,{currency}\n")
    assert (error.column, error.value) == ("currency", currency)
