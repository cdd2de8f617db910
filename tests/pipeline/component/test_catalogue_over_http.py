"""Pipelines and products by their routes; names and keys are taken once."""

from typing import Any

import pytest
from crm_events.contracts.pipeline import (
    PipelineDefined,
    PipelineStagesChanged,
    ProductChanged,
    ProductRegistered,
    Stage,
)

from tests.pipeline.conftest import SALES
from tests.pipeline.telling import euros
from tests.support.contexts import Running

PRO = {"name": "GTX Pro", "list_price": {"amount": "4821", "currency": "EUR"}}


async def test_a_pipeline_is_known_by_its_key(pipeline: Running) -> None:
    answer = await pipeline.post("/pipelines", SALES)
    assert answer.headers["Location"] == "/v1/pipeline/pipelines/sales"
    again = await pipeline.post("/pipelines", {**SALES, "name": "Another"})
    assert (again.status_code, again.json()["type"]) == (409, "/problems/pipeline-exists")
    (defined,) = pipeline.events()
    assert isinstance(defined, PipelineDefined)
    assert [(s.key, s.rank) for s in defined.stages] == [("meet", 1), ("offer", 2), ("sign", 3)]


async def test_changed_stages_are_another_version(sales: Running) -> None:
    body = {"stages": SALES["stages"][1:], "won_name": "签约"}
    answer = await sales.post("/pipelines/sales:change-stages", body, if_match='"1"')
    assert answer.json()["version"] == 2
    first = Stage(key="offer", name="Offer", rank=1, probability=0.5, note="in writing")
    second = Stage(key="sign", name="Signing", rank=2, probability=0.9)
    assert sales.events()[-1] == PipelineStagesChanged(
        pipeline_version=2, stages=(first, second), won_name="签约"
    )
    stale = await sales.post("/pipelines/sales:change-stages", body, if_match='"1"')
    assert stale.status_code == 412


@pytest.mark.parametrize(
    "stages",
    [
        [],
        [{"key": "a", "probability": 0.1}, {"key": "a", "probability": 0.2}],
        [{"key": "Won", "probability": 0.1}],
        [{"key": "a", "probability": 1.1}],
    ],
    ids=["none", "twice", "called as the end", "more than certain"],
)
async def test_stages_that_make_no_sense_are_refused(
    pipeline: Running, stages: list[dict[str, Any]]
) -> None:
    answer = await pipeline.post("/pipelines", {"key": "x", "stages": stages})
    assert answer.status_code == 422
    assert pipeline.head() == 0


@pytest.mark.parametrize("key", ["a/b", "", "a b", "a:b"])
async def test_a_key_fits_into_a_path(pipeline: Running, key: str) -> None:
    answer = await pipeline.post("/pipelines", {**SALES, "key": key})
    assert answer.json()["errors"][0]["field"] == "key"


async def test_two_products_never_share_a_name(pipeline: Running) -> None:
    await pipeline.made("/products", PRO)
    again = await pipeline.post("/products", {"name": "gtxpro"})
    assert (again.status_code, again.json()["type"]) == (409, "/problems/product-exists")


async def test_a_product_is_found_by_its_new_name(pipeline: Running) -> None:
    id = await pipeline.made("/products", PRO)
    await pipeline.post(f"/products/{id}:change", {"name": "GTX Ultra"})
    assert pipeline.events(id) == [
        ProductRegistered(name="GTX Pro", list_price=euros(4821)),
        ProductChanged(name="GTX Ultra", list_price=euros(4821)),
    ]
    body = {"source": "file", "kind": "product", "names": ["gtx ultra", "New One"]}
    answer = await pipeline.post("/names:resolve", body)
    matches = answer.json()["matches"]
    assert matches[0] | {"known_as": "GTX Ultra"} == matches[0]
    assert (matches[0]["id"], matches[0]["how"]) == (id, "folded")
    assert (matches[1]["how"], matches[1]["stub"]) == ("new", True)


async def test_a_product_does_not_take_anothers_name(pipeline: Running) -> None:
    await pipeline.made("/products", PRO)
    id = await pipeline.made("/products", {"name": "MG Special"})
    answer = await pipeline.post(f"/products/{id}:change", {"name": "GTX  pro"})
    assert answer.json()["type"] == "/problems/product-exists"
    assert (await pipeline.post(f"/products/{id}:change", {"name": "mg special"})).is_success


async def test_an_unknown_pipeline_is_404(pipeline: Running) -> None:
    answer = await pipeline.post("/pipelines/none:change-stages", {"stages": SALES["stages"]})
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/pipeline-unknown")
