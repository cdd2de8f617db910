import pytest

from tests.console.importing.files import DEALS, Folder

HEADER = "id,stage,open date,close date\n"


def test_outcome_follows_the_stage(folder: Folder) -> None:
    content = HEADER + "1,new,,\n2,TALKING,,\n3,Won,,2021-02-01\n4,lost,,2021-02-01\n"
    rows = folder.rows("deals", content, **DEALS)
    assert [(row.values["stage"], row.values["outcome"]) for row in rows] == [
        ("New", "open"),
        ("Talking", "open"),
        ("Won", "won"),
        ("Lost", "lost"),
    ]


def test_stage_that_was_not_named_is_an_error(folder: Folder) -> None:
    (error,) = folder.errors("deals", HEADER + "1,Parked,,\n2,New,,\n", **DEALS)
    assert (error.line, error.column, error.value) == (2, "stage", "Parked")
    assert error.reason == (
        "is none of the stages. Add it to --stages, --won or --lost; "
        "they are New, Talking, Won, Lost."
    )


def test_empty_stage_is_an_error(folder: Folder) -> None:
    (error,) = folder.errors("deals", HEADER + "1,,,\n", **DEALS)
    assert (error.column, error.reason) == ("stage", "is empty")


def test_stages_without_order_are_refused_with_an_example(folder: Folder) -> None:
    content = "id,Deal Stage\n1,Closed Won\n2,New\n3,Talking\n4,Closed Lost\n5,New\n"
    assert folder.refusal("deals", content) == (
        "Column Deal Stage says where each deal stands, but not in which order the stages come. "
        "It has Closed Won (1), New (2), Talking (1), Closed Lost (1). "
        "Say the open stages first to last, and what is won and lost, for example: "
        '--stages "New,Talking" --won "Closed Won" --lost "Closed Lost"'
    )


def test_constant_stage_needs_the_order_too(folder: Folder) -> None:
    content = "title\nA\n"
    assert "--stages" in folder.refusal("deals", content, constants=("stage=New",))
    (row,) = folder.rows("deals", content, constants=("stage=new",), **DEALS)
    assert (row.values["stage"], row.values["outcome"]) == ("New", "open")


def test_deals_without_any_stage_have_no_outcome(folder: Folder) -> None:
    (row,) = folder.rows("deals", "title,amount\nA,5\n")
    assert "outcome" not in row.values


def test_ends_without_a_beginning_are_refused(folder: Folder) -> None:
    refusal = folder.refusal("deals", HEADER + "1,Won,,\n", won=("Won",))
    assert "Add the open stages first to last" in refusal


@pytest.mark.parametrize(
    "options",
    [
        {"stages": ("New", "new ")},
        {"stages": ("New",), "won": ("NEW",)},
        {"stages": ("New", "")},
    ],
)
def test_stage_named_twice_is_refused(folder: Folder, options: dict[str, object]) -> None:
    refusal = folder.refusal("deals", HEADER + "1,New,,\n", **options)
    assert "in --stages, --won and --lost" in refusal


def test_other_kinds_have_no_stages(folder: Folder) -> None:
    assert "staff have no stages" in folder.refusal("staff", "name\nA\n", stages=("New",))


def test_closing_date_of_an_open_deal_is_a_plan(folder: Folder) -> None:
    content = HEADER + "1,New,2021-01-05,2021-02-01\n2,Won,2021-01-05,2021-02-01\n"
    rows = folder.rows("deals", content, timezone="Asia/Shanghai", **DEALS)
    assert rows[0].values["closed_at"] is None
    assert rows[0].values["expected_close"] == "2021-02-01"
    assert rows[0].date_only == ("opened_at",)
    assert rows[1].values["closed_at"] == "2021-01-31T16:00:00Z"
    assert rows[1].date_only == ("closed_at", "opened_at")


def test_deal_closed_before_it_was_opened_is_kept(folder: Folder) -> None:
    (row,) = folder.rows("deals", HEADER + "1,Won,2021-02-01,2021-01-05\n", **DEALS)
    assert row.values["closed_at"] == "2021-01-05T00:00:00Z"
