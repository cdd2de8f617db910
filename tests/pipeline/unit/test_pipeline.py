import pytest
from crm_events.contracts.pipeline import (
    PipelineDefined,
    PipelineStagesChanged,
    ProductChanged,
    ProductRegistered,
    Stage,
)
from crm_pipeline.domain.amounts import NegativeAmount
from crm_pipeline.domain.pipeline import (
    Pipeline,
    PipelineExists,
    StageDraft,
    StagesRefused,
    StageUnknown,
    Terminals,
)
from crm_pipeline.domain.product import Product, ProductExists, ProductFacts

from tests.pipeline.telling import DEFINED, STAGES, euros, sales
from tests.support.decisions import NOW, given

ENDS = Terminals()
DRAFTS = [StageDraft(s.key, s.name, s.probability, s.note) for s in STAGES]
TWO = DRAFTS[:2]


def test_defining_ranks_stages_in_their_order() -> None:
    given(Pipeline).when(lambda p: p.define("sales", "Sales", DRAFTS, ENDS, at=NOW)).then(DEFINED)


def test_a_pipeline_is_defined_once() -> None:
    given(Pipeline, DEFINED).when(lambda p: p.define("sales", "S", TWO, ENDS, at=NOW)).then(
        PipelineExists
    )


@pytest.mark.parametrize(
    ("drafts", "ends"),
    [
        ([], ENDS),
        ([DRAFTS[0], DRAFTS[0]], ENDS),
        ([DRAFTS[0], StageDraft("other", DRAFTS[0].name, 0.2)], ENDS),
        (TWO, Terminals(won="Offer")),
        (TWO, Terminals(won="End", lost="End")),
    ],
    ids=["no stage", "key twice", "name twice", "stage called won", "one name for both ends"],
)
def test_stages_that_cannot_be_told_apart_are_refused(
    drafts: list[StageDraft], ends: Terminals
) -> None:
    given(Pipeline).when(lambda p: p.define("sales", "Sales", drafts, ends, at=NOW)).then(
        StagesRefused
    )


def test_changed_stages_are_another_version() -> None:
    given(Pipeline, DEFINED).when(lambda p: p.change_stages(TWO, ENDS, at=NOW)).then(
        PipelineStagesChanged(pipeline_version=2, stages=STAGES[:2])
    )


def test_the_same_stages_are_no_change() -> None:
    given(Pipeline, DEFINED).when(lambda p: p.change_stages(DRAFTS, ENDS, at=NOW)).then()


def test_another_name_of_an_end_is_a_change() -> None:
    renamed = PipelineStagesChanged(pipeline_version=2, stages=STAGES, won_name="Signed")
    given(Pipeline, DEFINED).when(
        lambda p: p.change_stages(DRAFTS, Terminals(won="Signed"), at=NOW)
    ).then(renamed)


def test_an_unknown_stage_is_refused_with_the_known_ones() -> None:
    with pytest.raises(StageUnknown, match="meet, offer, sign"):
        sales().stage("nowhere")


def test_a_product_is_registered_once() -> None:
    facts = ProductFacts("GTX Pro", "GTX", euros(4821))
    event = ProductRegistered(name="GTX Pro", series="GTX", list_price=euros(4821))
    given(Product).when(lambda p: p.register(facts, at=NOW)).then(event)
    given(Product, event).when(lambda p: p.register(facts, at=NOW)).then(ProductExists)


def test_a_product_changes_as_a_whole() -> None:
    before = ProductRegistered(name="GTX Pro", series="GTX")
    given(Product, before).when(lambda p: p.change(ProductFacts("GTX Pro 2"), at=NOW)).then(
        ProductChanged(name="GTX Pro 2")
    )


def test_a_product_that_says_nothing_new_stays() -> None:
    before = ProductRegistered(name="GTX Pro", series="GTX")
    given(Product, before).when(lambda p: p.change(ProductFacts("GTX Pro", "GTX"), at=NOW)).then()


def test_its_own_record_fills_a_stub_even_with_nothing_new() -> None:
    stub = ProductRegistered(name="GTX Pro", stub=True)
    filled = given(Product, stub).when(lambda p: p.change(ProductFacts("GTX Pro"), at=NOW))
    filled.then(ProductChanged(name="GTX Pro"))
    assert not filled.aggregate.stub


@pytest.mark.parametrize("before", [(), (ProductRegistered(name="x"),)], ids=["new", "known"])
def test_no_list_price_is_below_zero(before: tuple[ProductRegistered, ...]) -> None:
    facts = ProductFacts("x", list_price=euros(-1))
    decide = (
        (lambda p: p.change(facts, at=NOW)) if before else (lambda p: p.register(facts, at=NOW))
    )
    given(Product, *before).when(decide).then(NegativeAmount)


def test_stages_keep_their_place_when_the_definition_is_read_again() -> None:
    assert [(stage.key, stage.rank) for stage in sales().stages] == [
        ("meet", 1),
        ("offer", 2),
        ("sign", 3),
    ]
    assert (sales().first, sales().last) == (STAGES[0], STAGES[-1])
    assert sales().find("gone") is None
    assert isinstance(DEFINED, PipelineDefined)
    assert isinstance(STAGES[0], Stage)
