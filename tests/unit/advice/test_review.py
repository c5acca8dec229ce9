"""A Deployment reviewed: the one change that saves most, what it is worth, and what is said where there is none.

Not covered: the planner's own choices (``tests/unit/planning``).
"""

from dataclasses import replace
from typing import Any

import pytest

from builders import node, offering
from costpolicy.advice.adoption import Promise
from costpolicy.advice.existing import Existing, Surroundings, existing_of
from costpolicy.advice.findings import Finding, FindingName
from costpolicy.advice.review import Asked, Review, demand_text, review, total
from costpolicy.catalog.prices import Offering
from costpolicy.observe.source import Missing
from costpolicy.planning.demand import Demand
from costpolicy.planning.supply import unlimited
from foreign import container, deployment, pods

H100 = offering()
SEVENTY = ["--model", "meta-llama/Llama-3.1-70B-Instruct", "--max-model-len=16384"]
LIGHT = Demand(requests_per_second=0.5, prompt_tokens=1000, output_tokens=250, source="Observed")


def reviewed(
    *args: str, demand: Demand | None = None, offerings: tuple[Offering, ...] = (H100,), **fields: Any
) -> Review:
    box = container(
        [*SEVENTY, *args], gpus=fields.pop("gpus", 4), image=fields.pop("image", "vllm/vllm-openai:v0.32.0")
    )
    of = deployment(box, **fields)
    existing = existing_of(of, Surroundings(pods=pods(of), nodes=[node()], offerings=offerings))
    assert isinstance(existing, Existing)
    asked = Asked(promise=Promise(), demand=demand, supplies=unlimited(offerings), currency="USD")
    return review(existing, asked)


def test_the_best_change_is_worth_what_is_held_less_what_the_plan_holds():
    found = reviewed("-tp=4", replicas=2)

    assert found.change is not None
    held = found.existing.cost_per_hour
    assert "20.00" == held.text()
    assert held - found.change.target.cost_per_hour == found.change.saves
    assert found.change.alters_answers
    assert any("fp8 weights" in step for step in found.change.steps)


def test_what_alters_no_answer_says_so():
    found = reviewed("-tp=2", "-q=fp8", gpus=4, replicas=1)

    assert not found.change.alters_answers
    assert any(
        step.startswith(("give a replica", "ask for 2 accelerators a pod instead of 4")) for step in found.change.steps
    )


def test_without_metrics_no_replica_counts_as_spare():
    one, four = (reviewed("-tp=2", "-q=fp8", "--kv-cache-dtype=fp8", gpus=2, replicas=count) for count in (1, 4))

    assert four.demand.requests_per_second == pytest.approx(4 * one.demand.requests_per_second)
    assert FindingName.OVER_PROVISIONED not in {finding.name for finding in four.findings}


def test_measured_load_shows_replicas_that_nobody_needs():
    found = reviewed("-tp=4", replicas=4, demand=LIGHT)
    [spare] = [one for one in found.findings if one.name is FindingName.OVER_PROVISIONED]

    assert "30.00" == spare.wasted.text()
    assert "0.5 requests/s of 1,000 + 250 tokens" in spare.evidence


def test_a_small_batch_is_worth_the_accelerators_that_it_takes():
    found = reviewed("-tp=4", "--max-num-seqs=8", replicas=4)
    [small] = [one for one in found.findings if one.name is FindingName.SMALL_BATCH]

    assert small.wasted is not None
    assert small.wasted.micros > 0


BUSY = replace(LIGHT, requests_per_second=300.0)


def eager(*args: str, **fields: Any) -> Finding:
    found = reviewed("-tp=4", *args, **fields)
    return next(one for one in found.findings if one.name is FindingName.EAGER_MODE)


def test_eager_mode_is_worth_the_replicas_that_the_least_claimed_for_fused_kernels_spares():
    found = eager("--enforce-eager", replicas=100, demand=BUSY)

    assert found.wasted is not None
    assert found.wasted.micros > 0
    assert 0 == found.wasted.micros % 10_000_000  # whole replicas of four accelerators at 2.50
    assert "5% of a step is the least that is claimed for fused kernels" in found.evidence


@pytest.mark.parametrize(
    ("args", "fields"),
    [
        (("--enforce-eager",), {"replicas": 1, "demand": LIGHT}),
        (("--enforce-eager",), {"replicas": 100}),
        (("--compilation-config.cudagraph_mode=NONE",), {"replicas": 100, "demand": BUSY}),
        (("--enforce-eager",), {"replicas": 1, "demand": BUSY}),
    ],
    ids=["no replica goes", "nothing measured", "nothing claimed", "none is held that could go"],
)
def test_eager_mode_has_no_amount_where_none_can_be_said(args: tuple[str, ...], fields: dict[str, Any]):
    found = eager(*args, **fields)

    assert found.wasted is None
    assert "claimed" not in found.evidence


def test_where_nothing_is_cheaper_it_says_why():
    found = reviewed("-q=fp8", gpus=1, demand=LIGHT)

    assert found.change is None
    assert found.why_not != ""


def test_what_cannot_be_compared_keeps_its_price_and_its_findings():
    found = reviewed("--pipeline-parallel-size=2", "--enforce-eager")

    assert isinstance(found.demand, Missing)
    assert found.change is None
    assert "pipeline stages" in found.why_not
    assert {FindingName.EAGER_MODE} == {one.name for one in found.findings}
    assert "10.00" == total([found, replace(found, existing=replace(found.existing, offering=found.demand))]).text()


def test_a_promise_that_nothing_keeps_saves_nothing():
    of = deployment(container(SEVENTY, gpus=4))
    existing = existing_of(of, Surroundings(pods=pods(of), nodes=[node()], offerings=[H100]))
    asked = Asked(promise=Promise(ttft="1ms"), demand=None, supplies=unlimited([H100]), currency="USD")

    assert review(existing, asked).change is None


def test_a_deployment_on_spot_is_compared_with_spot_too():
    from costpolicy.api.types import CapacityType

    spot = replace(H100, capacity_type=CapacityType.SPOT, hourly=offering(hourly="1.00").hourly)
    of = deployment(container([*SEVENTY, "-tp=4"], gpus=4), replicas=4)
    carrier = replace(node(), labels={**node().labels, "karpenter.sh/capacity-type": "spot"})
    existing = existing_of(of, Surroundings(pods=pods(of), nodes=[carrier], offerings=[H100, spot]))
    found = review(existing, Asked(promise=Promise(), demand=LIGHT, supplies=unlimited([H100, spot]), currency="USD"))

    assert CapacityType.SPOT is found.change.target.configuration.capacity_type


def test_a_demand_in_words():
    assert "0.5 requests/s of 1,000 + 250 tokens" == demand_text(LIGHT)
    assert demand_text(replace(LIGHT, requests_per_second=0.0)).startswith("one request at a time")
