import pytest

from tests.console.importing.files import Folder


def captured(folder: Folder, *dates: str, **options: object) -> list[object]:
    content = "name,captured_at\n" + "".join(f'Ada,"{date}"\n' for date in dates)
    return [row.values["captured_at"] for row in folder.rows("leads", content, **options)]


def reason(folder: Folder, date: str, **options: object) -> str:
    (error,) = folder.errors("leads", f'name,captured_at\nAda,"{date}"\n', **options)
    assert (error.line, error.column, error.value) == (2, "captured_at", date)
    return error.reason


@pytest.mark.parametrize(
    "written",
    [
        "2021-01-05",
        "2021/1/5",
        "2021.01.05",
        "20210105",
        "2021年1月5日",
        "2021年01月05日 星期二",
        "２０２１-０１-０５",
        "5 Jan 2021",
        "05-Jan-21",
        "5th of January, 2021",
        "January 5, 2021",
        "Jan. 5 2021",
        "2021-Jan-05",
        "Tue, 5 January 2021",
    ],
)
def test_dates_are_read_in_every_usual_form(folder: Folder, written: str) -> None:
    (row,) = folder.rows("leads", f'name,captured_at\nAda,"{written}"\n')
    assert row.values["captured_at"] == "2021-01-05T00:00:00Z"
    assert row.date_only == ("captured_at",)


@pytest.mark.parametrize(
    "written",
    [
        "2021-01-05 15:04",
        "2021-01-05T15:04:00",
        "2021-01-05T15:04:00Z",
        "2021-01-05 15:04:00.000 UTC",
        "2021-01-05 16:04:00+01:00",
        "2021-01-05T23:04+0800",
        "20210105T150400",
        "20210105150400",
        "202101051504",
        "2021年1月5日15时4分",
        "2021年1月5日 下午3:04",
        "2021/1/5 3:04 PM",
        "Jan 5, 2021, 3:04:00 p.m.",
        "Tue, 05 Jan 2021 15:04:00 +0000",
        "Tue, 05 Jan 2021 15:04:00 GMT",
    ],
)
def test_times_are_read_in_every_usual_form(folder: Folder, written: str) -> None:
    (row,) = folder.rows("leads", f'name,captured_at\nAda,"{written}"\n')
    assert row.values["captured_at"] == "2021-01-05T15:04:00Z"
    assert row.date_only == ()


@pytest.mark.parametrize(
    ("written", "hour"),
    [
        ("12:05 AM", "00"),
        ("12:05 PM", "12"),
        ("上午9:05", "09"),
        ("晚上9:05", "21"),
        ("中午12:05", "12"),
    ],
)
def test_halves_of_the_day_are_understood(folder: Folder, written: str, hour: str) -> None:
    assert captured(folder, f"2021-01-05 {written}") == [f"2021-01-05T{hour}:05:00Z"]


def test_fractions_of_seconds_are_kept(folder: Folder) -> None:
    assert captured(folder, "2021-01-05 15:04:05.678901234") == ["2021-01-05T15:04:05.678901Z"]


@pytest.mark.parametrize(
    ("dates", "first"),
    [
        (("03/04/2021", "25/12/2021"), "2021-04-03"),
        (("03/04/2021", "12/25/2021"), "2021-03-04"),
        (("03.04.21", "31.12.99"), "2021-04-03"),
        (("21-04-03", "99-12-31"), "2021-04-03"),
        (("03.04.21", "13.04.2021"), "2021-04-03"),
        (("04/04/2021", "05/05/2021"), "2021-04-04"),
    ],
)
def test_one_plain_date_settles_its_column(
    folder: Folder, dates: tuple[str, ...], first: str
) -> None:
    assert captured(folder, *dates)[0] == f"{first}T00:00:00Z"


def test_column_that_reads_two_ways_is_refused(folder: Folder) -> None:
    content = "name,date\nAda,03/04/2021\nGrace,05/06/2021\n"
    assert folder.refusal("leads", content) == (
        "The dates of column date can be read two ways: "
        "'03/04/2021' on line 2 is 3 April 2021 or 4 March 2021. "
        "Say --date-format DD/MM/YYYY or --date-format MM/DD/YYYY."
    )


def test_column_with_both_orders_is_refused(folder: Folder) -> None:
    content = "name,date\nAda,13/04/2021\nGrace,05/06/2021\nAlan,04/13/2021\n"
    refusal = folder.refusal("leads", content)
    assert "'13/04/2021' on line 2 is 13 April 2021" in refusal
    assert "'04/13/2021' on line 4 is 13 April 2021" in refusal


def test_both_orders_are_read_when_none_is_open(folder: Folder) -> None:
    assert captured(folder, "13/04/2021", "04/14/2021", "05/05/2021") == [
        "2021-04-13T00:00:00Z",
        "2021-04-14T00:00:00Z",
        "2021-05-05T00:00:00Z",
    ]


def test_years_of_two_digits_can_be_read_three_ways(folder: Folder) -> None:
    refusal = folder.refusal("leads", "name,date\nAda,05/06/07\n")
    assert refusal.endswith(
        "Say --date-format DD/MM/YYYY or --date-format MM/DD/YYYY or --date-format YY/MM/DD."
    )


def test_all_unclear_columns_are_named_at_once(folder: Folder) -> None:
    content = "title,stage,open date,close date\nA,New,03/04/2021,05/06/2021\n"
    refusal = folder.refusal("deals", content, stages=("New",))
    assert "column open date" in refusal
    assert "column close date" in refusal


@pytest.mark.parametrize(
    ("form", "written", "instant"),
    [
        ("DD/MM/YYYY", "03/04/2021", "2021-04-03T00:00:00Z"),
        ("mm/dd/yyyy", "03/04/2021", "2021-03-04T00:00:00Z"),
        ("YY/MM/DD", "05/06/07", "2005-06-07T00:00:00Z"),
        ("DD/MM/YYYY", "03.04.2021 9:30", "2021-04-03T09:30:00Z"),
        ("MM/DD/YYYY HH:MM:SS", "03/04/2021 09:30:15", "2021-03-04T09:30:15Z"),
        ("D MMM YYYY h:mm A", "3 Apr 2021 9:30 PM", "2021-04-03T21:30:00Z"),
        ("YYYYDDMM", "20210304", "2021-04-03T00:00:00Z"),
        ("%d|%m|%y", "03|04|21", "2021-04-03T00:00:00Z"),
        ("%Y-%m-%dT%H:%M:%S%z", "2021-04-03T09:30:00+0200", "2021-04-03T07:30:00Z"),
        ("epoch", "1617442200", "2021-04-03T09:30:00Z"),
        ("epoch-ms", "1617442200250", "2021-04-03T09:30:00.250000Z"),
        ("excel", "44289", "2021-04-03T00:00:00Z"),
        ("excel", "44289.3958333333", "2021-04-03T09:30:00Z"),
    ],
)
def test_named_form_is_followed(folder: Folder, form: str, written: str, instant: str) -> None:
    assert captured(folder, written, date_formats=(form,)) == [instant]


def test_full_form_accepts_nothing_else(folder: Folder) -> None:
    form = "%d|%m|%Y"
    assert reason(folder, "2021-04-03", date_formats=(form,)) == f"does not have the form {form}"


def test_several_forms_are_tried_in_order(folder: Folder) -> None:
    forms = ("%d|%m|%Y", "excel")
    assert captured(folder, "03|04|2021", "44289", date_formats=forms) == [
        "2021-04-03T00:00:00Z",
        "2021-04-03T00:00:00Z",
    ]


def test_form_may_be_for_one_field(folder: Folder) -> None:
    content = "title,stage,open date,close date\nA,Won,03/04/2021,05/06/2021\n"
    formats = ("opened_at=DD/MM/YYYY", "MM/DD/YYYY")
    (row,) = folder.rows("deals", content, stages=("New",), won=("Won",), date_formats=formats)
    assert row.values["opened_at"] == "2021-04-03T00:00:00Z"
    assert row.values["closed_at"] == "2021-05-06T00:00:00Z"


@pytest.mark.parametrize("form", ["YYYY-MM", "QQ", "%d/%m", "%Q", "", "amount=DD/MM/YYYY"])
def test_form_without_a_full_date_is_refused(folder: Folder, form: str) -> None:
    refusal = folder.refusal("leads", "name,date\nA,2021-01-05\n", date_formats=(form,))
    assert refusal.startswith("--date-format")


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("yesterday", "is not a date that can be read"),
        ("2021-02-30", "is a day that does not exist"),
        ("31/31/2021", "is a day that does not exist"),
        ("2021-01", "is not a date that can be read"),
        ("0201-01-05", "lies outside the years 1900 to 2200"),
        ("9999-12-31", "lies outside the years 1900 to 2200"),
        ("2021-01-05 25:00", "has a time of day that does not exist"),
        ("2021-01-05 9", "is not a time that can be read"),
        ("2021-01-05 13:00 PM and more", "is not a time that can be read"),
        ("2021-01-05 00:30 PM", "has an hour that AM or PM cannot follow"),
        ("1617442200", "say --date-format epoch."),
        ("1617442200250", "say --date-format epoch-ms."),
        ("44289", "say --date-format excel."),
        ("x" * 100, "is not a date"),
    ],
)
def test_what_is_no_date_is_an_error_of_its_row(folder: Folder, written: str, why: str) -> None:
    assert why in reason(folder, written)


def test_empty_dates_are_null(folder: Folder) -> None:
    assert captured(folder, "", "N/A", "-", "NULL") == [None] * 4


def test_local_times_become_utc(folder: Folder) -> None:
    options = {"timezone": "Asia/Shanghai"}
    assert captured(folder, "2021-01-05 15:04", "2021-01-05", **options) == [
        "2021-01-05T07:04:00Z",
        "2021-01-04T16:00:00Z",
    ]


def test_hour_that_a_clock_change_skips_is_an_error(folder: Folder) -> None:
    why = reason(folder, "2021-03-28 02:30", timezone="Europe/Berlin")
    assert why.startswith("was skipped by a clock change in Europe/Berlin")


def test_hour_that_a_clock_change_repeats_is_the_first(folder: Folder) -> None:
    options = {"timezone": "Europe/Berlin"}
    assert captured(folder, "2021-10-31 02:30", **options) == ["2021-10-31T00:30:00Z"]


def test_day_whose_midnight_was_skipped_begins_after_it(folder: Folder) -> None:
    options = {"timezone": "America/Sao_Paulo"}
    assert captured(folder, "2017-10-15", **options) == ["2017-10-15T03:00:00Z"]


@pytest.mark.parametrize("zone", ["Mars/Base", "", "../etc/passwd"])
def test_unknown_zone_is_refused(folder: Folder, zone: str) -> None:
    assert "no time zone" in folder.refusal("leads", "name\nA\n", timezone=zone)


def test_calendar_days_stay_days(folder: Folder) -> None:
    content = "title,stage,expected close date\nA,New,2021-01-05\nB,New,2021-01-05T20:00:00Z\n"
    options = {"stages": ("New",), "timezone": "Asia/Shanghai"}
    rows = folder.rows("deals", content, **options)
    assert [row.values["expected_close"] for row in rows] == ["2021-01-05", "2021-01-06"]
    assert all(row.date_only == () for row in rows)
